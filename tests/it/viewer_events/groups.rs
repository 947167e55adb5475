//! Groups, and the lists of their channels and of the server's.

use serde_json::{Value, json};

use super::client::{Client, boot};
use crate::harness::{Actor, TestServer};

async fn done(by: &Actor, field: &str, input: Value, select: &str) -> Value {
    let (first, rest) = field.split_at(1);
    let kind = format!("{}{rest}Input", first.to_uppercase());
    let ask = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ {select} }} }}");
    by.ask(&ask, json!({ "input": input })).await.data(field)
}

async fn group(by: &Actor, name: &str) -> String {
    let found = done(by, "createGroup", json!({ "name": name, "visibility": "PUBLIC" }), "group { id }").await;
    found["group"]["id"].as_str().unwrap().to_owned()
}

/// What somebody is told who was away since then, as kinds with the group they are of.
async fn told_since(who: &Actor, cursor: &str) -> Vec<(String, Value)> {
    let mut client = Client::resume(who, boot(who).await.0, cursor.to_owned()).await;
    let mut told = Vec::new();
    loop {
        let batch = client.next().await;
        for event in batch["events"].as_array().unwrap() {
            let kind = event["__typename"].as_str().unwrap();
            let of = match kind {
                "GroupRemovedEvent" => event["groupId"].clone(),
                "GroupChangedEvent" | "ChannelListChangedEvent" => event["group"]["id"].clone(),
                _ => continue,
            };
            told.push((kind.to_owned(), of));
        }
        if batch["isCaughtUp"] == true {
            told.sort_by_key(|(kind, of)| (kind.clone(), of.to_string()));
            return told;
        }
    }
}

#[tokio::test]
async fn members_hear_of_their_group_and_nobody_else_does() {
    let server = TestServer::start().await;
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| server.register(name));
    let (alice, bob, carol) = (alice.await, bob.await, carol.await);
    let group = group(&alice, "Gardeners").await;
    let (mut member, mut stranger) = (Client::start(&bob).await, Client::start(&carol).await);
    member.catch_up().await;
    stranger.catch_up().await;
    // To begin with they may be told again of themselves.
    stranger.heard.clear();
    done(&bob, "joinGroup", json!({ "groupId": group }), "group { id }").await;
    assert_eq!(member.until("GroupChangedEvent").await["group"]["id"], json!(group));
    done(&alice, "updateGroup", json!({ "groupId": group, "name": "Growers" }), "group { id }").await;
    while member.until("GroupChangedEvent").await["group"]["name"] != "Growers" {}
    let inside = json!({ "name": "Inside", "groupId": group, "visibility": "PUBLIC" });
    done(&alice, "createChannel", inside, "channel { id }").await;
    assert_eq!(member.until("ChannelListChangedEvent").await["group"]["id"], json!(group));
    done(&bob, "leaveGroup", json!({ "groupId": group }), "groupId").await;
    let left = member.until("GroupRemovedEvent").await;
    assert_eq!((&left["groupId"], &left["reason"]), (&json!(group), &json!("LEFT")));
    // What comes next is what everybody hears of: it is the first that a stranger does.
    alice.public_channel("Outside").await;
    assert_eq!(stranger.until("ChannelListChangedEvent").await["group"], Value::Null);
    assert_eq!(stranger.heard, ["ChannelListChangedEvent"]);
    member.heard.clear();
    done(&alice, "updateGroup", json!({ "groupId": group, "name": "Eaters" }), "group { id }").await;
    alice.public_channel("Also outside").await;
    while member.until("ChannelListChangedEvent").await["group"] != Value::Null {}
    assert!(!member.heard.iter().any(|kind| kind == "GroupChangedEvent"), "{:?}", member.heard);
}

