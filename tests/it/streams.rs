//! Following a conversation: gapless, resumable, and over when it has to be.

use serde_json::{Value, json};

use crate::harness::{Ended, TestServer};

fn seqs(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["seq"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_stream_resumes_without_a_gap() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    for number in 1..=7 {
        alice.say(&channel, &format!("message {number}")).await;
    }
    let mut socket = alice.socket().await;
    let mut log = socket.follow(&channel, Some(3));
    assert_eq!(seqs(&log.events_until(8).await), [4, 5, 6, 7, 8]);
    alice.say(&channel, "live").await;
    assert_eq!(seqs(&log.events_until(9).await), [9]);
}

#[tokio::test]
async fn a_long_replay_comes_in_batches_and_says_when_it_has_caught_up() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    for number in 1..=40 {
        alice.say(&channel, &format!("message {number}")).await;
    }
    let mut socket = alice.socket().await;
    let mut log = socket.follow(&channel, Some(1));
    let (first, second) = (log.batch().await, log.batch().await);
    assert_eq!((first["events"].as_array().unwrap().len(), &first["isCaughtUp"]), (25, &json!(false)));
    assert_eq!((first["seq"].clone(), second["seq"].clone()), (json!(26), json!(41)));
    assert_eq!((second["events"].as_array().unwrap().len(), &second["isCaughtUp"]), (15, &json!(true)));
}

#[tokio::test]
async fn a_position_that_cannot_be_resumed_from_is_a_gap_in_band_and_the_stream_goes_on() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    alice.say(&channel, "first").await;
    let gap = json!({ "events": [], "seq": 2, "isCaughtUp": true, "hasGap": true });
    let mut socket = alice.socket().await;
    // Beyond the head, as after the restore of a backup.
    let mut ahead = socket.follow(&channel, Some(99));
    assert_eq!(ahead.batch().await, gap);
    // Cut off at its beginning, as retention does.
    server.database.execute("DELETE FROM conversation_events WHERE seq = 1").await;
    let mut cut = socket.follow(&channel, Some(0));
    assert_eq!(cut.batch().await, gap);
    // Further back than is replayed.
    server.database.execute("UPDATE conversations SET last_seq = 1002").await;
    let mut behind = socket.follow(&channel, Some(1));
    assert_eq!(behind.batch().await["hasGap"], true);
    server.database.execute("UPDATE conversations SET last_seq = 2").await;
    alice.say(&channel, "second").await;
    for log in [&mut ahead, &mut cut] {
        assert_eq!(seqs(&log.events_until(3).await), [3]);
    }
}

#[tokio::test]
async fn the_log_is_read_over_http_too() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    for number in 1..=5 {
        alice.say(&channel, &format!("message {number}")).await;
    }
    let query =
        "query($id: ID!, $after: Int!, $first: Int!) { conversation(id: $id) { events(after: $after, first: $first) {
        seq isCaughtUp hasGap events { seq } } } }";
    let read = async |after: i64, first: i64| {
        let variables = json!({ "id": channel, "after": after, "first": first });
        alice.ask(query, variables).await.data("conversation")["events"].clone()
    };
    let page = read(1, 2).await;
    assert_eq!(page, json!({ "seq": 3, "isCaughtUp": false, "hasGap": false, "events": [{ "seq": 2 }, { "seq": 3 }] }));
    assert_eq!(read(3, 100).await["isCaughtUp"], true);
    assert_eq!(read(6, 100).await, json!({ "seq": 6, "isCaughtUp": true, "hasGap": false, "events": [] }));
    assert_eq!(read(7, 100).await, json!({ "seq": 6, "isCaughtUp": true, "hasGap": true, "events": [] }));
}

