//! Mentions: who is called by a message, how many wait, and the list of them.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

const EDIT: &str = "mutation($id: ID!, $content: String!) { editMessage(input: { messageId: $id, content: $content }) {
    message { mentions { kind user { username } } } } }";
const DELETE: &str = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) {
    message { mentions { kind } } } }";
const NAMED: &str = "query($id: ID!) { message(id: $id) { mentions { kind user { username } } } }";
const COUNTS: &str = "{ viewer { unread { mentionCount } sidebar { conversation { id } mentionCount } } }";
const MENTIONS: &str =
    "query($filter: MentionFilter, $first: Int, $after: String, $last: Int, $before: String) { viewer {
    mentions(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        edges { cursor isRead mention { kind user { username } } node { content } }
        pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } }";
const READ: &str = "mutation($id: ID!, $seq: Int) { markConversationRead(input: { conversationId: $id, seq: $seq }) {
    viewerState { mentionCount } unread { mentionCount } } }";
const READ_THREAD: &str =
    "mutation($id: ID!) { markThreadRead(input: { messageId: $id }) { unread { mentionCount } } }";
const BLOCK: &str = "mutation($id: ID!) { blockUser(input: { userId: $id }) { user { id } } }";

/// Whom a message mentions: names, and what is no name in capitals.
async fn named(to: &Actor, message: &Value) -> String {
    let found = to.ask(NAMED, json!({ "id": message["id"] })).await.data("message");
    words(&found["mentions"])
}

fn words(mentions: &Value) -> String {
    let word = |mention: &Value| match mention["kind"].as_str().unwrap() {
        "USER" => mention["user"]["username"].as_str().unwrap().to_owned(),
        kind => kind.to_owned(),
    };
    mentions.as_array().unwrap().iter().map(word).collect::<Vec<_>>().join(" ")
}

fn at(person: &Actor) -> String {
    format!("<@{}>", person.id)
}

async fn edit(who: &Actor, message: &Value, content: &str) {
    who.ask(EDIT, json!({ "id": message["id"], "content": content })).await.data("editMessage");
}

/// How many wait, as the badge says, which has to be the sum of what the sidebar says.
async fn waiting(of: &Actor) -> i64 {
    let viewer = of.query(COUNTS).await.data("viewer");
    let counts = viewer["sidebar"].as_array().unwrap().iter().map(|state| state["mentionCount"].as_i64().unwrap());
    let badge = viewer["unread"]["mentionCount"].as_i64().unwrap();
    assert_eq!(badge, counts.sum::<i64>());
    // And of what the list says.
    let unread = list(of, json!({ "filter": { "isRead": false }, "first": 100 })).await;
    assert_eq!(badge, unread["edges"].as_array().unwrap().len() as i64);
    badge
}

async fn list(of: &Actor, arguments: Value) -> Value {
    of.ask(MENTIONS, arguments).await.data("viewer")["mentions"].clone()
}

/// What the messages of a page begin with.
fn first_letters(page: &Value) -> String {
    let edges = page["edges"].as_array().unwrap().iter();
    edges.map(|edge| edge["node"]["content"].as_str().map_or('-', |text| text.chars().next().unwrap())).collect()
}

#[tokio::test]
async fn a_message_says_whom_it_mentions_and_an_edit_says_it_anew() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Ours", &[&bob, &carol]).await;
    let nobody = chinwag::id::UserId(uuid::Uuid::new_v4());
    let text = format!("<@here> {} {} {} <@{nobody}> <@everyone>", at(&carol), at(&bob), at(&carol));
    let message = alice.say(&channel, &text).await;
    assert_eq!(named(&bob, &message).await, "carol bob HERE EVERYONE");
    assert_eq!((waiting(&bob).await, waiting(&carol).await, waiting(&alice).await), (1, 1, 0));
    edit(&alice, &message, &format!("only {}", at(&bob))).await;
    assert_eq!(named(&bob, &message).await, "bob");
    assert_eq!((waiting(&bob).await, waiting(&carol).await), (1, 0));
    edit(&alice, &message, &format!("only {}", at(&carol))).await;
    assert_eq!((waiting(&bob).await, waiting(&carol).await), (0, 1));
    edit(&alice, &message, "nobody").await;
    assert_eq!((named(&bob, &message).await.as_str(), waiting(&carol).await), ("", 0));
    edit(&alice, &message, "<@everyone>").await;
    assert_eq!((waiting(&bob).await, waiting(&carol).await), (1, 1));
    let deleted = alice.ask(DELETE, json!({ "id": message["id"] })).await.data("deleteMessage");
    assert_eq!(deleted["message"]["mentions"], json!([]));
    assert_eq!((waiting(&bob).await, waiting(&carol).await), (0, 0));
    assert_eq!(first_letters(&list(&bob, json!({})).await), "");
    // From those who may not it is mere text.
    let text = bob.say(&channel, "<@everyone> <@here>").await;
    assert_eq!((named(&alice, &text).await.as_str(), waiting(&alice).await), ("", 0));
}

