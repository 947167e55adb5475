//! Threads that somebody has something to do with.

use serde_json::{Value, json};

use super::client::{Client, boot};
use super::remove;
use crate::harness::{Actor, TestServer};

const FOLLOW: &str = "mutation($id: ID!) { followThread(input: { messageId: $id }) { thread { id } } }";
const READ: &str = "mutation($id: ID!) { markThreadRead(input: { messageId: $id }) { thread { id } } }";

async fn reply(by: &Actor, conversation: &str, root: &Value) -> Value {
    by.write(json!({ "conversationId": conversation, "content": "Yes", "threadRootId": root })).await
}

/// The thread is as the viewer keeps it.
async fn until(client: &mut Client, replies: u64, unread: u64) -> Value {
    loop {
        let event = client.until("ThreadChangedEvent").await;
        let thread = &event["thread"];
        if (&thread["replyCount"], &thread["viewerState"]["unreadCount"]) == (&json!(replies), &json!(unread)) {
            return event;
        }
    }
}

#[tokio::test]
async fn those_who_follow_hear_of_replies_and_of_what_they_read_elsewhere() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Room", &[&bob, &carol]).await;
    let root = alice.say(&channel, "What?").await["id"].clone();
    bob.ask(FOLLOW, json!({ "id": root })).await.data("followThread");
    let (mut follower, mut other) = (Client::start(&bob).await, Client::start(&carol).await);
    follower.catch_up().await;
    other.catch_up().await;
    reply(&alice, &channel, &root).await;
    assert_eq!(until(&mut follower, 1, 1).await["unread"]["threadCount"], 1);
    bob.ask(READ, json!({ "id": root })).await.data("markThreadRead");
    assert_eq!(until(&mut follower, 1, 0).await["unread"]["threadCount"], 0);
    // Who has nothing to do with it hears of the next message, and of no thread before it.
    alice.say(&channel, "Well").await;
    while other.until("InboxChangedEvent").await["conversation"]["lastMessage"]["content"] != "Well" {}
    assert!(!other.heard.iter().any(|kind| kind == "ThreadChangedEvent"), "{:?}", other.heard);
}

#[tokio::test]
async fn whoever_was_away_is_told_of_their_threads_where_they_are_members() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (stays, left) = (alice.private_channel("Stays", &[&bob]).await, alice.private_channel("Left", &[&bob]).await);
    let roots = [alice.say(&stays, "Here?").await["id"].clone(), alice.say(&left, "There?").await["id"].clone()];
    for root in &roots {
        bob.ask(FOLLOW, json!({ "id": root })).await.data("followThread");
    }
    let (kept, cursor) = boot(&bob).await;
    reply(&alice, &stays, &roots[0]).await;
    reply(&alice, &left, &roots[1]).await;
    remove(&alice, &left, &bob).await;
    let mut client = Client::resume(&bob, kept, cursor).await;
    let mut threads = Vec::new();
    loop {
        let batch = client.next().await;
        let events = batch["events"].as_array().unwrap().iter();
        threads.extend(events.filter(|event| event["__typename"] == "ThreadChangedEvent").cloned());
        if batch["isCaughtUp"] == true {
            break;
        }
    }
    assert_eq!(threads.len(), 1, "{threads:?}");
    assert_eq!((&threads[0]["thread"]["replyCount"], &threads[0]["unread"]["threadCount"]), (&json!(1), &json!(1)));
}
