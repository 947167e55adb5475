//! Who is here, who types: told to those who may know, and to nobody else.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Actor, Ended, Socket, Stream, TestServer, usernames};

// Typing.

#[tokio::test]
async fn two_people_see_each_other_type() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let root = alice.say(&channel, "Here?").await["id"].clone();
    let (mut by_alice, mut by_bob) = (alice.socket().await, bob.socket().await);
    let (mut alice_hears, mut bob_hears) = (hear(&mut by_alice, &channel).await, hear(&mut by_bob, &channel).await);

    let until = types(&alice, &channel, json!({})).await;
    let signal = only_signal(&mut bob_hears).await;
    assert_eq!(signal["__typename"], "TypingSignal");
    assert_eq!((&signal["user"]["username"], &signal["threadRootId"]), (&json!("alice"), &Value::Null));
    assert_eq!(signal["expiresAt"], until);
    assert_eq!(instant(&until) - instant(&signal["occurredAt"]), TimeDelta::seconds(8));

    types(&bob, &channel, json!({ "threadRootId": root })).await;
    // Nobody hears of themselves: this is the first that she gets.
    let signal = only_signal(&mut alice_hears).await;
    assert_eq!((&signal["user"]["username"], &signal["threadRootId"]), (&json!("bob"), &root));

    assert_eq!(types(&alice, &channel, json!({ "isTyping": false })).await, Value::Null);
    let signal = only_signal(&mut bob_hears).await;
    assert_eq!((&signal["user"]["username"], &signal["expiresAt"]), (&json!("alice"), &Value::Null));
}

#[tokio::test]
async fn two_people_see_each_other_read() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Room", &[&bob, &carol]).await;
    let mut socket = alice.socket().await;
    let mut hears = hear(&mut socket, &channel).await;
    let (first, second) =
        (alice.say(&channel, "One").await["seq"].clone(), alice.say(&channel, "Two").await["seq"].clone());
    reads(&bob, &channel, &first).await;
    let signal = only_signal(&mut hears).await;
    assert_eq!((&signal["__typename"], &signal["user"]["username"]), (&json!("ReadSignal"), &json!("bob")));
    assert_eq!(signal["member"], json!({ "id": alice.seat_of(&channel, &bob).await, "lastReadSeq": first }));
    // Backwards moves nothing, and who does not share it, or stands in a block, is not heard.
    reads(&bob, &channel, &json!(1)).await;
    carol.prefer(json!({ "privacy": { "sharesReadPosition": false } })).await;
    reads(&carol, &channel, &second).await;
    carol.prefer(json!({ "privacy": { "sharesReadPosition": true } })).await;
    reads(&bob, &channel, &second).await;
    let signal = only_signal(&mut hears).await;
    assert_eq!((&signal["user"]["username"], &signal["member"]["lastReadSeq"]), (&json!("bob"), &second));
    block(&alice, &bob).await;
    let third = alice.say(&channel, "Three").await["seq"].clone();
    reads(&bob, &channel, &third).await;
    reads(&carol, &channel, &third).await;
    assert_eq!(only_signal(&mut hears).await["user"]["username"], "carol");
}

#[tokio::test]
async fn who_comes_back_to_another_seat_does_not_end_the_stream() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Room").await;
    let mut socket = alice.socket().await;
    let mut hears = hear(&mut socket, &channel).await;
    let seq = alice.say(&channel, "Hi").await["seq"].clone();
    bob.join(&channel).await;
    let again = "mutation($id: ID!, $seq: Int) { a: markConversationRead(input: { conversationId: $id, seq: $seq }) { viewerState { id } }
        b: leaveConversation(input: { conversationId: $id }) { conversationId }
        c: joinChannel(input: { channelId: $id }) { channel { id } } }";
    alice.say(&channel, "Unread").await;
    // Within the moment in which signals are gathered, mostly: by then, the seat that has read is another one.
    bob.ask(again, json!({ "id": channel, "seq": seq.as_i64().unwrap() + 2 })).await.data("c");
    types(&bob, &channel, json!({})).await;
    while signals(&mut hears).await.iter().all(|signal| signal["__typename"] != "TypingSignal") {}
}

