//! What a group's membership means where one hears of its channels: mentions, threads, viewers' streams; and what it does
//! not touch.

use serde_json::{Value, json};

use super::{admit, channel, done, leave, public_group, try_to_say};
use crate::harness::{Actor, Ended, TestServer};
use crate::viewer_events::client::{Client, boot};

const MENTIONS: &str =
    "{ viewer { mentions(first: 1) { edges { isRead node { content } } pageInfo { hasNextPage } } } }";

fn at(person: &Actor) -> String {
    format!("<@{}>", person.id)
}

/// The first letter of the newest message that calls somebody, whether it is read, and whether there are more.
async fn newest_call(of: &Actor) -> Option<(String, bool, bool)> {
    let list = of.query(MENTIONS).await.data("viewer")["mentions"].clone();
    let edge = list["edges"].get(0)?;
    let letter = edge["node"]["content"].as_str().unwrap()[..1].to_owned();
    Some((letter, edge["isRead"].as_bool().unwrap(), list["pageInfo"]["hasNextPage"].as_bool().unwrap()))
}

/// How many mentions wait in a group, which is what wait in its channels.
async fn waiting(of: &Actor, group: &str) -> i64 {
    let ask = "query($id: ID!) { group(by: { id: $id }) { viewerMentionCount }
        viewer { sidebar { mentionCount conversation { ... on Channel { group { id } } } } } }";
    let answer = of.ask(ask, json!({ "id": group })).await;
    let sidebar = answer.data("viewer")["sidebar"].clone();
    let here = sidebar.as_array().unwrap().iter().filter(|state| state["conversation"]["group"]["id"] == group);
    let count = answer.data("group")["viewerMentionCount"].as_i64().unwrap();
    assert_eq!(count, here.map(|state| state["mentionCount"].as_i64().unwrap()).sum::<i64>());
    count
}

/// Whoever comes and goes must not be able to fill the logs of others.
#[tokio::test]
async fn who_comes_and_goes_leaves_traces_only_where_they_have_read() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = public_group(&alice, "Gardeners").await;
    let read = channel(&alice, &group, "One", "PUBLIC").await;
    channel(&alice, &group, "Two", "PUBLIC").await;
    let logs = async || server.database.rows("SELECT last_seq, changed_xid FROM conversations ORDER BY id").await;
    let before = logs().await;
    let come = async || drop(done(&bob, "joinGroup", json!({ "groupId": group }), "group { id }").await);
    let go = async || drop(leave(&bob, &group).await.data("leaveGroup"));
    for _ in 0..2 {
        come().await;
        go().await;
    }
    assert_eq!(logs().await, before);
    // On another server, and again after they have come back.
    let reader = bob.at(other.address);
    for times in 1..=2 {
        come().await;
        let mut socket = reader.socket().await;
        let mut log = socket.follow(&read, None);
        log.batch().await;
        go().await;
        alice.say(&read, "among gardeners").await;
        assert_eq!(log.end().await, Ended::Complete);
        let since = logs().await;
        let written = since
            .iter()
            .zip(&before)
            .map(|(now, then)| now[0].parse::<i32>().unwrap() - then[0].parse::<i32>().unwrap());
        assert_eq!(written.collect::<Vec<_>>(), [2 * times, 0]);
    }
}