#[tokio::test]
async fn a_removed_member_stops_receiving() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let channel = alice.private_channel("Secret", &[&mallory]).await;
    let mut socket = mallory.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    alice.say(&channel, "Mallory still reads this").await;
    assert_eq!(log.batch().await["events"][0]["message"]["content"], "Mallory still reads this");

    let seat = alice.seat_of(&channel, &mallory).await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    alice.say(&channel, "and not this").await;

    let last = log.batch().await;
    let events = last["events"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["__typename"], "MemberLeftEvent");
    assert_eq!(events[0]["reason"], "REMOVED");
    assert_eq!(log.end().await, Ended::Complete);
    assert_eq!(socket.follow(&channel, None).end().await, Ended::Error("NOT_FOUND".into()));
}

#[tokio::test]
async fn who_leaves_a_public_channel_gets_that_as_the_last_event_and_may_read_on_anew() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    let leave = "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) { conversation { id } } }";
    let left = bob.ask(leave, json!({ "id": channel })).await.data("leaveConversation");
    assert_eq!(left["conversation"]["id"], channel);
    assert_eq!(log.batch().await["events"][0]["reason"], "LEFT");
    assert_eq!(log.end().await, Ended::Complete);
    // As a reader, from before the departure: it is replayed and ends nothing.
    let mut reader = socket.follow(&channel, Some(1));
    assert_eq!(seqs(&reader.events_until(3).await), [2, 3]);
    alice.say(&channel, "for readers").await;
    assert_eq!(seqs(&reader.events_until(4).await), [4]);
    // And back again: the seat is another one, and the departure of then is history.
    bob.join(&channel).await;
    let mut member = socket.follow(&channel, Some(0));
    assert_eq!(seqs(&member.events_until(5).await), [1, 2, 3, 4, 5]);
    alice.say(&channel, "for members").await;
    assert_eq!(seqs(&member.events_until(6).await), [6]);
}

#[tokio::test]
async fn a_replay_shows_what_was_deleted_as_a_tombstone() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let secret = alice.say(&channel, "a secret").await;
    let delete = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { seq message { content } } }";
    alice.ask(delete, json!({ "id": secret["id"] })).await.data("deleteMessage");
    let mut socket = alice.socket().await;
    let events = socket.follow(&channel, Some(0)).events_until(3).await;
    assert_eq!(events[1]["__typename"], "MessageSentEvent");
    assert_eq!(events[1]["message"]["content"], json!(null));
}

#[tokio::test]
async fn a_second_server_follows_what_the_first_one_writes() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut socket = alice.at(other.address).socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    for number in 1..=20 {
        alice.say(&channel, &format!("message {number}")).await;
        alice.at(other.address).say(&channel, &format!("answer {number}")).await;
    }
    assert_eq!(seqs(&log.events_until(41).await), (2..=41).collect::<Vec<_>>());
}

#[tokio::test]
async fn many_who_write_at_once_are_heard_once_each_and_in_order() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut socket = alice.socket().await;
    let (mut here, mut there) = (socket.follow(&channel, None), {
        let elsewhere = alice.at(other.address).socket().await;
        let mut elsewhere = elsewhere;
        let stream = elsewhere.follow(&channel, None);
        (elsewhere, stream)
    });
    here.batch().await;
    there.1.batch().await;
    let servers = [alice.clone(), alice.at(other.address)];
    let writers = (0..10).map(|writer| {
        let (writer, channel) = (servers[writer % 2].clone(), channel.clone());
        async move {
            for number in 0..10 {
                writer.say(&channel, &number.to_string()).await;
            }
        }
    });
    futures_util::future::join_all(writers).await;
    let expected: Vec<i64> = (2..=101).collect();
    assert_eq!(seqs(&here.events_until(101).await), expected);
    assert_eq!(seqs(&there.1.events_until(101).await), expected);
}

#[tokio::test]
async fn a_stream_survives_a_listening_connection_that_dies() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut socket = alice.at(other.address).socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    server
        .database
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    alice.say(&channel, "after the fall").await;
    assert_eq!(log.events_until(2).await[0]["message"]["content"], "after the fall");
}

