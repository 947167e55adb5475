//! Resuming, wherever and whenever.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use futures_util::future::join;
use serde_json::{Value, json};

use super::client::{Client, Kept, boot, catch_up_query, listen_query};
use super::{RENAME, mark_read, remove};
use crate::harness::{Actor, Ended, TestServer};

#[tokio::test]
async fn nothing_falls_between_a_query_and_the_stream() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let mut channels = Vec::new();
    for name in ["One", "Two", "Three"] {
        channels.push(alice.private_channel(name, &[&bob]).await);
    }
    let is_over = AtomicBool::new(false);
    let talk = async {
        for number in 0.. {
            alice.say(&channels[number % 3], &number.to_string()).await;
            alice.ask(RENAME, json!({ "name": number.to_string() })).await;
            if is_over.load(Ordering::SeqCst) {
                return;
            }
        }
    };
    let listen = async {
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(Client::start(&bob).await);
        }
        is_over.store(true, Ordering::SeqCst);
        clients
    };
    let ((), clients) = join(talk, listen).await;
    for mut client in clients {
        client.converge(&bob).await;
    }
}

/// What happens to somebody while they are away.
async fn meanwhile(alice: &Actor, bob: &Actor, left: &str, stays: &str) -> String {
    alice.say(stays, "meanwhile").await;
    mark_read(bob, stays).await;
    alice.say(stays, "and later").await;
    remove(alice, left, bob).await;
    alice.say(left, "among us").await;
    bob.prefer(json!({ "theme": "DARK" })).await;
    alice.private_channel("New", &[bob]).await
}

#[tokio::test]
async fn a_stream_is_resumed_on_another_server_and_after_a_restart() {
    let mut server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let again = Actor::log_in(server.address, "bob").await;
    let (left, stays) = (alice.private_channel("Left", &[&bob]).await, alice.private_channel("Stays", &[&bob]).await);
    server.database.settle().await;
    let mut client = Client::start(&bob).await;
    client.catch_up().await;
    let (kept, cursor) = (client.kept, client.cursor);
    server.stop().await;
    let other = server.another().await;
    let (alice, bob) = (alice.at(other.address), bob.at(other.address));
    let new = meanwhile(&alice, &bob, &left, &stays).await;
    again.at(other.address).query("mutation { logout { sessionId } }").await.data("logout");
    let mut client = Client::resume(&bob, kept, cursor).await;
    client.catch_up().await;
    assert_eq!(client.kept, boot(&bob).await.0);
    assert!(client.kept.rows.contains_key(&new) && !client.kept.rows.contains_key(&left));
    let heard: BTreeSet<_> = client.heard.iter().map(String::as_str).collect();
    let all = [
        "ConversationAddedEvent",
        "ConversationRemovedEvent",
        "InboxChangedEvent",
        "NotificationAddedEvent",
        "NotificationsChangedEvent",
        "SessionRevokedEvent",
        "ViewerChangedEvent",
    ];
    assert_eq!(heard, BTreeSet::from(all));
    // It goes on from there.
    alice.say(&stays, "live").await;
    client.converge(&bob).await;
}

#[tokio::test]
async fn who_was_cut_off_at_any_moment_misses_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (one, two) = (alice.private_channel("One", &[&bob]).await, alice.private_channel("Two", &[&bob]).await);
    let (mut kept, mut cursor) = boot(&bob).await;
    for number in 0..12 {
        let mut client = Client::resume(&bob, kept, cursor).await;
        // What waits for the second to be over is not told yet when the stream is cut.
        alice.say(&one, &format!("one {number}")).await;
        alice.say(&one, &format!("another {number}")).await;
        client.next().await;
        alice.say(&two, &format!("two {number}")).await;
        mark_read(&bob, &one).await;
        if number % 2 == 0 {
            client.next().await;
        }
        (kept, cursor) = (client.kept, client.cursor);
    }
    Client::resume(&bob, kept, cursor).await.converge(&bob).await;
}

#[tokio::test]
async fn a_stream_survives_a_listening_connection_that_dies() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (left, stays) = (alice.private_channel("Left", &[&bob]).await, alice.private_channel("Stays", &[&bob]).await);
    let mut client = Client::start(&bob.at(other.address)).await;
    client.catch_up().await;
    for _ in 0..2 {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        server.database.execute(end).await;
        alice.say(&stays, "after the fall").await;
        bob.prefer(json!({ "theme": "DARK" })).await;
        client.converge(&bob).await;
    }
    remove(&alice, &left, &bob).await;
    alice.private_channel("New", &[&bob]).await;
    client.converge(&bob).await;
}