#[tokio::test]
async fn saying_it_with_every_key_is_one_delivery() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let mut socket = bob.socket().await;
    let mut hears = hear(&mut socket, &channel).await;
    // Done without having begun is nothing to tell.
    types(&alice, &channel, json!({ "isTyping": false })).await;
    let first = types(&alice, &channel, json!({})).await;
    for _ in 0..5 {
        assert_eq!(types(&alice, &channel, json!({})).await, first, "as long as it is shown");
    }
    assert_eq!(only_signal(&mut hears).await["expiresAt"], first);
    server.clock.advance(TimeDelta::seconds(5));
    let second = types(&alice, &channel, json!({})).await;
    assert_eq!(only_signal(&mut hears).await["expiresAt"], second);
    assert!(instant(&second) >= instant(&first) + TimeDelta::seconds(5));
    // Faded, so it begins anew.
    server.clock.advance(TimeDelta::seconds(9));
    let third = types(&alice, &channel, json!({})).await;
    assert_eq!(only_signal(&mut hears).await["expiresAt"], third);
}

#[tokio::test]
async fn the_latest_of_what_comes_at_once_counts() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let mut socket = bob.socket().await;
    let mut hears = hear(&mut socket, &channel).await;
    // In one request, so that they come within the moment in which signals are gathered.
    let mutation = "mutation($id: ID!) { a: setTyping(input: { conversationId: $id }) { expiresAt }
        b: setTyping(input: { conversationId: $id, isTyping: false }) { expiresAt } }";
    alice.ask(mutation, json!({ "id": channel })).await.data("b");
    types(&alice, &channel, json!({ "threadRootId": alice.say(&channel, "Hi").await["id"] })).await;
    let mut heard = Vec::new();
    while heard.iter().all(|signal: &Value| signal["threadRootId"].is_null()) {
        heard.extend(signals(&mut hears).await);
    }
    assert_eq!(heard[0]["expiresAt"], Value::Null, "{heard:?}");
    assert_eq!(heard.len(), 2, "{heard:?}");
}

#[tokio::test]
async fn signals_are_for_members_alone() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (private, public) = (alice.private_channel("Room", &[&bob]).await, alice.public_channel("Square").await);
    let mallory = server.register("mallory").await;
    let mut socket = mallory.socket().await;
    assert_eq!(socket.run(HEAR, json!({ "id": private })).end().await, Ended::Error("NOT_FOUND".into()));
    assert_eq!(socket.run(HEAR, json!({ "id": public })).end().await, Ended::Error("FORBIDDEN".into()));
    for (channel, code) in [(&private, "NOT_FOUND"), (&public, "FORBIDDEN")] {
        let input = json!({ "conversationId": channel });
        assert_eq!(mallory.ask(TYPE, json!({ "input": input })).await.code(), code);
    }

    let mut by_bob = bob.socket().await;
    let mut hears = hear(&mut by_bob, &private).await;
    let seat = alice.seat_of(&private, &bob).await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    types(&alice, &private, json!({})).await;
    assert_eq!(hears.end().await, Ended::Complete);
}

#[tokio::test]
async fn signals_end_with_the_session() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Room").await;
    let mut socket = alice.socket().await;
    let mut hears = hear(&mut socket, &channel).await;
    let mut looks = look(&mut socket, &[&alice]).await;
    alice.query("mutation { logout { sessionId } }").await.data("logout");
    assert_eq!(hears.end().await, Ended::Complete);
    assert_eq!(looks.end().await, Ended::Complete);
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn signals_end_with_the_membership_that_opened_them_also_for_who_comes_back() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Room").await;
    bob.join(&channel).await;
    let (mut here, mut there) = (bob.socket().await, bob.at(other.address).socket().await);
    let mut hears = [hear(&mut here, &channel).await, hear(&mut there, &channel).await];
    let again = "mutation($id: ID!) { a: leaveConversation(input: { conversationId: $id }) { conversationId }
        b: joinChannel(input: { channelId: $id }) { channel { id } } }";
    bob.ask(again, json!({ "id": channel })).await.data("b");
    for hears in &mut hears {
        assert_eq!(hears.end().await, Ended::Complete);
    }
}

#[tokio::test]
async fn who_has_left_is_not_heard_reading() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    alice.say(&channel, "Unread").await;
    let mut socket = alice.socket().await;
    let mut hears = hear(&mut socket, &channel).await;
    let gone = "mutation($id: ID!) { a: setTyping(input: { conversationId: $id }) { expiresAt }
        b: markConversationRead(input: { conversationId: $id }) { viewerState { id } }
        c: leaveConversation(input: { conversationId: $id }) { conversationId } }";
    bob.ask(gone, json!({ "id": channel })).await.data("c");
    let heard = signals(&mut hears).await;
    assert!(heard.iter().all(|signal| signal["__typename"] == "TypingSignal"), "{heard:?}");
}

