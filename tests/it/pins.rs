//! Pinning messages.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer};

const PIN: &str = "mutation($id: ID!) { pinMessage(input: { messageId: $id }) {
    seq message { id pin { pinnedAt pinnedBy { username } } } } }";
const UNPIN: &str =
    "mutation($id: ID!) { unpinMessage(input: { messageId: $id }) { seq message { id pin { pinnedAt } } } }";
const PINS: &str = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
    pins(first: $first, after: $after, last: $last, before: $before) { totalCount
        edges { cursor pin { pinnedAt pinnedBy { username } } node { content } } nodes { content pin { pinnedAt } }
        pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } }";
const DELETE: &str = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { message { pin { pinnedAt } } } }";

async fn pin(who: &Actor, message: &Value) -> Answer {
    who.ask(PIN, json!({ "id": message["id"] })).await
}

async fn unpin(who: &Actor, message: &Value) -> Answer {
    who.ask(UNPIN, json!({ "id": message["id"] })).await
}

async fn page(who: &Actor, conversation: &str, mut arguments: Value) -> Value {
    arguments["id"] = json!(conversation);
    who.ask(PINS, arguments).await.data("conversation")["pins"].clone()
}

fn contents(page: &Value) -> String {
    let edges = page["edges"].as_array().unwrap().iter();
    edges.map(|edge| edge["node"]["content"].as_str().unwrap_or("-").to_owned()).collect()
}

#[tokio::test]
async fn a_moderator_pins_and_everybody_sees_since_when_and_by_whom() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    let message = bob.say(&channel, "a").await;
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    assert_eq!(pin(&bob, &message).await.code(), "FORBIDDEN");
    let pinned = pin(&alice, &message).await.data("pinMessage");
    assert_eq!(pinned["message"]["pin"]["pinnedBy"]["username"], "alice");
    let batch = log.batch().await;
    let event = &batch["events"][0];
    assert_eq!((&batch["seq"], &event["__typename"]), (&pinned["seq"], &json!("MessagePinnedEvent")));
    assert_eq!((&event["message"]["id"], &event["actor"]["username"]), (&message["id"], &json!("alice")));
    assert_eq!(event["message"]["pin"]["pinnedAt"], pinned["message"]["pin"]["pinnedAt"]);
    let pins = page(&bob, &channel, json!({})).await;
    assert_eq!((contents(&pins).as_str(), &pins["totalCount"]), ("a", &json!(1)));
    assert_eq!(pins["edges"][0]["pin"], pinned["message"]["pin"]);

    // Again, later, by somebody else: it is pinned since then, by her.
    let role = json!({ "input": { "memberId": alice.seat_of(&channel, &bob).await, "role": "MODERATOR" } });
    let promote = "mutation($input: UpdateConversationMemberInput!) { updateConversationMember(input: $input) {
        member { id } } }";
    alice.ask(promote, role).await.data("updateConversationMember");
    server.clock.advance(TimeDelta::minutes(5));
    let before = server.database.contents().await;
    assert_eq!(pin(&bob, &message).await.data("pinMessage")["message"], pinned["message"]);
    assert_eq!(server.database.contents().await, before);

    let unpinned = unpin(&bob, &message).await.data("unpinMessage");
    assert_eq!(unpinned["message"]["pin"], json!(null));
    let events = log.events_until(unpinned["seq"].as_i64().unwrap()).await;
    let event = events.last().unwrap();
    assert_eq!((&event["__typename"], &event["message"]["id"]), (&json!("MessageUnpinnedEvent"), &message["id"]));
    let before = server.database.contents().await;
    assert_eq!(unpin(&bob, &message).await.data("unpinMessage")["seq"], unpinned["seq"]);
    assert_eq!(server.database.contents().await, before);
    assert_eq!(page(&bob, &channel, json!({})).await["totalCount"], 0);
}

