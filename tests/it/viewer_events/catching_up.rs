//! Catching up over HTTP: by the viewer's events, and by the logs of many conversations.

use serde_json::{Value, json};

use super::client::{boot, catch_up_query};
use super::resuming::seat_in_many;
use super::{mark_read, remove};
use crate::harness::TestServer;

#[tokio::test]
async fn pages_tell_what_the_stream_would() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (left, stays) = (alice.private_channel("Left", &[&bob]).await, alice.private_channel("Stays", &[&bob]).await);
    // All rows of one transaction are more than a page.
    let (mut kept, mut cursor) = boot(&bob).await;
    seat_in_many(&server, 25).await;
    alice.say(&stays, "Hi").await;
    mark_read(&bob, &stays).await;
    remove(&alice, &left, &bob).await;
    let mut pages = 0;
    loop {
        let page =
            bob.ask(&catch_up_query(), json!({ "after": cursor, "first": 10 })).await.data("viewer")["events"].clone();
        assert!(page["events"].as_array().unwrap().len() <= 10);
        kept.fold(&page);
        cursor = page["cursor"].as_str().unwrap().to_owned();
        pages += 1;
        if page["isCaughtUp"] == true {
            break;
        }
        // Whatever is written in between comes too.
        alice.say(&stays, "in between").await;
        assert!(pages < 10);
    }
    assert!(pages > 2);
    let rest = bob.ask(&catch_up_query(), json!({ "after": cursor, "first": 100 })).await.data("viewer");
    kept.fold(&rest["events"]);
    assert_eq!(kept, boot(&bob).await.0);
}

#[tokio::test]
async fn the_position_is_known_within_a_sign_in_and_in_any_place() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let sign_in = "mutation { login(input: { identifier: \"alice\", password: \"correct horse battery\" }) {
        viewer { id eventsCursor sidebar { id } } } }";
    let viewer = server.anonymous().query(sign_in).await.data("login")["viewer"].clone();
    let again = alice
        .ask("query($id: ID!) { node(id: $id) { ... on Viewer { eventsCursor } } }", json!({ "id": viewer["id"] }))
        .await;
    assert!(again.data("node")["eventsCursor"].is_string());
    // An empty page leaves off where it began.
    alice.say(&channel, "Hi").await;
    let page =
        alice.ask(&catch_up_query(), json!({ "after": viewer["eventsCursor"], "first": 0 })).await.data("viewer");
    assert_eq!((&page["events"]["cursor"], &page["events"]["isCaughtUp"]), (&viewer["eventsCursor"], &json!(false)));
}

const SINCE: &str = "query($positions: [ConversationPosition!]!, $first: Int! = 20) {
    conversationEventsSince(positions: $positions, firstPerConversation: $first) {
        conversation { id }
        batch { seq isCaughtUp hasGap events { seq __typename ... on MessageSentEvent { message { content author { username } } } } } } }";

fn positions(of: &[(&str, i64)]) -> Value {
    of.iter().map(|(id, after)| json!({ "conversationId": id, "after": after })).collect()
}

#[tokio::test]
async fn the_logs_of_many_conversations_are_caught_up_with_at_once() {
    let server = TestServer::start().await;
    let (alice, bob, mallory) =
        (server.register("alice").await, server.register("bob").await, server.register("mallory").await);
    let mut channels = Vec::new();
    for name in ["One", "Two", "Three", "Four", "Five"] {
        let channel = alice.private_channel(name, &[&bob]).await;
        for number in 0..3 {
            alice.say(&channel, &format!("{name} {number}")).await;
        }
        channels.push(channel);
    }
    let ids: Vec<&str> = channels.iter().map(String::as_str).collect();
    let ask = [(ids[0], 2), (ids[1], 5), (ids[2], 99), (ids[3], 3), (ids[4], 0)];
    let found =
        bob.ask(SINCE, json!({ "positions": positions(&ask), "first": 2 })).await.data("conversationEventsSince");
    let said =
        |at: usize| (&found[at]["batch"]["seq"], &found[at]["batch"]["isCaughtUp"], &found[at]["batch"]["hasGap"]);
    let order: Vec<_> =
        found.as_array().unwrap().iter().map(|one| one["conversation"]["id"].as_str().unwrap()).collect();
    assert_eq!(order, ids);
    assert_eq!(said(0), (&json!(4), &json!(false), &json!(false)));
    assert_eq!(found[0]["batch"]["events"][1]["message"]["content"], "One 1");
    assert_eq!(said(1), (&json!(5), &json!(true), &json!(false)));
    assert_eq!(said(2), (&json!(5), &json!(true), &json!(true)));
    assert_eq!(said(3), (&json!(5), &json!(true), &json!(false)));
    assert_eq!(said(4), (&json!(2), &json!(false), &json!(false)));
    // It is the batch that each conversation would give by itself.
    let alone = "query($id: ID!, $after: Int!) { conversation(id: $id) { events(after: $after, first: 2) {
        seq isCaughtUp hasGap events { seq __typename ... on MessageSentEvent { message { content author { username } } } } } } }";
    for (at, (id, after)) in ask.iter().enumerate() {
        let one = bob.ask(alone, json!({ "id": id, "after": after })).await.data("conversation");
        assert_eq!(one["events"], found[at]["batch"]);
    }
    // Of what is out of sight, or left, nothing comes.
    remove(&alice, ids[4], &bob).await;
    let found = bob.ask(SINCE, json!({ "positions": positions(&ask[3..]) })).await.data("conversationEventsSince");
    assert_eq!(found.as_array().unwrap().len(), 1);
    let found = mallory.ask(SINCE, json!({ "positions": positions(&ask) })).await.data("conversationEventsSince");
    assert_eq!(found, json!([]));
    let (for_one, _) = server.statements(bob.ask(SINCE, json!({ "positions": positions(&ask[..1]) }))).await;
    let (for_four, _) = server.statements(bob.ask(SINCE, json!({ "positions": positions(&ask[..4]) }))).await;
    assert_eq!(for_one.len(), for_four.len(), "{for_four:#?}");
}

#[tokio::test]
async fn wrong_positions_are_named() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let wrong = [(channel.as_str(), 0), ("nonsense", 0), (alice.id.as_str(), 0), (channel.as_str(), 1)];
    let asked = alice.ask(SINCE, json!({ "positions": positions(&wrong), "first": 101 })).await;
    let all = [
        "firstPerConversation OUT_OF_RANGE",
        "positions.1 BAD_FORMAT",
        "positions.2 BAD_FORMAT",
        "positions.3 DUPLICATE",
    ];
    assert_eq!(asked.wrong_fields(), all);
    let many: Vec<_> = (0..101).map(|_| ("chan_00000000000000000000000000", 0)).collect();
    let asked = alice.ask(SINCE, json!({ "positions": positions(&many), "first": 1 })).await;
    assert_eq!(asked.wrong_fields()[0], "positions TOO_MANY");
    let asked = server.anonymous().ask(SINCE, json!({ "positions": [] })).await;
    assert_eq!(asked.code(), "UNAUTHENTICATED");
}