#[tokio::test]
async fn a_thread_of_elsewhere_is_none_to_type_in() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (here, elsewhere) = (alice.public_channel("Here").await, alice.public_channel("Elsewhere").await);
    let root = alice.say(&elsewhere, "Root").await["id"].clone();
    let mine = alice.say(&here, "Root").await["id"].clone();
    let reply =
        alice.write(json!({ "conversationId": here, "content": "Reply", "threadRootId": mine })).await["id"].clone();
    for id in [root, reply] {
        let input = json!({ "conversationId": here, "threadRootId": id });
        let wrong = alice.ask(TYPE, json!({ "input": input })).await.wrong_fields();
        assert_eq!(wrong, ["input.threadRootId UNKNOWN_ID"]);
    }
}

#[tokio::test]
async fn a_block_hides_typing_both_ways() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Room", &[&bob, &carol]).await;
    block(&alice, &bob).await;
    let (mut by_alice, mut by_bob) = (alice.socket().await, bob.socket().await);
    let (mut alice_hears, mut bob_hears) = (hear(&mut by_alice, &channel).await, hear(&mut by_bob, &channel).await);
    types(&alice, &channel, json!({})).await;
    types(&bob, &channel, json!({})).await;
    types(&carol, &channel, json!({})).await;
    // Carol came last, and nothing before her is heard.
    for hears in [&mut alice_hears, &mut bob_hears] {
        assert_eq!(only_signal(hears).await["user"]["username"], "carol");
    }
}

#[tokio::test]
async fn who_does_not_share_it_is_not_seen_typing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    alice.prefer(json!({ "privacy": { "sharesTyping": false } })).await;
    let mut socket = bob.socket().await;
    let mut hears = hear(&mut socket, &channel).await;
    assert_eq!(types(&alice, &channel, json!({})).await, Value::Null);
    alice.prefer(json!({ "privacy": { "sharesTyping": true } })).await;
    let until = types(&alice, &channel, json!({})).await;
    assert_eq!(only_signal(&mut hears).await["expiresAt"], until);
}

#[tokio::test]
async fn who_has_just_left_types_nowhere() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let mutation = "mutation($id: ID!) { a: setTyping(input: { conversationId: $id }) { expiresAt }
        b: leaveConversation(input: { conversationId: $id }) { conversation { id } }
        c: setTyping(input: { conversationId: $id }) { expiresAt } }";
    let answer = bob.ask(mutation, json!({ "id": channel })).await;
    assert_eq!(answer.code(), "NOT_FOUND");
}

#[tokio::test]
async fn a_clock_that_was_set_back_silences_nobody() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let mut socket = bob.socket().await;
    let mut hears = hear(&mut socket, &channel).await;
    types(&alice, &channel, json!({})).await;
    only_signal(&mut hears).await;
    server.clock.advance(TimeDelta::minutes(-10));
    let until = types(&alice, &channel, json!({})).await;
    assert!(instant(&until) <= server.clock.now() + TimeDelta::seconds(8), "{until}");
    assert_eq!(only_signal(&mut hears).await["expiresAt"], until);
}

// Presence.

#[tokio::test]
async fn a_block_hides_presence_both_ways() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let (mut by_alice, mut by_bob) = (alice.socket().await, bob.socket().await);
    wait_until(async || presence_of(&alice, &bob).await["status"] == "ONLINE").await;
    wait_until(async || presence_of(&bob, &alice).await["status"] == "ONLINE").await;
    let (mut alice_looks, mut bob_looks) = (look(&mut by_alice, &[&bob]).await, look(&mut by_bob, &[&alice]).await);
    block(&alice, &bob).await;
    let hidden = json!({ "status": "OFFLINE", "lastSeenAt": null, "customStatus": null });
    assert_eq!(looked(&mut alice_looks).await["bob"], hidden);
    assert_eq!(looked(&mut bob_looks).await["alice"], hidden);
    let unblock = "mutation($id: ID!) { unblockUser(input: { userId: $id }) { user { id } } }";
    alice.ask(unblock, json!({ "id": bob.id })).await.data("unblockUser");
    assert_eq!(looked(&mut alice_looks).await["bob"]["status"], "ONLINE");
    assert_eq!(looked(&mut bob_looks).await["alice"]["status"], "ONLINE");
}