#[tokio::test]
async fn what_was_pinned_last_comes_first_page_by_page() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut messages = Vec::new();
    for content in ["a", "b", "c", "d", "e"] {
        messages.push(alice.say(&channel, content).await);
    }
    for place in [2, 0, 4, 1, 3] {
        pin(&alice, &messages[place]).await.data("pinMessage");
        // Whatever the clock says.
        server.clock.advance(TimeDelta::minutes(-1));
    }
    let first = page(&alice, &channel, json!({ "first": 2 })).await;
    assert_eq!((contents(&first).as_str(), &first["totalCount"]), ("db", &json!(5)));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let next = json!({ "first": 2, "after": first["pageInfo"]["endCursor"] });
    let next = page(&alice, &channel, next).await;
    assert_eq!(contents(&next), "ea");
    let back = json!({ "last": 1, "before": next["pageInfo"]["endCursor"] });
    assert_eq!(contents(&page(&alice, &channel, back).await), "e");
    assert_eq!(contents(&page(&alice, &channel, json!({ "last": 2 })).await), "ac");
    // A cursor stays where it was when its message is unpinned.
    unpin(&alice, &messages[1]).await.data("unpinMessage");
    let again = json!({ "after": first["pageInfo"]["endCursor"] });
    assert_eq!(contents(&page(&alice, &channel, again).await), "eac");
    // An answer in a thread can be pinned like any other message.
    let reply = json!({ "conversationId": channel, "content": "f", "threadRootId": messages[0]["id"] });
    pin(&alice, &alice.write(reply).await).await.data("pinMessage");
    assert_eq!(contents(&page(&alice, &channel, json!({})).await), "fdeac");
}

#[tokio::test]
async fn a_hundred_are_pinned_and_no_more() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.extend(join_all((0..35).map(|_| alice.say(&channel, "Hi"))).await);
    }
    // Of those who come at once, as many as there is room for.
    let mut answers = join_all(messages[..60].iter().map(|message| pin(&alice, message))).await;
    answers.extend(join_all(messages[60..].iter().map(|message| pin(&alice, message))).await);
    let refused = answers.iter().filter(|answer| answer.0.get("errors").is_some());
    let refused: Vec<_> = refused.inspect(|answer| assert_eq!(answer.code(), "FAILED_PRECONDITION")).collect();
    assert_eq!(refused.len(), 5);
    assert_eq!(refused[0].0["errors"][0]["extensions"]["reason"], "TOO_MANY");
    assert_eq!(page(&alice, &channel, json!({})).await["totalCount"], 100);
    let is_pinned = |answer: &&Answer| answer.0.get("errors").is_none();
    let (in_place, out) = (answers.iter().position(|a| is_pinned(&a)), answers.iter().position(|a| !is_pinned(&a)));
    let (pinned, other) = (&messages[in_place.unwrap()], &messages[out.unwrap()]);
    // What is pinned already needs no room, and what goes makes some; other conversations have their own.
    pin(&alice, pinned).await.data("pinMessage");
    unpin(&alice, pinned).await.data("unpinMessage");
    pin(&alice, other).await.data("pinMessage");
    assert_eq!(pin(&alice, pinned).await.code(), "FAILED_PRECONDITION");
    let elsewhere = alice.public_channel("Elsewhere").await;
    pin(&alice, &alice.say(&elsewhere, "Hi").await).await.data("pinMessage");
    assert_eq!(page(&alice, &elsewhere, json!({})).await["totalCount"], 1);
}

#[tokio::test]
async fn a_deleted_message_is_pinned_no_longer_and_never_again() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let (gone, kept) = (alice.say(&channel, "a").await, alice.say(&channel, "b").await);
    for message in [&gone, &kept] {
        pin(&alice, message).await.data("pinMessage");
    }
    let deleted = alice.ask(DELETE, json!({ "id": gone["id"] })).await.data("deleteMessage");
    assert_eq!(deleted["message"]["pin"], json!(null));
    let pins = page(&alice, &channel, json!({})).await;
    assert_eq!((contents(&pins).as_str(), &pins["totalCount"]), ("b", &json!(1)));
    let before = server.database.contents().await;
    let refused = pin(&alice, &gone).await;
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "DELETED");
    unpin(&alice, &gone).await.data("unpinMessage");
    assert_eq!(server.database.contents().await, before);
}