#[tokio::test]
async fn a_server_that_stops_tells_its_sockets_to_come_back_and_they_miss_nothing() {
    let mut server = TestServer::start().await;
    let other = server.another().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut socket = alice.socket().await;
    let mut log = socket.follow(&channel, None);
    let seq = log.batch().await["seq"].as_i64();
    server.stop().await;
    assert_eq!(socket.closed().await, 1012);
    alice.at(other.address).say(&channel, "meanwhile").await;
    let mut socket = alice.at(other.address).socket().await;
    assert_eq!(seqs(&socket.follow(&channel, seq).events_until(2).await), [2]);
}

#[tokio::test]
async fn who_is_removed_within_a_gap_is_not_followed_on() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let channel = alice.private_channel("Secret", &[&mallory]).await;
    let mut socket = mallory.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    // So much is written at once, as an import does, that the departure is passed over.
    server
        .database
        .execute(
            "UPDATE conversation_members m SET left_at = now(), departure = 'REMOVED' FROM users u
                WHERE u.id = m.user_id AND u.username = 'mallory';
            UPDATE conversations SET last_seq = 5000",
        )
        .await;
    server.app.hub.look_everywhere();
    assert_eq!(log.end().await, Ended::Complete);
}

#[tokio::test]
async fn a_replay_of_the_longest_messages_is_not_too_long_to_deliver() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let longest = "\u{1f5ef}".repeat(10_000);
    for _ in 0..60 {
        alice.say(&channel, &longest).await;
    }
    let thrice = "subscription($id: ID!) { conversationEvents(conversationId: $id, after: 0) { seq hasGap events {
        ... on MessageSentEvent { message { content } again: message { content } timelineEdge { node { content } } } } } }";
    let mut socket = alice.socket().await;
    let mut log = socket.run(thrice, json!({ "id": channel }));
    let mut seq = 0;
    while seq < 61 {
        let batch = log.batch().await;
        assert_eq!(batch["hasGap"], false);
        seq = batch["seq"].as_i64().unwrap();
    }
}

const CLOSE: &str = "mutation($id: ID!) { updateChannel(input: { channelId: $id, visibility: PRIVATE }) {
    channel { seq } } }";

#[tokio::test]
async fn a_channel_that_turns_private_ends_its_readers_streams_without_a_word() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let (mut of_bob, mut of_carol) = (bob.socket().await, carol.socket().await);
    let (mut member, mut reader) = (of_bob.follow(&channel, None), of_carol.follow(&channel, None));
    member.batch().await;
    reader.batch().await;
    alice.say(&channel, "for everybody").await;
    assert_eq!(seqs(&reader.events_until(3).await), [3]);
    alice.ask(CLOSE, json!({ "id": channel })).await.data("updateChannel");
    assert_eq!(reader.end().await, Ended::Complete);
    assert_eq!(of_carol.follow(&channel, Some(0)).end().await, Ended::Error("NOT_FOUND".into()));
    assert_eq!(seqs(&member.events_until(4).await), [3, 4]);
}

