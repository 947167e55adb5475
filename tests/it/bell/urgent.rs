//! What is urgent, and how it is said what is.

use serde_json::{Value, json};

use super::{at, bell, kinds};
use crate::harness::{Actor, TestServer};

/// The kinds of what is urgent, newest first.
async fn urgent(of: &Actor) -> Vec<Value> {
    let page = super::page(of, json!({ "filter": { "isUrgent": true } })).await;
    page["nodes"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect()
}

#[tokio::test]
async fn a_moderator_who_calls_everyone_is_urgent() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.public_channel("lounge").await;
    bob.join(&channel).await;
    carol.join(&channel).await;
    alice.say(&channel, "<@everyone> out!").await;
    for who in [&bob, &carol] {
        assert_eq!((kinds(who).await, urgent(who).await), ("MENTION".to_owned(), vec![json!("MENTION")]));
    }
    // Who is here is who has a socket open.
    let _socket = bob.socket().await;
    let status = "query($id: ID!) { user(by: { id: $id }) { presence { status } } }";
    while alice.ask(status, json!({ "id": bob.id })).await.data("user")["presence"]["status"] != "ONLINE" {}
    alice.say(&channel, "<@here> lunch").await;
    assert_eq!((kinds(&bob).await, kinds(&carol).await), ("MENTION MENTION".into(), "MENTION".into()));
    // From others it is mere text.
    carol.say(&channel, "<@everyone> <@here>").await;
    assert_eq!((kinds(&bob).await, kinds(&alice).await), ("MENTION MENTION".into(), "".into()));
    // It passes no mute and no block.
    super::keep(&bob, &channel, json!({ "mutedUntil": "2999-01-01T00:00:00Z" })).await;
    carol.block(&alice).await;
    alice.say(&channel, "<@everyone> out!").await;
    assert_eq!((kinds(&bob).await, kinds(&carol).await), ("MENTION MENTION".into(), "(MENTION)".into()));
}

#[tokio::test]
async fn ones_own_words_are_urgent_in_what_is_written_to_one() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    bob.prefer(json!({ "notifications": { "urgentWords": [" Production ", "FIRE", "fire"], "defaultLevel": "ALL" } }))
        .await;
    let kept = bob.query("{ viewer { preferences { notifications { urgentWords } } } }").await.data("viewer");
    assert_eq!(kept["preferences"]["notifications"]["urgentWords"], json!(["fire", "production"]));
    let two = alice.direct_with(&[&bob]).await;
    for (conversation, content, is_urgent) in [
        (&two, "Fire!", true),
        (&two, "fireworks", false),
        (&channel, "fire", false),
        (&channel, &format!("{} PRODUCTION is down", at(&bob)), true),
        (&channel, &format!("{} all is well", at(&bob)), false),
    ] {
        alice.say(conversation, content).await;
        assert_eq!(bell(&bob).await[0]["isUrgent"], is_urgent, "{content}");
    }
}

const PREFER: &str = "mutation($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { preferences { version
    notifications { isEmailEnabled isPushEnabled defaultLevel showsPreviews quietHours { start end } urgentWords } } } }";

#[tokio::test]
async fn how_notifications_reach_somebody_is_theirs_to_say() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let prefer = async |notifications: Value| {
        let answer = alice.ask(PREFER, json!({ "input": { "notifications": notifications } })).await;
        answer.data("updatePreferences")["preferences"].clone()
    };
    let mut kept = json!({ "isEmailEnabled": true, "isPushEnabled": true, "defaultLevel": "MENTIONS", "showsPreviews": true,
        "quietHours": null, "urgentWords": [] });
    assert_eq!(prefer(json!({})).await, json!({ "version": 1, "notifications": kept }));
    for (version, (field, value)) in (2..).zip([
        ("isEmailEnabled", json!(false)),
        ("isPushEnabled", json!(false)),
        ("defaultLevel", json!("NONE")),
        ("showsPreviews", json!(false)),
        ("quietHours", json!({ "start": "22:30", "end": "07:00" })),
        ("urgentWords", json!(["a", "b"])),
        ("quietHours", json!(null)),
    ]) {
        kept[field] = value.clone();
        let expected = json!({ "version": version, "notifications": kept });
        assert_eq!(prefer(json!({ field: value })).await, expected);
        assert_eq!(prefer(json!({ field: value })).await, expected, "what is so already is no new version");
    }
}