#[tokio::test]
async fn each_message_counts_once_until_it_is_read() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    alice.say(&channel, "<@everyone> before Bob").await;
    bob.join(&channel).await;
    assert_eq!(waiting(&bob).await, 0);
    let both = alice.say(&channel, &format!("{} <@everyone> <@here>", at(&bob))).await;
    alice.say(&channel, "no one").await;
    alice.say(&channel, &at(&bob)).await;
    assert_eq!(waiting(&bob).await, 2);
    // A conversation that is silent counts all the same.
    let mute = "mutation($id: ID!) { updateConversationViewerState(input: { conversationId: $id,
        mutedUntil: \"2100-01-01T00:00:00Z\" }) { viewerState { mentionCount } } }";
    let muted = bob.ask(mute, json!({ "id": channel })).await.data("updateConversationViewerState");
    assert_eq!(muted["viewerState"]["mentionCount"], 2);
    assert_eq!(waiting(&bob).await, 2);
    let read = bob.ask(READ, json!({ "id": channel, "seq": both["seq"] })).await.data("markConversationRead");
    assert_eq!(read, json!({ "viewerState": { "mentionCount": 1 }, "unread": { "mentionCount": 1 } }));
    bob.say(&channel, &format!("{} who writes has read", at(&bob))).await;
    assert_eq!(waiting(&bob).await, 0);
    // One's own call nobody back.
    assert_eq!(first_letters(&list(&alice, json!({})).await), "");
}

#[tokio::test]
async fn a_mention_in_a_thread_is_read_there() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Ours", &[&bob]).await;
    let root = alice.say(&channel, "root").await;
    let reply = async |content: &str| {
        alice.write(json!({ "conversationId": channel, "content": content, "threadRootId": root["id"] })).await
    };
    // Everyone is called, and nobody made to follow it.
    reply("<@everyone>").await;
    let kept = server.database.count("SELECT count(*) FROM thread_followers").await;
    assert_eq!((waiting(&bob).await, kept), (1, 1));
    reply(&at(&bob)).await;
    assert_eq!(waiting(&bob).await, 2);
    let read = bob.ask(READ, json!({ "id": channel })).await.data("markConversationRead");
    assert_eq!(read["unread"]["mentionCount"], 2);
    let read = bob.ask(READ_THREAD, json!({ "id": root["id"] })).await.data("markThreadRead");
    assert_eq!(read["unread"]["mentionCount"], 0);
    assert_eq!(waiting(&bob).await, 0);
    let third = reply("plain").await;
    assert_eq!(waiting(&bob).await, 0);
    // An edit calls whom it names for the first time, and no others again.
    let unfollow = "mutation($id: ID!) { unfollowThread(input: { messageId: $id }) { thread { id } } }";
    bob.ask(unfollow, json!({ "id": root["id"] })).await.data("unfollowThread");
    let follows = async || {
        let ask = "query($id: ID!) { message(id: $id) { thread { viewerState { isFollowing } } } }";
        let found = bob.ask(ask, json!({ "id": root["id"] })).await.data("message");
        found["thread"]["viewerState"]["isFollowing"].as_bool().unwrap()
    };
    edit(&alice, &third, &at(&bob)).await;
    assert!(follows().await);
    assert_eq!(waiting(&bob).await, 1);
    bob.ask(unfollow, json!({ "id": root["id"] })).await.data("unfollowThread");
    edit(&alice, &third, &format!("{} again", at(&bob))).await;
    assert!(!follows().await);
    assert_eq!(waiting(&bob).await, 1);
}

