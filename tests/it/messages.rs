//! Writing, changing, deleting and following messages.

use serde_json::json;

use crate::harness::{Ended, TestServer};

#[tokio::test]
async fn a_message_goes_from_keyboard_to_socket() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Release planning").await;
    bob.join(&channel).await;
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    let first = log.batch().await;
    assert_eq!(first, json!({ "seq": 2, "isCaughtUp": true, "hasGap": false, "events": [] }));

    let sent = alice.say(&channel, "Hello, Bob").await;
    let batch = log.batch().await;
    assert_eq!(batch["seq"], 3);
    let event = &batch["events"][0];
    assert_eq!(event["__typename"], "MessageSentEvent");
    assert_eq!(event["actor"]["username"], "alice");
    assert_eq!(event["message"]["id"], sent["id"]);
    assert_eq!(event["message"]["content"], "Hello, Bob");

    alice
        .ask("mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { seq } }", json!({ "id": sent["id"] }))
        .await
        .data("deleteMessage");
    let batch = log.batch().await;
    assert_eq!(batch["events"][0]["messages"][0]["content"], json!(null));
    let _ = Ended::Complete;
}
