//! The bell in viewers' streams, live and on resuming.

use serde_json::json;

use super::{CLEAR, DELETE, UNREACT, at, bell, keep, mark, react, read};
use crate::harness::TestServer;
use crate::viewer_events::client::{Client, boot};

#[tokio::test]
async fn what_comes_and_goes_in_the_bell_reaches_its_owner_live_and_on_resuming() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    let mut live = Client::start(&bob).await;
    live.catch_up().await;
    let said = bob.say(&channel, "Hi").await;
    for step in ["mention", "react", "unreact", "read", "another", "delete it", "more", "clear", "all read", "removed"]
    {
        let (kept, cursor) = boot(&bob).await;
        match step {
            "mention" | "another" | "more" => drop(alice.say(&channel, &at(&bob)).await),
            "react" => react(&alice, &said, "👍").await,
            "unreact" => {
                let variables = json!({ "id": said["id"], "emoji": "👍" });
                alice.ask(UNREACT, variables).await.data("removeReaction");
            }
            "read" => read(&bob, &channel).await,
            "delete it" => {
                let id = bell(&bob).await[0]["subject"]["id"].clone();
                alice.ask(DELETE, json!({ "id": id })).await.data("deleteMessage");
            }
            "clear" => {
                let ids: Vec<_> = bell(&bob).await.iter().map(|one| one["id"].clone()).take(1).collect();
                bob.ask(CLEAR, json!({ "ids": ids })).await.data("deleteNotifications");
            }
            "all read" => {
                alice.say(&channel, &at(&bob)).await;
                mark(&bob, json!({ "until": "2999-01-01T00:00:00Z" })).await;
            }
            _ => {
                let seat = alice.seat_of(&channel, &bob).await;
                alice.ask(super::REMOVE, json!({ "id": seat })).await.data("removeConversationMember");
            }
        }
        let fresh = boot(&bob).await.0;
        assert_ne!(kept.bell, fresh.bell, "{step} changes something");
        let mut away = Client::resume(&bob, kept, cursor).await;
        away.catch_up().await;
        assert_eq!(away.kept.bell, fresh.bell, "{step}");
        assert_eq!(away.kept.unread, fresh.unread, "{step}");
        live.converge(&bob).await;
    }
    let heard: Vec<_> = live.heard.iter().filter(|kind| kind.starts_with("Notification")).collect();
    assert!(heard.iter().any(|kind| *kind == "NotificationAddedEvent"), "{heard:?}");
    assert!(heard.iter().any(|kind| *kind == "NotificationsChangedEvent"), "{heard:?}");
}

#[tokio::test]
async fn what_is_read_on_one_device_goes_on_all() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let two = alice.direct_with(&[&bob]).await;
    let mut phone = Client::start(&bob).await;
    phone.catch_up().await;
    for content in ["1", "2", "3"] {
        alice.say(&two, content).await;
    }
    phone.converge(&bob).await;
    assert_eq!(phone.kept.unread["notificationCount"], 3);
    read(&bob, &two).await;
    let event = phone.until("NotificationsChangedEvent").await;
    assert_eq!(event["notifications"].as_array().unwrap().len(), 3);
    assert_eq!((&event["isEverythingRead"], &event["unread"]["notificationCount"]), (&json!(true), &json!(0)));
    assert_eq!(event["deletedNotificationIds"], json!([]));
}

#[tokio::test]
async fn nobody_hears_of_somebody_elses_bell() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("lounge", &[&bob, &carol]).await;
    let mut other = Client::start(&carol).await;
    other.catch_up().await;
    let before = other.heard.len();
    alice.say(&channel, &at(&bob)).await;
    other.converge(&carol).await;
    alice.say(&channel, "the last").await;
    while other.until("InboxChangedEvent").await["conversation"]["lastMessage"]["content"] != "the last" {}
    assert!(!other.heard[before..].iter().any(|kind| kind.starts_with("Notification")), "{:?}", other.heard);
}

/// More than is told one by one: who listens is shown what there is, and who resumes is told to look.
#[tokio::test]
async fn many_at_once_are_told_all_the_same() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("lounge").await;
    bob.join(&channel).await;
    crate::bell::many::seat(&server, &channel, 120, "MENTIONS").await;
    let mut client = Client::start(&bob).await;
    client.catch_up().await;
    alice.say(&channel, "<@everyone>").await;
    client.converge(&bob).await;
    assert_eq!(client.kept.bell.len(), 1);
    // A hundred and fifty for one.
    keep(&bob, &channel, json!({ "notificationLevel": "ALL" })).await;
    let (kept, cursor) = boot(&bob).await;
    for number in 0..150 {
        alice.say(&channel, &number.to_string()).await;
    }
    let mut away = Client::resume(&bob, kept, cursor).await;
    let event = away.until("NotificationsChangedEvent").await;
    assert_eq!((&event["notifications"], &event["isEverythingRead"]), (&json!([]), &json!(false)));
    assert_eq!(event["unread"]["notificationCount"], 151);
    let mut phone = Client::start(&bob).await;
    phone.catch_up().await;
    mark(&bob, json!({ "until": "2999-01-01T00:00:00Z" })).await;
    let event = phone.until("NotificationsChangedEvent").await;
    assert_eq!((&event["notifications"], &event["isEverythingRead"]), (&json!([]), &json!(true)));
}