#[tokio::test]
async fn mentions_that_wait_in_a_groups_channels_are_counted() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = public_group(&alice, "Gardeners").await;
    let other = public_group(&alice, "Others").await;
    admit(&alice, &group, &[&bob], "MEMBER").await;
    admit(&alice, &other, &[&bob], "MEMBER").await;
    let (one, two) = (channel(&alice, &group, "One", "PUBLIC").await, channel(&alice, &group, "Two", "PRIVATE").await);
    let unjoined = channel(&alice, &group, "Three", "PUBLIC").await;
    let apart = channel(&alice, &other, "One", "PUBLIC").await;
    let direct = alice.direct_with(&[&bob]).await;
    for place in [&one, &two, &apart] {
        alice.add(place, &[&bob], "MEMBER").await;
    }
    assert_eq!(waiting(&bob, &group).await, 0);
    for place in [&one, &two, &unjoined, &apart, &direct] {
        alice.say(place, &format!("{} <@everyone> <@here>", at(&bob))).await;
    }
    assert_eq!(waiting(&bob, &group).await, 2);
    // In a thread, which is read there.
    let root = alice.say(&one, "root").await;
    let reply = json!({ "conversationId": one, "content": at(&bob), "threadRootId": root["id"] });
    alice.write(reply).await;
    assert_eq!(waiting(&bob, &group).await, 3);
    // Muted and archived ones count all the same.
    let mute = json!({ "conversationId": two, "mutedUntil": "2999-01-01T00:00:00Z" });
    done(&bob, "updateConversationViewerState", mute, "viewerState { id }").await;
    done(&alice, "archiveChannel", json!({ "channelId": two }), "channel { id }").await;
    assert_eq!(waiting(&bob, &group).await, 3);
    done(&bob, "markConversationRead", json!({ "conversationId": one }), "viewerState { id }").await;
    assert_eq!((waiting(&bob, &group).await, waiting(&bob, &other).await), (2, 1));
    done(&bob, "markThreadRead", json!({ "messageId": root["id"] }), "thread { id }").await;
    assert_eq!((waiting(&bob, &group).await, waiting(&alice, &group).await), (1, 0));
    leave(&bob, &group).await.data("leaveGroup");
    assert_eq!((waiting(&bob, &group).await, waiting(&bob, &other).await), (0, 1));
}

#[tokio::test]
async fn a_mention_in_a_public_channel_reaches_whoever_sees_it_for_as_long_as_they_do() {
    let server = TestServer::start().await;
    let (alice, bob, guest, former, stranger) = (
        server.register("alice").await,
        server.register("bob").await,
        server.register("guest").await,
        server.register("former").await,
        server.register("stranger").await,
    );
    let all = [&bob, &guest, &former, &stranger];
    let group = public_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&bob, &former], "MEMBER").await;
    admit(&alice, &group, &[&guest], "GUEST").await;
    let (inside, outside) = (channel(&alice, &group, "One", "PUBLIC").await, alice.public_channel("Outside").await);
    leave(&former, &group).await.data("leaveGroup");
    let named = all.map(at).concat();
    alice.say(&outside, &format!("a {named}")).await;
    server.clock.advance(chrono::TimeDelta::seconds(1));
    let message = alice.say(&inside, &format!("b {named}")).await;
    assert_eq!(newest_call(&bob).await, Some(("b".into(), true, true)));
    for person in [&guest, &former, &stranger] {
        assert_eq!(newest_call(person).await, Some(("a".into(), true, false)), "{}", person.name);
    }
    let ask = "query($id: ID!) { message(id: $id) { mentions { user { username } } } }";
    let shown = bob.ask(ask, json!({ "id": message["id"] })).await.data("message");
    assert_eq!(shown["mentions"], json!([{ "user": { "username": "bob" } }]));
    assert_eq!(waiting(&bob, &group).await, 0);
    // Out of sight it leaves no gap in the list.
    leave(&bob, &group).await.data("leaveGroup");
    assert_eq!(newest_call(&bob).await, Some(("a".into(), true, false)));
    // Nor does it for a guest, until they are added.
    admit(&alice, &group, &[&bob], "GUEST").await;
    assert_eq!(newest_call(&bob).await, Some(("a".into(), true, false)));
    alice.add(&inside, &[&bob], "MEMBER").await;
    assert_eq!(newest_call(&bob).await, Some(("b".into(), true, true)));
}