#[tokio::test]
async fn whoever_cannot_see_a_place_is_not_told_that_they_were_named_there() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Ours", &[&carol]).await;
    let root = alice.say(&channel, &format!("a {} {}", at(&bob), at(&carol))).await;
    alice.write(json!({ "conversationId": channel, "content": at(&bob), "threadRootId": root["id"] })).await;
    edit(&alice, &root, &format!("b {} {}", at(&bob), at(&carol))).await;
    assert_eq!(named(&carol, &root).await, "carol");
    assert_eq!(server.database.count("SELECT count(*) FROM mentions").await, 1);
    assert_eq!((waiting(&bob).await, first_letters(&list(&bob, json!({})).await).as_str()), (0, ""));
    // Nor later, when they do.
    alice.add(&channel, &[&bob], "MEMBER").await;
    assert_eq!((waiting(&bob).await, first_letters(&list(&bob, json!({})).await).as_str()), (0, ""));
    alice.say(&channel, &format!("c {}", at(&bob))).await;
    alice.say(&channel, "d <@everyone>").await;
    assert_eq!((waiting(&bob).await, first_letters(&list(&bob, json!({})).await).as_str()), (2, "dc"));
    let seat = alice.seat_of(&channel, &bob).await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    assert_eq!((waiting(&bob).await, first_letters(&list(&bob, json!({})).await).as_str()), (0, ""));
    let here = json!({ "filter": { "conversationId": channel } });
    assert_eq!(first_letters(&list(&bob, here).await), "");
    // An edit looks again.
    edit(&alice, &root, &format!("e {} {}", at(&bob), at(&carol))).await;
    assert_eq!(named(&carol, &root).await, "carol");
    // A member again has read all of it; what everyone was told meanwhile was not for them.
    alice.say(&channel, "f <@everyone>").await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    assert_eq!((waiting(&bob).await, first_letters(&list(&bob, json!({})).await).as_str()), (0, "c"));
}

#[tokio::test]
async fn a_reader_of_a_public_channel_finds_their_mention_and_nothing_waits_for_them() {
    let server = TestServer::start().await;
    let (alice, bob, mallory) =
        (server.register("alice").await, server.register("bob").await, server.register("mallory").await);
    let channel = alice.public_channel("Anywhere").await;
    let root = alice.say(&channel, &format!("a {} <@everyone>", at(&bob))).await;
    alice.write(json!({ "conversationId": channel, "content": at(&bob), "threadRootId": root["id"] })).await;
    let page = list(&bob, json!({})).await;
    assert_eq!((first_letters(&page).as_str(), waiting(&bob).await), ("<a", 0));
    assert_eq!(
        (&page["edges"][0]["isRead"], words(&json!([page["edges"][1]["mention"]])).as_str()),
        (&json!(true), "bob")
    );
    assert_eq!(first_letters(&list(&mallory, json!({})).await), "");
    assert_eq!(server.database.count("SELECT count(*) FROM thread_followers").await, 1);
    // Closed to the public, it is out of their sight.
    let close =
        "mutation($id: ID!) { updateChannel(input: { channelId: $id, visibility: PRIVATE }) { channel { id } } }";
    alice.ask(close, json!({ "id": channel })).await.data("updateChannel");
    assert_eq!((first_letters(&list(&bob, json!({})).await).as_str(), waiting(&bob).await), ("", 0));
}

#[tokio::test]
async fn the_blocked_call_nobody_who_blocked_them_in_threads_and_by_edits_neither() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Ours", &[&bob]).await;
    let root = alice.say(&channel, "root").await;
    bob.ask(BLOCK, json!({ "id": alice.id })).await.data("blockUser");
    let reply = json!({ "conversationId": channel, "content": at(&bob), "threadRootId": root["id"] });
    let reply = alice.write(reply).await;
    edit(&alice, &reply, &format!("a {}", at(&bob))).await;
    edit(&alice, &root, &format!("b {}", at(&bob))).await;
    assert_eq!(named(&alice, &reply).await, "");
    assert_eq!((waiting(&bob).await, first_letters(&list(&bob, json!({})).await).as_str()), (0, ""));
    let follows = "query($id: ID!) { message(id: $id) { thread { viewerState { isFollowing unreadCount } } } }";
    let found = bob.ask(follows, json!({ "id": root["id"] })).await.data("message");
    assert_eq!(found["thread"]["viewerState"], json!({ "isFollowing": false, "unreadCount": 1 }));
    // The block is his: he calls her.
    bob.say(&channel, &format!("c {}", at(&alice))).await;
    assert_eq!(waiting(&alice).await, 1);
}

