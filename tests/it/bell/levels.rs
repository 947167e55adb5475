//! For what somebody wants to be told: in a conversation, where it says nothing else, and while they look at it.

use futures_util::future::join;
use serde_json::json;

use super::{at, keep, kinds, mark, reply};
use crate::harness::{Actor, TestServer};

#[tokio::test]
async fn the_level_of_a_conversation_counts_and_else_the_default() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    mark(&bob, json!({ "conversationId": channel })).await;
    let rings = async |content: &str| {
        let before = kinds(&bob).await;
        alice.say(&channel, content).await;
        let after = kinds(&bob).await;
        after.strip_suffix(&before).unwrap().trim().to_owned()
    };
    let level = async |level: serde_json::Value| keep(&bob, &channel, json!({ "notificationLevel": level })).await;
    let default = async |level: &str| bob.prefer(json!({ "notifications": { "defaultLevel": level } })).await;
    let named = at(&bob);
    assert_eq!((rings("Hi").await.as_str(), rings(&named).await.as_str()), ("", "MENTION"));
    level(json!("ALL")).await;
    assert_eq!((rings("Hi").await.as_str(), rings(&named).await.as_str()), ("MESSAGE", "MENTION"));
    level(json!("NONE")).await;
    assert_eq!((rings("Hi").await.as_str(), rings(&named).await.as_str()), ("", ""));
    default("ALL").await;
    assert_eq!(rings("Hi").await, "");
    level(json!(null)).await;
    assert_eq!(rings("Hi").await, "MESSAGE");
    default("NONE").await;
    assert_eq!((rings("Hi").await.as_str(), rings(&named).await.as_str()), ("", ""));
    default("ALL").await;
    let until = server.clock.now() + chrono::TimeDelta::hours(1);
    keep(&bob, &channel, json!({ "mutedUntil": until.to_rfc3339() })).await;
    assert_eq!((rings("Hi").await.as_str(), rings(&named).await.as_str()), ("", ""));
    server.clock.advance(chrono::TimeDelta::hours(2));
    let (alice, bob) = (Actor::log_in(server.address, "alice").await, Actor::log_in(server.address, "bob").await);
    let before = kinds(&bob).await;
    alice.say(&channel, "Hi").await;
    assert_eq!(kinds(&bob).await, format!("MESSAGE {before}"));
}

/// What holds for a seat is kept in it, so that who hears everything is found by index.
#[tokio::test]
async fn a_default_holds_for_seats_that_are_there_and_those_to_come() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (before, other) = (alice.public_channel("before").await, alice.public_channel("other").await);
    bob.join(&before).await;
    bob.join(&other).await;
    keep(&bob, &other, json!({ "notificationLevel": "MENTIONS" })).await;
    bob.prefer(json!({ "notifications": { "defaultLevel": "ALL" } })).await;
    let after = alice.public_channel("after").await;
    bob.join(&after).await;
    for channel in [&before, &other, &after] {
        alice.say(channel, "Hi").await;
    }
    assert_eq!(kinds(&bob).await, "MESSAGE MESSAGE");
    // A seat that is taken again begins as a new one.
    bob.leave(&other).await;
    bob.join(&other).await;
    alice.say(&other, "Hi").await;
    assert_eq!(kinds(&bob).await, "MESSAGE MESSAGE MESSAGE");
}

#[tokio::test]
async fn a_default_that_changes_while_somebody_joins_holds_there_too() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for round in 0..12 {
        let level = if round % 2 == 0 { "ALL" } else { "NONE" };
        let channel = alice.private_channel(&format!("number {round}"), &[]).await;
        let choose = bob.prefer(json!({ "notifications": { "defaultLevel": level } }));
        join(choose, alice.add(&channel, &[&bob], "MEMBER")).await;
        let wrong = "SELECT count(*) FROM conversation_members JOIN preferences USING (user_id)
            WHERE level_in_force <> coalesce(notification_level, default_level)";
        assert_eq!(server.database.count(wrong).await, 0, "round {round}");
    }
}

#[tokio::test]
async fn whoever_has_it_open_sees_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    let root = alice.say(&channel, &at(&bob)).await;
    assert_eq!(kinds(&bob).await, "ADDED");
    // Of another conversation, and of a thread, they see nothing there.
    let two = alice.direct_with(&[&bob]).await;
    alice.say(&two, "Hi").await;
    reply(&alice, &channel, &root, &at(&bob)).await;
    assert_eq!(kinds(&bob).await, "MENTION DIRECT_MESSAGE ADDED");
    // Who says that they are elsewhere does not look.
    let away = "mutation { setPresence(input: { status: AWAY }) { user { id } } }";
    let answer = bob.query(away).await;
    assert!(answer.0.get("errors").is_none(), "{}", answer.0);
    alice.say(&channel, &at(&bob)).await;
    assert_eq!(kinds(&bob).await, "MENTION MENTION DIRECT_MESSAGE ADDED");
    bob.query("mutation { setPresence(input: { status: ONLINE }) { user { id } } }").await;
    drop((socket, log));
    // The server hears of it a moment later.
    for _ in 0..100 {
        alice.say(&channel, &at(&bob)).await;
        if kinds(&bob).await.starts_with("MENTION MENTION MENTION") {
            return;
        }
    }
    panic!("who has closed it still looks at it");
}