#[tokio::test]
async fn who_does_not_share_when_they_were_here_is_only_gone() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let (by_alice, mut by_bob) = (alice.socket().await, bob.socket().await);
    wait_until(async || presence_of(&alice, &bob).await["status"] == "ONLINE").await;
    let mut looks = look(&mut by_bob, &[&alice]).await;
    alice.prefer(json!({ "privacy": { "sharesLastSeen": false } })).await;
    drop(by_alice);
    let gone = until_gone(&server, &mut looks, &alice).await;
    assert_eq!(gone, json!({ "status": "OFFLINE", "lastSeenAt": null, "customStatus": null }));
    assert!(presence_of(&alice, &alice).await["lastSeenAt"].is_string(), "she sees it herself");
}

#[tokio::test]
async fn somebody_is_here_while_a_socket_is_open() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let mallory = server.register("mallory").await;
    let mut by_bob = bob.socket().await;
    let mut looks = by_bob.run(LOOK, json!({ "ids": [alice.id, bob.id, alice.id] }));
    let gone = json!({ "status": "OFFLINE", "lastSeenAt": null, "customStatus": null });
    let here = json!({ "status": "ONLINE", "lastSeenAt": null, "customStatus": null });
    assert_eq!(looked(&mut looks).await, json!({ "alice": gone, "bob": here }));

    let by_alice = come(&alice).await;
    assert_eq!(looked(&mut looks).await, json!({ "alice": here }));
    assert_eq!(presence_of(&alice, &bob).await, here);
    // Who shares nothing with them sees nobody.
    assert_eq!(presence_of(&bob, &mallory).await, gone);
    assert_eq!(presence_of(&bob, &alice).await, here);

    // A second tab, and a reload, are no news.
    let second = come(&alice).await;
    drop(by_alice);
    server.clock.advance(TimeDelta::seconds(40));
    drop(second);
    server.clock.advance(TimeDelta::seconds(20));
    let again = come(&alice).await;
    server.clock.advance(TimeDelta::seconds(60));
    assert_eq!(presence_of(&alice, &bob).await, here);

    let left = server.clock.now();
    drop(again);
    let seen = until_gone(&server, &mut looks, &alice).await;
    assert_eq!(seen["status"], "OFFLINE");
    let last_seen = instant(&seen["lastSeenAt"]);
    let is_when_they_left = left <= last_seen && last_seen <= server.clock.now() - TimeDelta::seconds(30);
    assert!(is_when_they_left, "{left} {last_seen}");
    assert_eq!(presence_of(&alice, &bob).await, seen);
    assert_eq!(presence_of(&alice, &mallory).await, gone);
}

#[tokio::test]
async fn who_signs_out_goes_at_once() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let (mut by_bob, _by_alice) = (bob.socket().await, alice.socket().await);
    wait_until(async || presence_of(&alice, &bob).await["status"] == "ONLINE").await;
    let mut looks = look(&mut by_bob, &[&alice]).await;
    alice.query("mutation { logout { sessionId } }").await.data("logout");
    assert_eq!(looked(&mut looks).await["alice"]["status"], "OFFLINE");
}

#[tokio::test]
async fn one_says_how_present_one_wants_to_look() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let choose = async |status: &str| {
        let mutation = "mutation($status: PresenceStatus!) { setPresence(input: { status: $status }) { user { presence { status } } } }";
        alice.ask(mutation, json!({ "status": status })).await
    };
    // Nothing would hold it.
    assert_eq!(choose("BUSY").await.code(), "FAILED_PRECONDITION");
    let (mut by_bob, by_alice) = (bob.socket().await, alice.socket().await);
    wait_until(async || presence_of(&alice, &bob).await["status"] == "ONLINE").await;
    let mut looks = look(&mut by_bob, &[&alice]).await;
    for status in ["BUSY", "AWAY", "ONLINE"] {
        let chosen = choose(status).await.data("setPresence");
        assert_eq!(chosen["user"]["presence"]["status"], status);
        assert_eq!(
            looked(&mut looks).await["alice"],
            json!({ "status": status, "lastSeenAt": null, "customStatus": null })
        );
    }
    let looked_away = server.clock.now();
    choose("OFFLINE").await.data("setPresence");
    let away = looked(&mut looks).await["alice"].clone();
    assert_eq!(away["status"], "OFFLINE");
    assert!(instant(&away["lastSeenAt"]) >= looked_away, "like somebody who has just gone");
    // Going for real then shows nothing of it.
    server.clock.advance(TimeDelta::minutes(6));
    drop(by_alice);
    wait_until(async || {
        server.clock.advance(TimeDelta::seconds(5));
        choose("OFFLINE").await.0["errors"][0]["extensions"]["code"] == "FAILED_PRECONDITION"
    })
    .await;
    assert_eq!(presence_of(&alice, &bob).await, away);
}