/// Hears on until each of these was said to be lost, once.
async fn loses(client: &mut Client, places: &[&String], reason: &str) {
    let mut lost = Vec::new();
    while lost.len() < places.len() {
        let batch = client.next().await;
        let mut events = batch["events"].as_array().unwrap().clone();
        events.retain(|event| event["__typename"] == "ConversationRemovedEvent");
        assert!(events.iter().all(|event| event["reason"] == reason), "{batch}");
        lost.extend(events.iter().map(|event| event["conversationId"].as_str().unwrap().to_owned()));
    }
    lost.sort();
    let mut expected: Vec<String> = places.iter().map(|place| place.to_string()).collect();
    expected.sort();
    assert_eq!(lost, expected);
}

#[tokio::test]
async fn whoever_is_out_of_a_group_hears_of_each_seat_lost_and_keeps_what_is_no_part_of_it() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let group = public_group(&alice, "Gardeners").await;
    let seats = admit(&alice, &group, &[&bob, &carol], "MEMBER").await;
    let (open, shut) =
        (channel(&alice, &group, "Open", "PUBLIC").await, channel(&alice, &group, "Shut", "PRIVATE").await);
    channel(&alice, &group, "Unjoined", "PUBLIC").await;
    for place in [&open, &shut] {
        alice.add(place, &[&bob, &carol], "MEMBER").await;
    }
    let (direct, many) = (alice.direct_with(&[&bob]).await, alice.direct_with(&[&bob, &carol]).await);
    // A thread that each of them follows, with something unread.
    let root = alice.say(&shut, "root").await;
    for person in [&bob, &carol] {
        let reply = json!({ "conversationId": shut, "content": "Hi", "threadRootId": root["id"] });
        person.write(reply).await;
    }
    alice.write(json!({ "conversationId": shut, "content": at(&bob), "threadRootId": root["id"] })).await;
    let threads = "{ viewer { threads { nodes { id } } unread { threadCount mentionCount conversationCount } } }";
    let before = bob.query(threads).await.data("viewer");
    assert_eq!(before["threads"]["nodes"].as_array().unwrap().len(), 1);
    assert_eq!((&before["unread"]["threadCount"], &before["unread"]["mentionCount"]), (&json!(1), &json!(1)));
    let others: Value = alice.ask(MEMBERS, json!({ "id": many })).await.data("conversation");

    for (person, reason) in [(&bob, "REMOVED"), (&carol, "LEFT")] {
        let (kept, cursor) = boot(person).await;
        let mut live = Client::start(person).await;
        live.catch_up().await;
        match reason {
            "REMOVED" => drop(done(&alice, "removeGroupMember", json!({ "memberId": seats[0] }), "memberId").await),
            _ => drop(leave(person, &group).await.data("leaveGroup")),
        }
        loses(&mut live, &[&open, &shut], reason).await;
        live.converge(person).await;
        let mut resumed = Client::resume(person, kept, cursor).await;
        loses(&mut resumed, &[&open, &shut], reason).await;
        resumed.converge(person).await;
        assert!(live.kept.rows.contains_key(&many), "{:?}", live.kept.rows);
        // What is said there from now on is not for them.
        alice.say(&shut, &format!("{} {}", at(person), "among us")).await;
        live.hears_nothing().await;
        let after = person.query(threads).await.data("viewer");
        assert_eq!(after["threads"]["nodes"], json!([]));
        assert_eq!(after["unread"], json!({ "threadCount": 0, "mentionCount": 0, "conversationCount": 0 }));
    }
    assert_eq!(alice.ask(MEMBERS, json!({ "id": many })).await.data("conversation"), others);
    for place in [&direct, &many] {
        try_to_say(&bob, place).await.data("sendMessage");
    }
    // Archived, the group closes no direct conversation.
    done(&alice, "archiveGroup", json!({ "groupId": group }), "group { id }").await;
    try_to_say(&alice, &direct).await.data("sendMessage");
}

const MEMBERS: &str = "query($id: ID!) { conversation(id: $id) { memberCount members(first: 10) { nodes { id } } } }";
