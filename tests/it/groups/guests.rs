//! Guests of a group, who see what they were added to.

use serde_json::json;

use super::{admit, category, channel, channels_of, done, members_of, public_group, run, sees, text, try_to_say};
use crate::harness::{Ended, TestServer};

#[tokio::test]
async fn a_guest_sees_the_channels_they_were_added_to_and_their_members() {
    let server = TestServer::start().await;
    let (alice, bob, carol, guest) = (
        server.register("alice").await,
        server.register("bob").await,
        server.register("carol").await,
        server.register("guest").await,
    );
    let group = public_group(&alice, "Gardeners").await;
    let of_bob = admit(&alice, &group, &[&bob, &carol], "MEMBER").await;
    admit(&alice, &group, &[&guest], "GUEST").await;
    let (one, two) = (category(&alice, Some(&group), "One").await, category(&alice, Some(&group), "Two").await);
    let create = async |name: &str, category: &str| {
        alice.create_channel(json!({ "groupId": group, "name": name, "categoryId": category })).await
    };
    let (shared, other) = (create("Shared", &one).await, create("Other", &two).await);
    bob.join(&shared).await;
    assert_eq!(channels_of(&guest, &group).await, [""; 0]);
    assert_eq!(members_of(&guest, &group).await, ["guest GUEST"]);
    alice.add(&shared, &[&guest], "MEMBER").await;
    assert_eq!(channels_of(&guest, &group).await, ["Shared"]);
    assert_eq!(members_of(&guest, &group).await, ["alice OWNER", "bob MEMBER", "guest GUEST"]);
    let mut all = members_of(&carol, &group).await;
    all.sort();
    assert_eq!(all, ["alice OWNER", "bob MEMBER", "carol MEMBER", "guest GUEST"]);
    let categories = "query($id: ID!) { group(by: { id: $id }) { categories { name } } }";
    let shown = guest.ask(categories, json!({ "id": group })).await.data("group");
    assert_eq!(shown["categories"], json!([{ "name": "One" }]));
    let shown = carol.ask(categories, json!({ "id": group })).await.data("group");
    assert_eq!(shown["categories"], json!([{ "name": "One" }, { "name": "Two" }]));
    for (id, is_seen) in [(&shared, true), (&one, true), (&of_bob[0], true), (&other, false), (&two, false)] {
        assert_eq!(sees(&guest, id).await, is_seen, "{id}");
    }
    assert!(!sees(&guest, &of_bob[1]).await);
    assert_eq!(run(&guest, "joinChannel", json!({ "channelId": other }), "channel { id }").await.code(), "NOT_FOUND");
    let mut socket = guest.socket().await;
    assert_eq!(socket.follow(&other, None).end().await, Ended::Error("NOT_FOUND".into()));
    try_to_say(&guest, &shared).await.data("sendMessage");
    // Lists of the whole server are no way around.
    let all = guest.query("{ channels { nodes { name } } }").await.data("channels");
    assert_eq!(all["nodes"], json!([{ "name": "Shared" }]));
    let open = guest.query("{ channels(filter: { isJoined: false }) { nodes { name } } }").await.data("channels");
    assert_eq!(open["nodes"], json!([]));
    // Nor do they add anybody or anything.
    for (field, input, select) in [
        ("createChannel", json!({ "groupId": group, "name": "Mine" }), "channel { id }"),
        ("addGroupMembers", json!({ "groupId": group, "userIds": [bob.id] }), "group { id }"),
        ("createChannelCategory", json!({ "groupId": group, "name": "Mine" }), "category { id }"),
    ] {
        assert_eq!(run(&guest, field, input, select).await.code(), "FORBIDDEN", "{field}");
    }
}

#[tokio::test]
async fn whoever_becomes_a_guest_keeps_their_seats_and_loses_sight_of_the_rest() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = public_group(&alice, "Gardeners").await;
    let member = admit(&alice, &group, &[&bob], "MEMBER").await.remove(0);
    let (joined, read) =
        (channel(&alice, &group, "Joined", "PUBLIC").await, channel(&alice, &group, "Read", "PUBLIC").await);
    bob.join(&joined).await;
    let mut socket = bob.socket().await;
    let (mut of_joined, mut of_read) = (socket.follow(&joined, None), socket.follow(&read, None));
    of_joined.batch().await;
    of_read.batch().await;
    let demote = json!({ "memberId": member, "role": "GUEST" });
    let changed = done(&alice, "updateGroupMember", demote, "member { role }").await;
    assert_eq!(changed["member"]["role"], "GUEST");
    alice.say(&read, "not for bob").await;
    assert_eq!(of_read.end().await, Ended::Complete);
    let said = alice.say(&joined, "for bob").await;
    assert_eq!(text(&of_joined.batch().await["events"][0]["message"]["id"]), text(&said["id"]));
    assert!(sees(&bob, &joined).await && !sees(&bob, &read).await);
    assert_eq!(channels_of(&bob, &group).await, ["Joined"]);
    // And back.
    done(&alice, "updateGroupMember", json!({ "memberId": member, "role": "MEMBER" }), "member { id }").await;
    assert!(sees(&bob, &read).await);
    let audit =
        "SELECT details->>'from', details->>'to' FROM audit_entries WHERE action = 'group.member.role' ORDER BY id";
    assert_eq!(server.database.rows(audit).await.len(), 2);
}

#[tokio::test]
async fn guests_are_seen_by_those_they_share_a_channel_with() {
    let server = TestServer::start().await;
    let (alice, guest) = (server.register("alice").await, server.register("guest").await);
    let group = public_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&guest], "GUEST").await;
    let _here = alice.socket().await;
    let status = "query($id: ID!) { user(by: { id: $id }) { presence { status } } }";
    let presence =
        async || guest.ask(status, json!({ "id": alice.id })).await.data("user")["presence"]["status"].clone();
    assert_eq!(presence().await, "OFFLINE");
    let place = channel(&alice, &group, "Shared", "PRIVATE").await;
    alice.add(&place, &[&guest], "MEMBER").await;
    assert_eq!(presence().await, "ONLINE");
}