#[tokio::test]
async fn a_custom_status_ends_by_itself() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let mallory = server.register("mallory").await;
    let mut by_bob = bob.socket().await;
    let mut looks = look(&mut by_bob, &[&alice]).await;
    let set = async |input: Value| alice.ask(SET, json!({ "input": input })).await;
    let end = (server.clock.now() + TimeDelta::hours(1)).to_rfc3339();
    let answer = set(json!({ "text": " At lunch ", "emoji": "❤", "expiresAt": end })).await.data("setCustomStatus");
    let status = answer["user"]["presence"]["customStatus"].clone();
    assert_eq!((&status["text"], &status["emoji"]), (&json!("At lunch"), &json!("❤\u{fe0f}")));
    assert_eq!(looked(&mut looks).await["alice"]["customStatus"], status);
    assert_eq!(presence_of(&alice, &mallory).await["customStatus"], Value::Null);
    server.clock.advance(TimeDelta::hours(1));
    let bob = Actor::log_in(server.address, "bob").await;
    assert_eq!(presence_of(&alice, &bob).await["customStatus"], Value::Null);

    let alice = Actor::log_in(server.address, "alice").await;
    let set = async |input: Value| alice.ask(SET, json!({ "input": input })).await;
    set(json!({ "text": "Back" })).await.data("setCustomStatus");
    let wrong = set(json!({ "text": "x".repeat(101), "emoji": "two 👍", "expiresAt": "2020-01-01T00:00:00Z" })).await;
    assert_eq!(wrong.wrong_fields(), ["input.text TOO_LONG", "input.emoji BAD_FORMAT", "input.expiresAt NOT_ALLOWED"]);
    assert_eq!(presence_of(&alice, &bob).await["customStatus"]["text"], "Back");
    set(json!({})).await.data("setCustomStatus");
    assert_eq!(presence_of(&alice, &bob).await["customStatus"], Value::Null);
}

#[tokio::test]
async fn many_who_come_at_once_are_few_deliveries() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut people = Vec::new();
    for number in 0..40 {
        people.push(server.register(&format!("person-{number}")).await);
    }
    alice.private_channel("Room", &people.iter().collect::<Vec<_>>()).await;
    let mut by_alice = alice.socket().await;
    let mut looks = look(&mut by_alice, &people.iter().collect::<Vec<_>>()).await;
    let begun = std::time::Instant::now();
    let _sockets = futures_util::future::join_all(people.iter().map(Actor::socket)).await;
    let (mut online, mut deliveries) = (0, 0);
    while online < people.len() {
        online += looked(&mut looks).await.as_object().unwrap().len();
        deliveries += 1;
    }
    assert_eq!(online, people.len(), "each once");
    // Changes are gathered for half a second.
    assert!(deliveries <= 1 + begun.elapsed().as_millis() / 500, "{deliveries} deliveries");
}

#[tokio::test]
async fn who_is_here_is_noted_in_one_statement_for_all() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let _sockets = (alice.socket().await, bob.socket().await);
    wait_until(async || server.app.realtime.presences.present().len() == 2).await;
    let (statements, ()) = server
        .statements(async {
            server.clock.advance(TimeDelta::minutes(5));
            wait_until(async || server.database.count("SELECT count(*) FROM presences").await == 2).await;
        })
        .await;
    assert_eq!(statements.iter().filter(|sql| sql.contains("presences")).count(), 1, "{statements:?}");
}

#[tokio::test]
async fn a_server_that_stops_notes_who_was_here_and_one_that_died_leaves_nobody_online() {
    let mut server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let _socket = alice.socket().await;
    wait_until(async || presence_of(&alice, &bob).await["status"] == "ONLINE").await;
    // What is known of her dies with the server: another one, as after a crash, knows nothing of it.
    let another = server.another().await;
    let unknown = json!({ "status": "OFFLINE", "lastSeenAt": null, "customStatus": null });
    assert_eq!(presence_of(&alice, &bob.at(another.address)).await, unknown);
    server.stop().await;
    assert!(presence_of(&alice, &bob.at(another.address)).await["lastSeenAt"].is_string());
}