#[tokio::test]
async fn whoever_was_away_is_told_of_groups_and_lists() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (stays, leaves) = (group(&alice, "Stays").await, group(&alice, "Leaves").await);
    done(&bob, "joinGroup", json!({ "groupId": leaves }), "group { id }").await;
    let (_, cursor) = boot(&bob).await;
    done(&bob, "joinGroup", json!({ "groupId": stays }), "group { id }").await;
    let seat = "query($id: ID!) { group(by: { id: $id }) { members { nodes { id role } } } }";
    let members = alice.ask(seat, json!({ "id": leaves })).await.data("group")["members"]["nodes"].clone();
    let bobs = members.as_array().unwrap().iter().find(|member| member["role"] == "MEMBER").unwrap();
    done(&alice, "removeGroupMember", json!({ "memberId": bobs["id"] }), "memberId").await;
    // No event of a group that they are not in.
    let hidden = json!({ "name": "Hidden", "groupId": leaves, "visibility": "PUBLIC" });
    done(&alice, "createChannel", hidden, "channel { id }").await;
    done(&alice, "createChannelCategory", json!({ "name": "Heading", "groupId": stays }), "category { id }").await;
    alice.public_channel("Outside").await;
    let expected = [
        ("ChannelListChangedEvent", json!(stays)),
        ("ChannelListChangedEvent", Value::Null),
        ("GroupChangedEvent", json!(stays)),
        ("GroupRemovedEvent", json!(leaves)),
    ];
    assert_eq!(told_since(&bob, &cursor).await, expected.map(|(kind, of)| (kind.to_owned(), of)));
}

/// Of private channels their members hear, and nobody else.
#[tokio::test]
async fn a_list_says_nothing_of_what_is_private() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (_, cursor) = boot(&bob).await;
    let secret = alice.private_channel("Secret", &[]).await;
    let rename = json!({ "channelId": secret, "name": "Still secret" });
    done(&alice, "updateChannel", rename, "channel { id }").await;
    done(&alice, "archiveChannel", json!({ "channelId": secret }), "channel { id }").await;
    assert_eq!(told_since(&bob, &cursor).await, []);
    let open = alice.public_channel("Open").await;
    assert_eq!(told_since(&bob, &cursor).await, [("ChannelListChangedEvent".to_owned(), Value::Null)]);
    let (_, cursor) = boot(&bob).await;
    done(&alice, "updateChannel", json!({ "channelId": open, "visibility": "PRIVATE" }), "channel { id }").await;
    assert_eq!(told_since(&bob, &cursor).await, [("ChannelListChangedEvent".to_owned(), Value::Null)]);
}

/// The higher of a group's and a channel's role counts, so what one may do in the channels changes with the group's.
#[tokio::test]
async fn whoever_gets_another_role_in_a_group_hears_of_its_channels() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = group(&alice, "Gardeners").await;
    let inside = json!({ "name": "Inside", "groupId": group, "visibility": "PUBLIC" });
    let channel = done(&alice, "createChannel", inside, "channel { id }").await["channel"]["id"].clone();
    let joined = done(&bob, "joinGroup", json!({ "groupId": group }), "group { viewerMember { id } }").await;
    let member = &joined["group"]["viewerMember"]["id"];
    done(&bob, "joinChannel", json!({ "channelId": channel }), "channel { id }").await;
    server.database.settle().await;
    let (alices, bobs) = (boot(&alice).await, boot(&bob).await);
    let may_update =
        |kept: &Client| kept.kept.rows[channel.as_str().unwrap()]["viewerPermissions"]["canUpdate"].clone();
    let mut live = Client::start(&bob).await;
    assert_eq!(may_update(&live), false);
    let promotion = json!({ "memberId": member, "role": "ADMIN" });
    done(&alice, "updateGroupMember", promotion, "member { id }").await;
    live.converge(&bob).await;
    assert_eq!(may_update(&live), true);
    done(&alice, "transferGroupOwnership", json!({ "memberId": member }), "group { id }").await;
    for (who, (kept, cursor)) in [(&alice, alices), (&bob, bobs)] {
        let mut away = Client::resume(who, kept, cursor).await;
        away.catch_up().await;
        assert_eq!(away.kept, boot(who).await.0);
        assert!(away.heard.iter().any(|kind| kind == "InboxChangedEvent"), "{:?}", away.heard);
    }
}