#[tokio::test]
async fn mentions_are_listed_newest_first_page_by_page_and_filtered() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let here = alice.private_channel("Here", &[&bob]).await;
    let there = alice.private_channel("There", &[&bob]).await;
    for (place, content) in [
        (&here, format!("a {}", at(&bob))),
        (&there, "b <@everyone>".into()),
        (&here, "c <@here>".into()),
        (&here, "x".into()),
        (&there, format!("d <@here> {} <@everyone>", at(&bob))),
        (&here, "e <@here> <@everyone>".into()),
        (&there, format!("f {}", at(&bob))),
    ] {
        server.clock.advance(TimeDelta::seconds(1));
        alice.say(place, &content).await;
    }
    let all = list(&bob, json!({})).await;
    assert_eq!(first_letters(&all), "fedcba");
    let how = all["edges"].as_array().unwrap().iter().map(|edge| edge["mention"].clone()).collect();
    assert_eq!(words(&how), "bob EVERYONE bob HERE EVERYONE bob");
    let mut seen = String::new();
    let mut page = list(&bob, json!({ "first": 2 })).await;
    loop {
        seen += &first_letters(&page);
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        page = list(&bob, json!({ "first": 2, "after": page["pageInfo"]["endCursor"] })).await;
    }
    assert_eq!(seen, "fedcba");
    let back = json!({ "last": 2, "before": page["pageInfo"]["startCursor"] });
    assert_eq!(first_letters(&list(&bob, back).await), "dc");
    assert_eq!(first_letters(&list(&bob, json!({ "last": 3 })).await), "cba");
    for (filter, expected) in [
        (json!({ "conversationId": here }), "eca"),
        (json!({ "kinds": ["USER"] }), "fda"),
        (json!({ "kinds": ["HERE"] }), "edc"),
        (json!({ "kinds": ["EVERYONE", "HERE"], "conversationId": there }), "db"),
        (json!({ "kinds": [] }), ""),
        (json!({ "isRead": true }), ""),
    ] {
        assert_eq!(first_letters(&list(&bob, json!({ "filter": filter })).await), expected, "{filter}");
    }
    let only_here = list(&bob, json!({ "filter": { "kinds": ["HERE"] } })).await;
    assert!(only_here["edges"].as_array().unwrap().iter().all(|edge| edge["mention"]["kind"] == "HERE"));
    bob.ask(READ, json!({ "id": there })).await.data("markConversationRead");
    for (is_read, expected) in [(true, "fdb"), (false, "eca")] {
        let found = list(&bob, json!({ "filter": { "isRead": is_read } })).await;
        assert_eq!(first_letters(&found), expected);
        assert!(found["edges"].as_array().unwrap().iter().all(|edge| edge["isRead"] == is_read));
    }
}

/// What is out of sight takes no place on a page: one with nothing on it could not be gone on from.
#[tokio::test]
async fn whoever_left_a_group_has_no_mentions_in_its_channels() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let elsewhere = alice.private_channel("Elsewhere", &[&bob]).await;
    alice.say(&elsewhere, &format!("elsewhere {}", at(&bob))).await;
    let group = alice.query("mutation { createGroup(input: { name: \"Gardeners\" }) { group { id } } }").await;
    let group = group.data("createGroup")["group"]["id"].clone();
    let join = "mutation($id: ID!) { joinGroup(input: { groupId: $id }) { group { id } } }";
    bob.ask(join, json!({ "id": group })).await.data("joinGroup");
    let channel = alice.create_channel(json!({ "groupId": group, "name": "Anywhere" })).await;
    for _ in 0..3 {
        alice.say(&channel, &format!("gardeners {}", at(&bob))).await;
    }
    // Without a seat there, as long as they see it.
    assert_eq!(first_letters(&list(&bob, json!({ "first": 10 })).await), "ggge");
    let leave = "mutation($id: ID!) { leaveGroup(input: { groupId: $id }) { groupId } }";
    bob.ask(leave, json!({ "id": group })).await.data("leaveGroup");
    let page = list(&bob, json!({ "first": 2 })).await;
    assert_eq!((first_letters(&page).as_str(), &page["pageInfo"]["hasNextPage"]), ("e", &json!(false)));
    // As a guest they see no more.
    let add = "mutation($id: ID!, $who: ID!) { addGroupMembers(input: { groupId: $id, userIds: [$who], role: GUEST }) {
        members { id } } }";
    alice.ask(add, json!({ "id": group, "who": bob.id })).await.data("addGroupMembers");
    assert_eq!(first_letters(&list(&bob, json!({ "first": 2 })).await), "e");
}
