//! What is out of sight is not in the bell.

use serde_json::json;

use super::{REMOVE, at, bell, kinds, mark, read};
use crate::harness::{Actor, TestServer};

#[tokio::test]
async fn whoever_leaves_or_is_removed_hears_no_more_of_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (private, public) = (alice.private_channel("secret", &[&bob]).await, alice.public_channel("open").await);
    bob.join(&public).await;
    for channel in [&private, &public] {
        alice.say(channel, &at(&bob)).await;
        read(&bob, channel).await;
        alice.say(channel, &at(&bob)).await;
    }
    assert_eq!(kinds(&bob).await, "MENTION (MENTION) MENTION (MENTION) (ADDED)");
    let seat = alice.seat_of(&private, &bob).await;
    alice.ask(REMOVE, json!({ "id": seat })).await.data("removeConversationMember");
    assert_eq!(kinds(&bob).await, "MENTION (MENTION)");
    bob.leave(&public).await;
    assert_eq!(kinds(&bob).await, "");
    // An ex-member is named in private in vain, and in public like everybody.
    alice.say(&private, &at(&bob)).await;
    alice.say(&public, &at(&bob)).await;
    assert_eq!(kinds(&bob).await, "MENTION");
    // Whoever comes back begins anew.
    alice.add(&private, &[&bob], "MEMBER").await;
    assert_eq!(kinds(&bob).await, "ADDED MENTION");
}

#[tokio::test]
async fn a_channel_that_turns_private_takes_what_is_about_it() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.public_channel("open").await;
    carol.join(&channel).await;
    alice.say(&channel, &format!("{} {}", at(&bob), at(&carol))).await;
    let rung = bell(&bob).await.remove(0);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(bob.ask(node, json!({ "id": rung["id"] })).await.data("node")["id"], rung["id"]);
    let close =
        "mutation($id: ID!) { updateChannel(input: { channelId: $id, visibility: PRIVATE }) { channel { id } } }";
    alice.ask(close, json!({ "id": channel })).await.data("updateChannel");
    assert_eq!((kinds(&bob).await, kinds(&carol).await), ("".into(), "MENTION".into()));
    assert_eq!(bob.ask(node, json!({ "id": rung["id"] })).await.data("node"), json!(null));
    let answer = bob.ask(super::MARK, json!({ "input": { "conversationId": channel } })).await;
    assert_eq!(answer.code(), "NOT_FOUND");
    let rendered = render(&server, &bob, &rung["id"]).await;
    assert!(rendered.is_empty(), "{rendered:?}");
}

#[tokio::test]
async fn whoever_leaves_a_group_hears_no_more_of_its_channels() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let group = alice.query("mutation { createGroup(input: { name: \"Gardeners\" }) { group { id } } }").await;
    let group = group.data("createGroup")["group"]["id"].clone();
    let add = "mutation($id: ID!, $who: [ID!]!) { addGroupMembers(input: { groupId: $id, userIds: $who }) { members { id } } }";
    alice.ask(add, json!({ "id": group, "who": [bob.id, carol.id] })).await.data("addGroupMembers");
    let inside = alice.create_channel(json!({ "name": "inside", "groupId": group })).await;
    bob.join(&inside).await;
    // Carol has no seat, and sees it.
    alice.say(&inside, &format!("{} {}", at(&bob), at(&carol))).await;
    assert_eq!((kinds(&bob).await, kinds(&carol).await), ("MENTION ADDED".into(), "MENTION ADDED".into()));
    let leave = "mutation($id: ID!) { leaveGroup(input: { groupId: $id }) { groupId } }";
    for who in [&bob, &carol] {
        who.ask(leave, json!({ "id": group })).await.data("leaveGroup");
        // The group is public still.
        assert_eq!(kinds(who).await, "ADDED");
    }
}

#[tokio::test]
async fn what_is_rendered_for_mails_and_pushes_is_what_its_owner_sees() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    mark(&bob, json!({ "conversationId": channel })).await;
    let said = alice.say(&channel, &format!("{} hello", at(&bob))).await;
    let id = bell(&bob).await[0]["id"].clone();
    let rendered = render(&server, &bob, &id).await;
    assert_eq!(
        (rendered[0].title.as_str(), rendered[0].body.as_str()),
        ("alice mentioned you in #lounge", "@bob hello")
    );
    assert!(rendered[0].is_unread);
    assert_eq!(rendered[0].message_id.unwrap().to_string(), said["id"].as_str().unwrap());
    assert!(render(&server, &alice, &id).await.is_empty());
    let since = server.clock.now() - chrono::TimeDelta::minutes(1);
    let waiting = chinwag::notifications::unread_since(&server.app, user(&bob), since).await.unwrap();
    assert_eq!(waiting.len(), 1);
    bob.prefer(json!({ "timeZone": "UTC", "notifications": { "showsPreviews": false,
        "quietHours": { "start": "00:00", "end": "23:59" } } }))
        .await;
    let found = chinwag::notifications::recipients(&server.app, &[user(&alice), user(&bob)]).await.unwrap();
    let (of_alice, of_bob) = (&found[&user(&alice)], &found[&user(&bob)]);
    let (hers, his) = (&of_alice.preferences.notifications, &of_bob.preferences.notifications);
    assert!(hers.shows_previews && hers.is_push_enabled && !of_alice.is_quiet && !his.shows_previews);
}

fn user(who: &Actor) -> chinwag::id::UserId {
    chinwag::id::UserId::parse(&who.id).unwrap()
}

async fn render(server: &TestServer, whose: &Actor, id: &serde_json::Value) -> Vec<chinwag::notifications::Rendered> {
    let id = chinwag::id::NotificationId::parse(id.as_str().unwrap()).unwrap();
    chinwag::notifications::render(&server.app, &[(user(whose), id)]).await.unwrap()
}