#[tokio::test]
async fn a_channel_that_turns_private_shows_its_readers_nothing_from_then_on() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let mut sockets = [carol.socket().await, carol.at(other.address).socket().await, bob.socket().await];
    let mut logs = sockets.each_mut().map(|socket| socket.follow(&channel, None));
    for log in &mut logs {
        log.batch().await;
    }
    // While events pour in, on both servers.
    let writers = (0..6).map(|writer| {
        let writer = if writer % 2 == 0 { alice.clone() } else { alice.at(other.address) };
        let channel = channel.clone();
        tokio::spawn(async move {
            for number in 0..10 {
                writer.say(&channel, &number.to_string()).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    alice.say(&channel, "for everybody").await;
    let closed = alice.ask(CLOSE, json!({ "id": channel })).await.data("updateChannel");
    let closed = closed["channel"]["seq"].as_i64().unwrap();
    let [mut here, mut there, mut member] = logs;
    for log in [&mut here, &mut there] {
        let mut last = 2;
        loop {
            let message = log.message().await;
            if message["type"] == "complete" {
                break;
            }
            let batch = &message["payload"]["data"]["conversationEvents"];
            for event in batch["events"].as_array().unwrap() {
                let seq = event["seq"].as_i64().unwrap();
                assert!(seq == last + 1 && seq < closed, "{seq} after {last}, and it closed at {closed}");
                last = seq;
            }
            assert!(batch["seq"].as_i64().unwrap() < closed, "{batch}");
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    // Members go on.
    assert_eq!(seqs(&member.events_until(64).await), (3..=64).collect::<Vec<_>>());
    assert_eq!(sockets[0].follow(&channel, None).end().await, Ended::Error("NOT_FOUND".into()));
}

#[tokio::test]
async fn a_reader_who_has_joined_since_goes_on_when_it_turns_private() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    bob.join(&channel).await;
    alice.ask(CLOSE, json!({ "id": channel })).await.data("updateChannel");
    alice.say(&channel, "among us").await;
    let events = log.events_until(4).await;
    assert_eq!(events[1]["changedFields"], json!(["slug", "visibility"]));
    assert_eq!(events[2]["message"]["content"], "among us");
    // And is a member in that stream from then on, until they are none.
    let seat = alice.seat_of(&channel, &bob).await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    assert_eq!(log.batch().await["events"][0]["reason"], "REMOVED");
    assert_eq!(log.end().await, Ended::Complete);
}

#[tokio::test]
async fn other_settings_end_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    let rename =
        "mutation($id: ID!) { updateChannel(input: { channelId: $id, name: \"Elsewhere\" }) { channel { seq } } }";
    alice.ask(rename, json!({ "id": channel })).await.data("updateChannel");
    assert_eq!(log.batch().await["events"][0]["conversation"]["name"], "Elsewhere");
    alice.say(&channel, "for readers").await;
    assert_eq!(seqs(&log.events_until(3).await), [3]);
    // One that was closed and is open again before the stream has looked goes on too: its history is everybody's.
    let open = "mutation($id: ID!) {
        one: updateChannel(input: { channelId: $id, visibility: PRIVATE }) { channel { seq } }
        two: updateChannel(input: { channelId: $id, visibility: PUBLIC, exposesHistory: true }) { channel { seq } } }";
    let channel = alice.public_channel("Again").await;
    alice.ask(open, json!({ "id": channel })).await.data("two");
    let mut late = socket.follow(&channel, Some(0));
    assert_eq!(seqs(&late.events_until(3).await), [1, 2, 3]);
}

/// What an import, or another server, writes at once: it is closed at its end, or within a gap.
#[tokio::test]
async fn a_reader_sees_nothing_of_a_backlog_at_whose_end_it_turned_private() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    for head in [61, 5000] {
        let channel = alice.public_channel("Anywhere").await;
        let message = alice.say(&channel, "public").await["seq"].clone();
        assert_eq!(message, 2);
        let mut socket = mallory.socket().await;
        let mut log = socket.follow(&channel, None);
        log.batch().await;
        let (_, id) = chinwag::id::decode(&channel).unwrap();
        let backlog = format!(
            "INSERT INTO conversation_events (conversation_id, seq, kind, actor_id, subject_seq, payload, occurred_at)
                SELECT '{id}', n, 2, actor_id, 2, NULL, occurred_at
                FROM conversation_events, generate_series(3, {head} - 1) n
                WHERE conversation_id = '{id}' AND seq = 2;
            INSERT INTO conversation_events (conversation_id, seq, kind, actor_id, payload, occurred_at)
                SELECT conversation_id, {head}, 13, actor_id, '{{\"changedFields\": [\"visibility\"]}}', occurred_at
                FROM conversation_events WHERE conversation_id = '{id}' AND seq = 2;
            UPDATE channels SET visibility = 'PRIVATE', slug = NULL WHERE conversation_id = '{id}';
            UPDATE conversations SET last_seq = {head} WHERE id = '{id}'"
        );
        server.database.execute(&backlog).await;
        server.app.hub.look_everywhere();
        assert_eq!(log.end().await, Ended::Complete, "{head}");
    }
}
