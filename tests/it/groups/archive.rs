//! A group that is archived, and its channels with it.

use serde_json::{Value, json};

use super::{admit, category, channel, done, join, leave, public_group, run, sees, try_to_say};
use crate::harness::{Actor, TestServer};

async fn is_archived(by: &Actor, id: &str) -> bool {
    let ask = "query($id: ID!) { conversation(id: $id) { archivedAt } }";
    by.ask(ask, json!({ "id": id })).await.data("conversation")["archivedAt"] != json!(null)
}

async fn set(by: &Actor, field: &str, group: &str) -> Value {
    done(by, field, json!({ "groupId": group }), "group { archivedAt }").await["group"]["archivedAt"].clone()
}

#[tokio::test]
async fn channels_close_and_open_with_their_group_but_for_those_that_were_closed_before() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = public_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&bob], "MEMBER").await;
    let (open, hidden) =
        (channel(&alice, &group, "Open", "PUBLIC").await, channel(&alice, &group, "Hidden", "PRIVATE").await);
    let closed = channel(&alice, &group, "Closed", "PUBLIC").await;
    let elsewhere = alice.public_channel("Elsewhere").await;
    done(&alice, "archiveChannel", json!({ "channelId": closed }), "channel { id }").await;
    bob.join(&open).await;
    let message = bob.say(&open, "Hi").await["id"].clone();
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&open, None);
    log.batch().await;
    let at = set(&alice, "archiveGroup", &group).await;
    assert_eq!(log.batch().await["events"][0]["__typename"], "ConversationArchivedEvent");
    // Again is nothing.
    let before = server.database.contents().await;
    assert_eq!(set(&alice, "archiveGroup", &group).await, at);
    assert_eq!(server.database.contents().await, before);
    for place in [&open, &hidden, &closed] {
        assert!(is_archived(&alice, place).await);
    }
    assert!(!is_archived(&alice, &elsewhere).await);
    assert_eq!(try_to_say(&bob, &open).await.code(), "ARCHIVED");
    for (field, input, select) in [
        ("unarchiveChannel", json!({ "channelId": open }), "channel { id }"),
        ("unarchiveChannel", json!({ "channelId": closed }), "channel { id }"),
        ("createChannel", json!({ "groupId": group, "name": "New" }), "channel { id }"),
        ("moveChannel", json!({ "channelId": hidden }), "channel { id }"),
        ("createChannelCategory", json!({ "groupId": group, "name": "New" }), "category { id }"),
        ("updateGroup", json!({ "groupId": group, "name": "New" }), "group { id }"),
        ("addGroupMembers", json!({ "groupId": group, "userIds": [] }), "group { id }"),
    ] {
        assert_eq!(run(&alice, field, input, select).await.code(), "ARCHIVED", "{field}");
    }
    let newcomer = server.register("carol").await;
    assert_eq!(join(&newcomer, &group).await.code(), "ARCHIVED");
    // Reading goes on, and so do deleting one's own and leaving.
    assert!(sees(&bob, &open).await);
    done(&bob, "deleteMessage", json!({ "messageId": message }), "seq").await;
    assert_eq!(set(&alice, "unarchiveGroup", &group).await, json!(null));
    assert!(!is_archived(&alice, &open).await && !is_archived(&alice, &hidden).await);
    assert!(is_archived(&alice, &closed).await);
    try_to_say(&bob, &open).await.data("sendMessage");
    done(&alice, "unarchiveChannel", json!({ "channelId": closed }), "channel { id }").await;
    set(&alice, "archiveGroup", &group).await;
    leave(&bob, &group).await.data("leaveGroup");
    let audit = "SELECT action FROM audit_entries WHERE action LIKE 'group.%' ORDER BY id";
    assert_eq!(server.database.rows(audit).await, [["group.archive"], ["group.unarchive"], ["group.archive"]]);
}

#[tokio::test]
async fn nothing_is_said_after_a_group_was_archived() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let group = public_group(&alice, "Gardeners").await;
    let mut places = Vec::new();
    for number in 0..3 {
        places.push(channel(&alice, &group, &format!("Channel {number}"), "PUBLIC").await);
    }
    for _ in 0..5 {
        let saying = futures_util::future::join_all((0..9).map(|number| try_to_say(&alice, &places[number % 3])));
        let (_, said) = futures_util::future::join(set(&alice, "archiveGroup", &group), saying).await;
        for answer in said.iter().filter(|answer| answer.0.get("errors").is_some()) {
            assert_eq!(answer.code(), "ARCHIVED");
        }
        set(&alice, "unarchiveGroup", &group).await;
    }
    // What the log says of each channel's state before each message.
    let late =
        "SELECT count(*) FROM conversation_events s WHERE s.kind = 1 AND (SELECT e.kind FROM conversation_events e
        WHERE e.conversation_id = s.conversation_id AND e.seq < s.seq AND e.kind IN (14, 15)
        ORDER BY e.seq DESC LIMIT 1) = 14";
    assert_eq!(server.database.count(late).await, 0);
}

#[tokio::test]
async fn who_runs_the_server_archives_what_they_see_and_does_nothing_else() {
    let server = TestServer::start().await;
    let (root, alice) = (server.register("ruth").await, server.register("alice").await);
    let group = public_group(&alice, "Gardeners").await;
    let place = channel(&alice, &group, "Open", "PUBLIC").await;
    let heading = category(&alice, Some(&group), "One").await;
    for (field, input, select, code) in [
        ("updateGroup", json!({ "groupId": group, "name": "New" }), "group { id }", "FORBIDDEN"),
        ("createChannel", json!({ "groupId": group, "name": "New" }), "channel { id }", "FORBIDDEN"),
        ("deleteChannelCategory", json!({ "categoryId": heading }), "categoryId", "NOT_FOUND"),
        ("archiveChannel", json!({ "channelId": place }), "channel { id }", "NOT_FOUND"),
        ("joinChannel", json!({ "channelId": place }), "channel { id }", "NOT_FOUND"),
    ] {
        assert_eq!(run(&root, field, input, select).await.code(), code, "{field}");
    }
    set(&root, "archiveGroup", &group).await;
    assert!(is_archived(&alice, &place).await);
    set(&root, "unarchiveGroup", &group).await;
    assert!(!is_archived(&alice, &place).await);
}
