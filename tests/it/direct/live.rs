//! What passes between the people of a direct conversation, and what each of them sees of the same event.

use serde_json::{Value, json};

use super::people;
use crate::harness::{Actor, Socket, Stream, TestServer};

async fn status(of: &Actor, as_seen_by: &Actor) -> Value {
    let ask = "query($id: ID!) { user(by: { id: $id }) { presence { status } } }";
    as_seen_by.ask(ask, json!({ "id": of.id })).await.data("user")["presence"]["status"].clone()
}

/// A live stream of signals.
async fn hear(by: &Actor, conversation: &str) -> (Socket, Stream) {
    let mut socket = by.socket().await;
    let ask = "subscription($id: ID!) { conversationSignals(conversationId: $id) { signals {
        __typename user { username } ... on ReadSignal { member { lastReadSeq } } } } }";
    let mut signals = socket.run(ask, json!({ "id": conversation }));
    assert_eq!(signals.next().await["conversationSignals"]["signals"], json!([]));
    (socket, signals)
}

async fn heard(signals: &mut Stream) -> (String, String) {
    let signal = signals.next().await["conversationSignals"]["signals"][0].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&signal["__typename"]), text(&signal["user"]["username"]))
}

async fn types(by: &Actor, conversation: &str) {
    let ask = "mutation($id: ID!) { setTyping(input: { conversationId: $id }) { expiresAt } }";
    by.ask(ask, json!({ "id": conversation })).await.data("setTyping");
}

async fn reads(by: &Actor, conversation: &str) {
    let ask = "mutation($id: ID!) { markConversationRead(input: { conversationId: $id }) { viewerState { id } } }";
    by.ask(ask, json!({ "id": conversation })).await.data("markConversationRead");
}

/// They are named after one another, so the same event, asked for in the same words, is not the same for them.
#[tokio::test]
async fn each_sees_in_an_event_who_the_others_are() {
    let server = TestServer::start().await;
    let [alice, bob] = people(&server, &["alice", "bob"]).await.try_into().ok().unwrap();
    let direct = alice.direct_with(&[&bob]).await;
    let ask = "subscription($id: ID!) { conversationEvents(conversationId: $id) { events { seq
        ... on MessageSentEvent { message { conversation { title ... on DirectConversation { name
            participants { user { username } } } } } } } } }";
    let mut streams = Vec::new();
    for person in [&alice, &bob] {
        let mut socket = person.socket().await;
        let mut log = socket.run(ask, json!({ "id": direct }));
        log.batch().await;
        streams.push((socket, log));
    }
    alice.say(&direct, "Hi").await;
    let mut shown = Vec::new();
    for (_, log) in &mut streams {
        shown.push(log.batch().await["events"][0]["message"]["conversation"].clone());
    }
    assert_eq!((&shown[0]["title"], &shown[1]["title"]), (&json!("bob"), &json!("alice")));
    assert_eq!(shown[0]["participants"], shown[1]["participants"]);
}

#[tokio::test]
async fn two_see_each_other_come_type_and_read_until_one_blocks_the_other() {
    let server = TestServer::start().await;
    let [alice, bob, carol] = people(&server, &["alice", "bob", "carol"]).await.try_into().ok().unwrap();
    let (of_alice, of_bob) = (alice.socket().await, bob.socket().await);
    assert_eq!(status(&bob, &alice).await, "OFFLINE", "they share nothing yet");
    let direct = alice.direct_with(&[&bob]).await;
    assert_eq!((status(&bob, &alice).await, status(&alice, &bob).await), (json!("ONLINE"), json!("ONLINE")));
    assert_eq!(status(&bob, &carol).await, "OFFLINE", "of others nobody learns it");
    let ((_alice, mut alice_hears), (_bob, mut bob_hears)) = (hear(&alice, &direct).await, hear(&bob, &direct).await);
    types(&alice, &direct).await;
    assert_eq!(heard(&mut bob_hears).await, ("TypingSignal".into(), "alice".into()));
    alice.say(&direct, "Hi").await;
    reads(&bob, &direct).await;
    assert_eq!(heard(&mut alice_hears).await, ("ReadSignal".into(), "bob".into()));

    // Reading goes on, and nobody is told.
    alice.say(&direct, "Bye").await;
    bob.block(&alice).await;
    reads(&bob, &direct).await;
    assert_eq!((status(&bob, &alice).await, status(&alice, &bob).await), (json!("OFFLINE"), json!("OFFLINE")));
    bob.unblock(&alice).await;
    types(&bob, &direct).await;
    assert_eq!(heard(&mut alice_hears).await, ("TypingSignal".into(), "bob".into()), "the first since then");
    assert_eq!((status(&bob, &alice).await, status(&alice, &bob).await), (json!("ONLINE"), json!("ONLINE")));
    drop((of_alice, of_bob));
}

#[tokio::test]
async fn nobody_else_hears_sees_or_does_anything_of_it() {
    let server = TestServer::start().await;
    let [alice, bob, carol, mallory] =
        people(&server, &["alice", "bob", "carol", "mallory"]).await.try_into().ok().unwrap();
    let direct = alice.direct_with(&[&bob, &carol]).await;
    let message = alice.say(&direct, "Hi").await["id"].clone();
    carol.leave(&direct).await;
    for stranger in [&carol, &mallory] {
        let mut socket = stranger.socket().await;
        for field in ["conversationEvents", "conversationSignals"] {
            let ask = format!("subscription {{ {field}(conversationId: {direct:?}) {{ __typename }} }}");
            assert_eq!(socket.run(&ask, json!({})).end().await, crate::harness::Ended::Error("NOT_FOUND".into()));
        }
        for ask in [
            format!("addReaction(input: {{ messageId: {message}, emoji: \"👍\" }}) {{ seq }}"),
            format!("pinMessage(input: {{ messageId: {message} }}) {{ seq }}"),
            format!("setTyping(input: {{ conversationId: {direct:?} }}) {{ expiresAt }}"),
            format!(
                "addConversationMembers(input: {{ conversationId: {direct:?}, userIds: [{:?}] }}) {{ members {{ id }} }}",
                stranger.id
            ),
            format!(
                "updateDirectConversation(input: {{ conversationId: {direct:?}, name: \"Mine\" }}) {{ conversation {{ id }} }}"
            ),
        ] {
            assert_eq!(stranger.query(&format!("mutation {{ {ask} }}")).await.code(), "NOT_FOUND", "{ask}");
        }
        let found = stranger.query(&format!("{{ message(id: {message}) {{ id }} }}")).await.data("message");
        assert_eq!(found, Value::Null);
    }
}