#[tokio::test]
async fn who_shares_nothing_any_more_is_shown_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let (_by_alice, mut by_bob) = (alice.socket().await, bob.socket().await);
    wait_until(async || presence_of(&alice, &bob).await["status"] == "ONLINE").await;
    let mut looks = by_bob.run(LOOK, json!({ "ids": [alice.id] }));
    assert_eq!(looked(&mut looks).await["alice"]["status"], "ONLINE");
    bob.leave(&channel).await;
    server.clock.advance(TimeDelta::minutes(5));
    assert_eq!(
        looked(&mut looks).await["alice"],
        json!({ "status": "OFFLINE", "lastSeenAt": null, "customStatus": null })
    );
}

#[tokio::test]
async fn who_left_before_the_clock_leapt_was_last_here_when_they_left() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let (by_alice, mut by_bob) = (alice.socket().await, bob.socket().await);
    wait_until(async || presence_of(&alice, &bob).await["status"] == "ONLINE").await;
    let mut looks = look(&mut by_bob, &[&alice]).await;
    drop(by_alice);
    // Far enough that who is here is due to be noted, and she to be gone, at the same moment.
    let seen = until_gone_by(&server, &mut looks, &alice, TimeDelta::minutes(6)).await;
    let last_seen = instant(&seen["lastSeenAt"]);
    assert!(last_seen <= server.clock.now() - TimeDelta::seconds(30), "{last_seen}");
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nobody_here() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let (by_alice, mut by_bob) = (alice.socket().await, bob.socket().await);
    wait_until(async || presence_of(&alice, &bob).await["status"] == "ONLINE").await;
    let mut looks = look(&mut by_bob, &[&alice]).await;
    drop(by_alice);
    let seen = until_gone_by(&server, &mut looks, &alice, TimeDelta::minutes(-6)).await;
    assert_eq!(seen["status"], "OFFLINE");
}

#[tokio::test]
async fn who_looks_sees_a_custom_status_end() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.private_channel("Room", &[&bob]).await;
    let mut by_bob = bob.socket().await;
    let mut looks = look(&mut by_bob, &[&alice]).await;
    let end = server.clock.now() + TimeDelta::minutes(1);
    let input = json!({ "text": "At lunch", "expiresAt": end.to_rfc3339() });
    alice.ask(SET, json!({ "input": input })).await.data("setCustomStatus");
    assert_eq!(looked(&mut looks).await["alice"]["customStatus"]["text"], "At lunch");
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(looked(&mut looks).await["alice"]["customStatus"], Value::Null);
}

#[tokio::test]
async fn a_custom_status_ends_in_a_year_that_can_be_written() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let set = async |end: &str| alice.ask(SET, json!({ "input": { "text": "Away", "expiresAt": end } })).await;
    let wrong = set("9999-12-31T23:59:59-01:00").await.wrong_fields();
    assert_eq!(wrong, ["input.expiresAt BAD_FORMAT"]);
    let last = "9999-12-31T23:59:59.999Z";
    assert_eq!(set(last).await.data("setCustomStatus")["user"]["presence"]["customStatus"]["expiresAt"], last);
}

#[tokio::test]
async fn who_comes_to_share_something_or_nothing_any_more_is_seen_so_at_once() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Room").await;
    let (mut by_alice, mut by_bob) = (alice.socket().await, bob.socket().await);
    wait_until(async || server.app.realtime.presences.present().len() == 2).await;
    let (mut alice_looks, mut bob_looks) = (look(&mut by_alice, &[&bob]).await, look(&mut by_bob, &[&alice]).await);
    bob.join(&channel).await;
    assert_eq!(looked(&mut alice_looks).await["bob"]["status"], "ONLINE");
    assert_eq!(looked(&mut bob_looks).await["alice"]["status"], "ONLINE");
    let leave = "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) { conversationId } }";
    bob.ask(leave, json!({ "id": channel })).await.data("leaveConversation");
    assert_eq!(looked(&mut alice_looks).await["bob"]["status"], "OFFLINE");
    assert_eq!(looked(&mut bob_looks).await["alice"]["status"], "OFFLINE");
}

