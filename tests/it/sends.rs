//! Many who send at the same moment: they share a commit, and nothing else.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use rand::Rng;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, Fate, TestServer};

#[tokio::test]
async fn those_who_send_at_once_share_few_commits() {
    let server = TestServer::start().await;
    let mut people = Vec::new();
    for number in 0..30 {
        people.push(server.register(&format!("person-{number}")).await);
    }
    let channel = people[0].private_channel("Room", &people[1..].iter().collect::<Vec<_>>()).await;
    let begin = people[0].say(&channel, "first").await["seq"].as_i64().unwrap();
    let (statements, seqs) = server
        .statements(join_all(
            people.iter().map(async |person| person.say(&channel, &person.name).await["seq"].as_i64().unwrap()),
        ))
        .await;
    let mut sorted = seqs.clone();
    sorted.sort();
    assert_eq!(sorted, (begin + 1..=begin + 30).collect::<Vec<_>>(), "each its own place, without a gap");
    let written = statements.iter().filter(|sql| sql.starts_with("INSERT INTO messages")).count();
    assert!(written <= 15, "{written} statements for 30 messages");
    // Everybody has read up to what they wrote, and has all that was written after it to read.
    for (person, seq) in people.iter().zip(seqs) {
        let query = "query($id: ID!) { conversation(id: $id) { viewerState { lastReadSeq unreadCount } } }";
        let state = person.ask(query, json!({ "id": channel })).await.data("conversation")["viewerState"].clone();
        assert_eq!(state, json!({ "lastReadSeq": seq, "unreadCount": begin + 30 - seq }));
    }
}

#[tokio::test]
async fn each_draft_gets_an_answer_of_its_own() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let mallory = server.register("mallory").await;
    let (room, square) = (alice.private_channel("Room", &[&bob]).await, alice.public_channel("Square").await);
    let closed = alice.private_channel("Closed", &[&bob]).await;
    let elsewhere = alice.say(&closed, "elsewhere").await["id"].clone();
    alice
        .ask(
            "mutation($id: ID!) { archiveChannel(input: { channelId: $id }) { channel { id } } }",
            json!({ "id": closed }),
        )
        .await
        .data("archiveChannel");
    let said = |content: &str, key: &str| json!({ "conversationId": room, "clientKey": key, "content": content });
    let answers = join_all([
        send(&alice, said("one", "alice-one")),
        send(&alice, said("one", "alice-one")),
        send(&alice, said("another", "alice-one")),
        send(&bob, said("one", "alice-one")),
        send(&mallory, said("one", "mallory-one")),
        send(&mallory, json!({ "conversationId": square, "clientKey": "mallory-one", "content": "one" })),
        send(&bob, json!({ "conversationId": closed, "clientKey": "bob-closed", "content": "one" })),
        send(
            &bob,
            json!({ "conversationId": room, "clientKey": "bob-reply", "content": "one", "replyToId": elsewhere }),
        ),
        send(&bob, json!({ "conversationId": square, "clientKey": "bob-square", "content": "one" })),
        send(&alice, json!({ "conversationId": square, "clientKey": "alice-square", "content": "one" })),
    ])
    .await;
    let mut got: Vec<String> = answers.iter().map(letter).collect();
    // Of one's own three under one key the first that comes is sent, whichever that is.
    got[..3].sort();
    assert_eq!(got[..3].concat(), "IDEMPOTENCY_KEY_REUSEDreplaysent".to_owned());
    assert_eq!(got[3..], ["sent", "NOT_FOUND", "FORBIDDEN", "ARCHIVED", "BAD_USER_INPUT", "FORBIDDEN", "sent"]);
    assert_eq!(server.database.count("SELECT count(*) FROM messages WHERE client_key <> ''").await, 4);
}