#[tokio::test]
async fn what_was_read_in_a_thread_is_told_live_and_on_resuming() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let root = bob.say(&channel, "Lunch?").await["id"].clone();
    let reply = json!({ "conversationId": channel, "threadRootId": root, "content": "At noon?" });
    let mut client = Client::start(&bob).await;
    for (step, unread) in [("followThread", 0), ("", 1), ("markThreadRead", 0), ("", 1), ("unfollowThread", 0)] {
        if step.is_empty() {
            alice.write(reply.clone()).await;
        } else {
            let mutation =
                format!("mutation($id: ID!) {{ {step}(input: {{ messageId: $id }}) {{ thread {{ id }} }} }}");
            let (kept, cursor) = boot(&bob).await;
            bob.ask(&mutation, json!({ "id": root })).await.data(step);
            let mut away = Client::resume(&bob, kept, cursor).await;
            away.catch_up().await;
            assert_eq!(away.kept, boot(&bob).await.0, "{step}");
        }
        client.converge(&bob).await;
        assert_eq!(client.kept.unread["threadCount"], unread, "{step}");
    }
}

/// A cursor with one of its values changed.
fn changed(cursor: &str, field: &str, to: Value) -> String {
    let mut value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    assert!(value[1].get(field).is_some(), "{value}");
    value[1][field] = to;
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn what_cannot_be_resumed_from_is_a_gap_and_the_stream_goes_on() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let (_, cursor) = boot(&alice).await;
    for unfit in [
        // Another database, another version of ours, one that has been set back since.
        changed(&cursor, "origin", json!(7)),
        changed(&cursor, "version", json!(1)),
        changed(&cursor, "since", json!(i64::MAX)),
        changed(&cursor, "since", json!(-1)),
        // From when not all is kept any more.
        changed(&cursor, "at", json!((server.clock.now() - TimeDelta::days(61)).timestamp_millis())),
        changed(&cursor, "at", json!(i64::MIN)),
    ] {
        let mut socket = alice.socket().await;
        let mut stream = socket.run(&listen_query(), json!({ "after": unfit }));
        let batch = stream.next().await["viewerEvents"].clone();
        let said = (&batch["events"], &batch["hasGap"], &batch["isCaughtUp"]);
        assert_eq!(said, (&json!([]), &json!(true), &json!(true)), "{unfit}");
        alice.say(&channel, "Hi").await;
        let batch = stream.next().await["viewerEvents"].clone();
        assert_eq!((&batch["events"][0]["__typename"], &batch["hasGap"]), (&json!("InboxChangedEvent"), &json!(false)));
        let asked = alice.ask(&catch_up_query(), json!({ "after": unfit, "first": 10 })).await.data("viewer");
        assert_eq!((&asked["events"]["events"], &asked["events"]["hasGap"]), (&json!([]), &json!(true)), "{unfit}");
    }
}

#[tokio::test]
async fn what_is_no_cursor_is_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let of_a_list = URL_SAFE_NO_PAD.encode(json!(["inbox", [0, uuid::Uuid::nil()]]).to_string());
    for text in ["", "nonsense", "AAAA", "chan_7zzzzzzzzzzzzzzzzzzzzzzzzz", of_a_list.as_str(), &"x".repeat(10_000)] {
        let mut socket = alice.socket().await;
        let mut stream = socket.run(&listen_query(), json!({ "after": text }));
        assert_eq!(stream.end().await, Ended::Error("BAD_USER_INPUT".into()), "{text}");
        let asked = alice.ask(&catch_up_query(), json!({ "after": text, "first": 10 })).await;
        assert_eq!(asked.wrong_fields(), ["after BAD_FORMAT"]);
    }
    let (_, cursor) = boot(&alice).await;
    for first in [-1, 101] {
        let asked = alice.ask(&catch_up_query(), json!({ "after": cursor, "first": first })).await;
        assert_eq!(asked.wrong_fields(), ["first OUT_OF_RANGE"]);
    }
    let mut socket = server.anonymous().socket().await;
    let mut stream = socket.run(&listen_query(), json!({ "after": cursor }));
    assert_eq!(stream.end().await, Ended::Error("UNAUTHENTICATED".into()));
}

/// More than a stream replays.
#[tokio::test]
async fn who_was_away_for_too_long_is_told_so() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (kept, cursor) = boot(&alice).await;
    assert_eq!(kept, Kept { me: kept.me.clone(), unread: kept.unread.clone(), ..Kept::default() });
    seat_in_many(&server, 1_001).await;
    let mut socket = alice.socket().await;
    let mut stream = socket.run(&listen_query(), json!({ "after": cursor }));
    assert_eq!(stream.next().await["viewerEvents"]["hasGap"], true);
}

/// Makes everybody a member of so many channels, all by one transaction.
pub async fn seat_in_many(server: &TestServer, count: usize) {
    let sql = format!(
        "CREATE TEMP TABLE more AS SELECT n, gen_random_uuid() AS id FROM generate_series(1, {count}) n;
         INSERT INTO conversations (id, kind, last_seq, last_activity_at, member_count, version, created_at, updated_at)
             SELECT id, 'CHANNEL', 1, now(), 1, 1, now(), now() FROM more;
         INSERT INTO channels (conversation_id, name, slug, visibility, posting_role, position)
             SELECT id, 'Channel ' || n, 'channel-' || n, 'PUBLIC', 'GUEST', n FROM more;
         INSERT INTO conversation_members (conversation_id, user_id, id, role, joined_at, last_read_seq, last_read_no)
             SELECT more.id, users.id, gen_random_uuid(), 'MEMBER', now(), 0, 0 FROM more, users;"
    );
    server.database.execute(&sql).await;
}