#[tokio::test]
async fn who_looks_waits_for_a_database_that_is_gone_and_is_told_the_latest_once() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Room", &[&bob, &carol]).await;
    let (mut by_alice, mut by_bob) = (come(&alice).await, come(&bob).await);
    let mut looks = look(&mut by_bob, &[&alice, &carol]).await;
    let mut hears = hear(&mut by_bob, &channel).await;
    // The client that says so stays connected.
    let reachable = async |is_reachable: bool| {
        let name = &server.database.name;
        let allow = format!("UPDATE pg_database SET datallowconn = {is_reachable} WHERE datname = '{name}'");
        server.database.rows(&allow).await;
        let others = format!("FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()");
        server.database.rows(&format!("SELECT pg_terminate_backend(pid) {others}")).await;
    };
    reachable(false).await;
    let choose = "mutation($status: PresenceStatus!) { setPresence(input: { status: $status }) { user { id } } }";
    for status in ["BUSY", "AWAY", "BUSY", "AWAY"] {
        // It is chosen, and cannot be shown.
        let answer = by_alice.run(choose, json!({ "status": status })).message().await;
        assert_eq!(answer["payload"]["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
    }
    reachable(true).await;
    let news = looked(&mut looks).await;
    assert_eq!(news, json!({ "alice": { "status": "AWAY", "lastSeenAt": null, "customStatus": null } }));
    types(&alice, &channel, json!({})).await;
    assert_eq!(only_signal(&mut hears).await["user"]["username"], "alice");
}

#[tokio::test]
async fn the_directory_is_filtered_and_ordered_by_what_the_viewer_sees() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Room", &[&bob, &carol]).await;
    let mallory = server.register("mallory").await;
    let sockets = (alice.socket().await, bob.socket().await, mallory.socket().await);
    wait_until(async || server.app.realtime.presences.present().len() == 3).await;
    let query = "query($filter: UserFilter, $order: UserOrder) { users(filter: $filter, orderBy: $order) { nodes { username } } }";
    let found = async |viewer: &Actor, statuses: &[&str]| {
        let answer = viewer.ask(query, json!({ "filter": { "statuses": statuses } })).await.data("users");
        usernames(&answer)
    };
    assert_eq!(found(&alice, &["ONLINE", "BUSY"]).await, ["alice", "bob"]);
    assert_eq!(found(&alice, &["OFFLINE"]).await, ["carol", "mallory"]);
    assert_eq!(found(&alice, &["OFFLINE", "ONLINE"]).await, ["alice", "bob", "carol", "mallory"]);
    assert_eq!(found(&alice, &["AWAY"]).await, Vec::<String>::new());
    assert_eq!(found(&alice, &[]).await, Vec::<String>::new());
    assert_eq!(found(&mallory, &["ONLINE"]).await, ["mallory"]);
    let members = "query($id: ID!, $filter: MemberFilter) { conversation(id: $id) { members(filter: $filter) { nodes { user { username } } } } }";
    for (statuses, expected) in [(["ONLINE"], vec!["alice", "bob"]), (["OFFLINE"], vec!["carol"])] {
        let variables = json!({ "id": channel, "filter": { "statuses": statuses } });
        let answer = alice.ask(members, variables).await.data("conversation")["members"]["nodes"].clone();
        let found: Vec<_> = answer.as_array().unwrap().iter().map(|node| node["user"]["username"].clone()).collect();
        assert_eq!(found, expected);
    }

    for (who, minutes) in [(&bob, 0), (&alice, 1), (&mallory, 2)] {
        server.clock.advance(TimeDelta::minutes(minutes));
        who.query("mutation { setPresence(input: { status: OFFLINE }) { user { id } } }").await.data("setPresence");
    }
    let latest = async |viewer: &Actor, direction: &str| {
        let order = json!({ "field": "LAST_SEEN", "direction": direction });
        usernames(&viewer.ask(query, json!({ "order": order })).await.data("users"))
    };
    // Carol was never here, and mallory is nobody to alice.
    assert_eq!(latest(&alice, "DESC").await, ["alice", "bob"]);
    assert_eq!(latest(&alice, "ASC").await, ["bob", "alice"]);
    bob.prefer(json!({ "privacy": { "sharesLastSeen": false } })).await;
    assert_eq!(latest(&alice, "DESC").await, ["alice"]);
    assert_eq!(latest(&bob, "DESC").await, ["alice", "bob"]);
    drop(sockets);
}

#[tokio::test]
async fn looking_at_the_wrong_ids_is_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut socket = alice.socket().await;
    let bad = Ended::Error("BAD_USER_INPUT".into());
    assert_eq!(socket.run(LOOK, json!({ "ids": ["chan_00000000000000000000000000"] })).end().await, bad);
    assert_eq!(socket.run(LOOK, json!({ "ids": vec![alice.id.clone(); 101] })).end().await, bad);
    // Who does not exist is left out.
    let mut looks = socket.run(LOOK, json!({ "ids": ["user_00000000000000000000000000", alice.id] }));
    assert_eq!(looked(&mut looks).await.as_object().unwrap().keys().collect::<Vec<_>>(), ["alice"]);
    assert_eq!(
        server.anonymous().socket().await.run(LOOK, json!({ "ids": [] })).end().await,
        Ended::Error("UNAUTHENTICATED".into())
    );
}