#[tokio::test]
async fn a_conversation_that_somebody_holds_makes_nobody_else_wait() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (busy, free) = (alice.public_channel("Busy").await, alice.public_channel("Free").await);
    let (mut client, connection) = tokio_postgres::connect(&server.database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let holding = client.transaction().await.unwrap();
    let hold = format!("SELECT FROM conversations WHERE id = '{}' FOR UPDATE", uuid(&busy));
    holding.batch_execute(&hold).await.unwrap();
    // More than there are connections, so that none may be held while waiting.
    let contents: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let waiting = join_all(contents.iter().map(|content| alice.say(&busy, content)));
    tokio::pin!(waiting);
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("the row is held"),
        sent = async { for number in 0..5 { alice.say(&free, &format!("{number}")).await; } } => sent,
    }
    holding.rollback().await.unwrap();
    let seqs: Vec<i64> = waiting.await.iter().map(|message| message["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs.len(), 40);
}

#[tokio::test]
async fn however_many_change_what_somebody_holds_nobody_elsewhere_waits() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let (busy, free) = (alice.private_channel("Busy", &[]).await, alice.public_channel("Free").await);
    let messages = [alice.say(&busy, "Lunch?").await["id"].clone(), alice.say(&free, "Lunch?").await["id"].clone()];
    let create =
        "mutation($name: String!) { createGroup(input: { name: $name, visibility: PRIVATE }) { group { id } } }";
    let groups = ["Busy", "Free"].map(|name| alice.ask(create, json!({ "name": name })));
    let groups = join_all(groups).await.into_iter().map(|made| made.data("createGroup")["group"]["id"].clone());
    let groups: Vec<Value> = groups.collect();
    let rows = [
        ("conversations", uuid(&busy), "addReaction", "{ messageId: $id, emoji: \"👍\" }", messages.as_slice()),
        (
            "groups",
            uuid(groups[0].as_str().unwrap()),
            "createChannelCategory",
            "{ groupId: $id, name: \"Old\" }",
            &groups,
        ),
    ];
    for (table, row, field, input, ids) in rows {
        let change = &format!("mutation($id: ID!) {{ {field}(input: {input}) {{ __typename }} }}");
        let (here, elsewhere) = (json!({ "id": ids[0] }), json!({ "id": ids[1] }));
        let (mut client, connection) =
            tokio_postgres::connect(&server.database.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let holding = client.transaction().await.unwrap();
        holding.batch_execute(&format!("SELECT FROM {table} WHERE id = '{row}' FOR UPDATE")).await.unwrap();
        // More than there are connections.
        let waiting = join_all((0..40).map(|_| alice.ask(change, here.clone())));
        tokio::pin!(waiting);
        let others = async {
            let wait = "SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database \
                WHERE d.datname = current_database() AND l.locktype = 'tuple'";
            server.database.until(wait, "1").await;
            for _ in 0..12 {
                alice.ask(change, elsewhere.clone()).await.data(field);
                assert_eq!(mallory.ask(change, here.clone()).await.code(), "NOT_FOUND");
            }
            alice.say(&free, "Hi").await;
        };
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("the row is held"),
            () = others => {}
        }
        holding.rollback().await.unwrap();
        for answer in waiting.await {
            answer.data(field);
        }
    }
}

#[tokio::test]
async fn a_draft_that_the_database_refuses_fails_alone() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Room").await;
    // As a fault of ours would: what the server takes for good and a table does not.
    server.database.execute("ALTER TABLE messages ADD CHECK (content <> 'poison')").await;
    let contents = ["one", "poison", "two", "three", "poison", "four"];
    let answers = join_all(contents.iter().enumerate().map(|(number, content)| {
        send(&alice, json!({ "conversationId": channel, "clientKey": format!("key-{number:04}"), "content": content }))
    }))
    .await;
    let got: Vec<String> = answers.iter().map(letter).collect();
    assert_eq!(got, ["sent", "INTERNAL", "sent", "sent", "INTERNAL", "sent"]);
    let last = alice.say(&channel, "five").await["seq"].as_i64().unwrap();
    assert_eq!(server.database.count("SELECT count(*) FROM conversation_events").await, last, "no place was lost");
}

#[tokio::test]
async fn what_decides_is_read_under_the_lock() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (mut client, connection) = tokio_postgres::connect(&server.database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    // The first time no statement of a send is known to the connection yet, later all of them are.
    for _ in 0..4 {
        let channel = alice.private_channel("Room", &[&bob]).await;
        let holding = client.transaction().await.unwrap();
        let id = uuid(&channel);
        holding.batch_execute(&format!("SELECT FROM conversations WHERE id = '{id}' FOR UPDATE")).await.unwrap();
        let input = json!({ "conversationId": channel, "clientKey": "key-0001", "content": "Hi" });
        let sending = send(&bob, input);
        let remove = async {
            let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
            while server.database.count(waiting).await == 0 {
                tokio::task::yield_now().await;
            }
            let leave = format!(
                "UPDATE conversation_members SET left_at = now(), departure = 'REMOVED'
                 WHERE conversation_id = '{id}' AND role = 'MEMBER'"
            );
            holding.batch_execute(&leave).await.unwrap();
            holding.commit().await.unwrap();
        };
        let (answer, ()) = tokio::join!(sending, remove);
        assert_eq!(letter(&answer), "NOT_FOUND");
    }
    assert_eq!(server.database.count("SELECT count(*) FROM messages").await, 0);
}

#[tokio::test]
async fn sending_waits_for_the_database_three_times() {
    let (server, wire) = TestServer::over_a_wire().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let root = alice.say(&channel, "root").await["id"].clone();
    let named = format!("<@{}>", bob.id);
    // Those who are called all at once are looked for when it is known that they may be.
    for (content, waits) in [(named.clone(), 3), (format!("{named} <@everyone>"), 4)] {
        let input = json!({ "conversationId": channel, "content": content, "replyToId": root, "threadRootId": root });
        // Once, and once more, so that every statement is known to the connection.
        for expected in [None, None, Some(waits)] {
            let mut input = input.clone();
            input["clientKey"] = json!(uuid::Uuid::new_v4().to_string());
            let (trips, answer) = wire.trips(send(&alice, input)).await;
            assert_eq!(letter(&answer), "sent");
            assert!(expected.is_none_or(|expected| trips == expected), "{content}: {trips}");
        }
    }
}