// Steps.

/// Somebody's presence, as another one sees it.
async fn presence_of(user: &Actor, viewer: &Actor) -> Value {
    let query = "query($id: ID!) { user(by: { id: $id }) { presence { status lastSeenAt customStatus { text emoji expiresAt } } } }";
    viewer.ask(query, json!({ "id": user.id })).await.data("user")["presence"].clone()
}

async fn types(actor: &Actor, channel: &str, more: Value) -> Value {
    let mut input = json!({ "conversationId": channel });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    actor.ask(TYPE, json!({ "input": input })).await.data("setTyping")["expiresAt"].clone()
}

async fn block(blocker: &Actor, blocked: &Actor) {
    let block = "mutation($id: ID!) { blockUser(input: { userId: $id }) { user { id } } }";
    blocker.ask(block, json!({ "id": blocked.id })).await.data("blockUser");
}

async fn reads(actor: &Actor, channel: &str, seq: &Value) {
    let mark = "mutation($id: ID!, $seq: Int) { markConversationRead(input: { conversationId: $id, seq: $seq }) { viewerState { id } } }";
    actor.ask(mark, json!({ "id": channel, "seq": seq })).await.data("markConversationRead");
}

/// Opens a socket, from when the server has taken it in.
async fn come(actor: &Actor) -> Socket {
    let mut socket = actor.socket().await;
    socket.run("{ viewer { id } }", json!({})).next().await;
    socket
}

/// Hears what passes in a conversation, from when the stream is live.
async fn hear(socket: &mut Socket, channel: &str) -> Stream {
    let mut stream = socket.run(HEAR, json!({ "id": channel }));
    assert_eq!(stream.next().await["conversationSignals"]["signals"], json!([]));
    stream
}

async fn signals(stream: &mut Stream) -> Vec<Value> {
    stream.next().await["conversationSignals"]["signals"].as_array().unwrap().clone()
}

async fn only_signal(stream: &mut Stream) -> Value {
    let signals = signals(stream).await;
    assert_eq!(signals.len(), 1, "{signals:?}");
    signals[0].clone()
}

/// Looks at people, from when the stream is live.
async fn look(socket: &mut Socket, people: &[&Actor]) -> Stream {
    let mut stream = socket.run(LOOK, json!({ "ids": people.iter().map(|person| &person.id).collect::<Vec<_>>() }));
    assert_eq!(looked(&mut stream).await.as_object().unwrap().len(), people.len());
    stream
}

/// The next delivery: presences by handle.
async fn looked(stream: &mut Stream) -> Value {
    let batch = stream.next().await["presences"]["users"].clone();
    let users = batch.as_array().unwrap();
    users.iter().map(|user| (user["username"].as_str().unwrap().to_owned(), user["presence"].clone())).collect()
}

/// Lets time pass until somebody is seen to have gone: when the server notices a closed socket is its own affair.
async fn until_gone(server: &TestServer, looks: &mut Stream, user: &Actor) -> Value {
    until_gone_by(server, looks, user, TimeDelta::seconds(5)).await
}

/// The same in strides of one's own.
async fn until_gone_by(server: &TestServer, looks: &mut Stream, user: &Actor, stride: TimeDelta) -> Value {
    let delivery = async {
        let mut delivery = looked(looks).await;
        delivery[&user.name].take()
    };
    let passing = async {
        loop {
            server.clock.advance(stride);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        presence = delivery => presence,
        () = passing => unreachable!(),
    }
}

async fn wait_until(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), waiting).await.expect("it never holds");
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("no instant: {value}")).parse().unwrap()
}

const HEAR: &str = "subscription($id: ID!) { conversationSignals(conversationId: $id) { signals { __typename occurredAt
    user { username } ... on TypingSignal { threadRootId expiresAt } ... on ReadSignal { member { id lastReadSeq } } } } }";
const LOOK: &str = "subscription($ids: [ID!]!) { presences(userIds: $ids) { users { username presence {
    status lastSeenAt customStatus { text emoji expiresAt } } } } }";
const TYPE: &str = "mutation($input: SetTypingInput!) { setTyping(input: $input) { expiresAt } }";
const SET: &str = "mutation($input: SetCustomStatusInput!) { setCustomStatus(input: $input) { user { presence {
    customStatus { text emoji expiresAt } } } } }";