#[tokio::test]
async fn a_commit_that_is_lost_is_made_again_and_heard_once() {
    for fate in [Fate::Unsent, Fate::Unanswered] {
        let (server, wire) = TestServer::over_a_wire().await;
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let channel = alice.private_channel("Room", &[&bob]).await;
        let begin = alice.say(&channel, "first").await["seq"].as_i64().unwrap();
        let mut socket = bob.socket().await;
        let mut log = socket.follow(&channel, Some(begin)).events_until(begin).await;
        assert!(log.is_empty());
        let mut following = socket.follow(&channel, Some(begin));
        following.batch().await;
        wire.lose_a_commit(fate);
        let answers = join_all([
            send(&alice, json!({ "conversationId": channel, "clientKey": "key-alice", "content": "one" })),
            send(&bob, json!({ "conversationId": channel, "clientKey": "key-bob-1", "content": "two" })),
        ])
        .await;
        assert!(!wire.is_to_lose(), "{fate:?}");
        for answer in &answers {
            assert!(matches!(letter(answer).as_str(), "sent" | "replay"), "{fate:?}: {}", answer.0);
        }
        log.extend(following.events_until(begin + 2).await);
        let seqs: Vec<i64> = log.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, [begin + 1, begin + 2], "{fate:?}");
        assert_eq!(server.database.count("SELECT count(*) FROM messages").await, 3, "{fate:?}");
    }
}

/// Senders on two servers, somebody who is removed and added again all the time, and a follower who loses the connection
/// again and again.
#[tokio::test]
async fn nobody_is_heard_after_their_removal_and_nothing_is_missed() {
    let server = TestServer::start().await;
    let another = server.another().await;
    let (alice, bob, mallory) =
        (server.register("alice").await, server.register("bob").await, server.register("mallory").await);
    let channel = alice.private_channel("Room", &[&bob, &mallory]).await;
    let is_over = tokio_util::sync::CancellationToken::new();
    let speak = async |person: Actor| {
        let mut accepted = 0;
        while !is_over.is_cancelled() {
            let input =
                json!({ "conversationId": channel, "clientKey": uuid::Uuid::new_v4().to_string(), "content": "Hi" });
            accepted += usize::from(letter(&send(&person, input).await) == "sent");
        }
        accepted
    };
    let toggle = async {
        for _ in 0..25 {
            let seat = alice.seat_of(&channel, &mallory).await;
            let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
            alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
            let add = "mutation($id: ID!, $user: ID!) { addConversationMembers(input: { conversationId: $id, userIds: [$user] }) { members { id } } }";
            alice.ask(add, json!({ "id": channel, "user": mallory.id })).await.data("addConversationMembers");
        }
        is_over.cancel();
    };
    let follow = async {
        let (mut after, mut events) = (0, Vec::new());
        while !is_over.is_cancelled() {
            let mut socket = bob.socket().await;
            let mut log = socket.follow(&channel, Some(after));
            for _ in 0..rand::rng().random_range(1..6) {
                // Nobody says anything any more once it is over.
                let batch = tokio::select! {
                    batch = log.batch() => batch,
                    () = is_over.cancelled() => break,
                };
                assert_eq!(batch["hasGap"], false);
                events.extend(batch["events"].as_array().unwrap().clone());
                after = batch["seq"].as_i64().unwrap();
            }
        }
        (after, events)
    };
    let (here, there) = (mallory.clone(), mallory.at(another.address));
    let (a, b, c, d, (), (after, mut events)) =
        tokio::join!(speak(here), speak(there), speak(bob.clone()), speak(bob.at(another.address)), toggle, follow);
    let head = alice.say(&channel, "over").await["seq"].as_i64().unwrap();
    events.extend(bob.socket().await.follow(&channel, Some(after)).events_until(head).await);

    let seqs: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=head).collect::<Vec<_>>(), "each once, in order");
    let mut is_member = BTreeMap::new();
    let mut heard = 0;
    for event in &events {
        let who = |pointer: &str| event.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        match event["__typename"].as_str().unwrap() {
            "MemberJoinedEvent" => drop(is_member.insert(who("/user/username"), true)),
            "MemberLeftEvent" => drop(is_member.insert(who("/user/username"), false)),
            "MessageSentEvent" => {
                let author = who("/message/author/username");
                assert!(is_member[&author], "{author} at {}", event["seq"]);
                heard += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(heard, a + b + c + d + 1, "what was acknowledged, and nothing else");
    assert!(a + b > 0 && c + d > 0, "somebody spoke");
}

async fn send(actor: &Actor, input: Value) -> Answer {
    let mutation = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { isReplay message { seq } } }";
    actor.ask(mutation, json!({ "input": input })).await
}

/// `sent`, `replay`, or the code of the error.
fn letter(answer: &Answer) -> String {
    match answer.0["data"]["sendMessage"]["isReplay"].as_bool() {
        Some(true) => "replay".to_owned(),
        Some(false) => "sent".to_owned(),
        None => answer.code().to_owned(),
    }
}

fn uuid(id: &str) -> uuid::Uuid {
    chinwag::id::decode(id).unwrap().1
}
