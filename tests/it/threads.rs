//! Threads: who follows them, how far each has read, and the lists that show it.

use chinwag::import::{Input, Options, SourceName, import};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer, usernames};

const FOLLOW: &str = "mutation($id: ID!) { followThread(input: { messageId: $id }) { thread { id replyCount
    viewerState { isFollowing lastReadSeq unreadCount } } } }";
const UNFOLLOW: &str = "mutation($id: ID!) { unfollowThread(input: { messageId: $id }) { thread { id
    viewerState { isFollowing lastReadSeq unreadCount } } } }";
const MARK: &str = "mutation($id: ID!, $seq: Int) { markThreadRead(input: { messageId: $id, seq: $seq }) {
    thread { viewerState { isFollowing lastReadSeq unreadCount } } unread { threadCount mentionCount } } }";
const THREAD: &str = "query($id: ID!) { node(id: $id) { ... on Thread { replyCount lastReply { content }
    participants { username } root { content deletedAt } viewerState { isFollowing lastReadSeq unreadCount } } } }";
const DELETE: &str = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { seq } }";
const FOLLOWED: &str =
    "query($filter: ThreadFilter, $first: Int, $after: String, $last: Int, $before: String) { viewer {
    unread { threadCount } threads(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { id } } nodes { root { content } }
        pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } }";
const REPLIES: &str = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { node(id: $id) {
    ... on Thread { replies(first: $first, after: $after, last: $last, before: $before) { seq nodes { content }
        edges { cursor } pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } } }";
const AROUND: &str = "query($id: ID!, $anchor: MessageAnchor!) { node(id: $id) { ... on Thread {
    repliesAround(anchor: $anchor, before: 1, after: 1) { nodes { content }
        pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } } }";

async fn reply(who: &Actor, channel: &str, root: &Value, content: &str) -> Value {
    who.write(json!({ "conversationId": channel, "content": content, "threadRootId": root["id"] })).await
}

async fn follow(who: &Actor, root: &Value) -> Value {
    who.ask(FOLLOW, json!({ "id": root["id"] })).await.data("followThread")["thread"].clone()
}

async fn unfollow(who: &Actor, root: &Value) -> Value {
    who.ask(UNFOLLOW, json!({ "id": root["id"] })).await.data("unfollowThread")["thread"].clone()
}

async fn mark(who: &Actor, root: &Value, seq: impl Into<Value>) -> Answer {
    who.ask(MARK, json!({ "id": root["id"], "seq": seq.into() })).await
}

fn thread_id(root: &Value) -> String {
    root["id"].as_str().unwrap().replace("msg_", "thread_")
}

async fn thread(to: &Actor, root: &Value) -> Value {
    to.ask(THREAD, json!({ "id": thread_id(root) })).await.data("node")
}

/// Whether they follow it, and how much is unread.
async fn state(of: &Actor, root: &Value) -> (bool, i64) {
    let state = &thread(of, root).await["viewerState"];
    (state["isFollowing"].as_bool().unwrap(), state["unreadCount"].as_i64().unwrap())
}

async fn followed(by: &Actor, arguments: Value) -> Value {
    by.ask(FOLLOWED, arguments).await.data("viewer")
}

/// The first letters of the messages that the threads on a page are under.
fn roots(page: &Value) -> String {
    let nodes = page["nodes"].as_array().unwrap().iter();
    nodes.map(|node| node["root"]["content"].as_str().unwrap_or("-").to_owned()).collect()
}

fn contents(page: &Value) -> String {
    let nodes = page["nodes"].as_array().unwrap().iter();
    nodes.map(|node| node["content"].as_str().unwrap_or("-").to_owned()).collect()
}

async fn delete(who: &Actor, message: &Value) {
    who.ask(DELETE, json!({ "id": message["id"] })).await.data("deleteMessage");
}

async fn people<const N: usize>(server: &TestServer, names: [&str; N]) -> (String, Vec<Actor>) {
    let people = join_all(names.iter().map(|name| server.register(name))).await;
    let channel = people[0].private_channel("Ours", &people[1..].iter().collect::<Vec<_>>()).await;
    (channel, people)
}

// Following and reading.

#[tokio::test]
async fn a_thread_is_followed_by_writing_by_being_mentioned_and_by_asking() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob", "carol", "dave"]).await;
    let [alice, bob, carol, dave] = people.as_slice() else { unreachable!() };
    let root = alice.say(&channel, "root").await;
    reply(bob, &channel, &root, "one").await;
    reply(bob, &channel, &root, &format!("<@{}> two", carol.id)).await;
    // Whoever writes has read; whoever is called has not, and neither has the one who is answered, who is told nothing.
    assert_eq!(state(bob, &root).await, (true, 0));
    assert_eq!(state(carol, &root).await, (true, 2));
    assert_eq!(state(alice, &root).await, (false, 2));
    assert_eq!(follow(dave, &root).await["viewerState"]["unreadCount"], 2);
    assert_eq!(state(dave, &root).await, (true, 2));
    for (who, count) in [(alice, 0), (bob, 0), (carol, 1), (dave, 1)] {
        assert_eq!(followed(who, json!({})).await["unread"]["threadCount"], count, "{}", who.name);
    }
    // No longer, and what was unread stays so.
    assert_eq!(unfollow(carol, &root).await["viewerState"]["isFollowing"], false);
    assert_eq!(state(carol, &root).await, (false, 2));
    assert_eq!(followed(carol, json!({})).await["unread"]["threadCount"], 0);
    reply(dave, &channel, &root, "three").await;
    assert_eq!(state(carol, &root).await, (false, 3));
    assert_eq!(state(bob, &root).await, (true, 1));
    // Until the next time she is called, or writes.
    reply(dave, &channel, &root, &format!("<@{}>", carol.id)).await;
    assert_eq!(state(carol, &root).await, (true, 4));
    unfollow(carol, &root).await;
    reply(carol, &channel, &root, "four").await;
    assert_eq!(state(carol, &root).await, (true, 0));
    // Doing it again changes nothing, and unfollowing what nobody follows neither.
    let before = server.database.contents().await;
    follow(dave, &root).await;
    unfollow(alice, &root).await;
    assert_eq!(server.database.contents().await, before);
}

#[tokio::test]
async fn a_thread_is_there_before_its_first_reply_for_whoever_follows_it() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob"]).await;
    let [alice, bob] = people.as_slice() else { unreachable!() };
    let root = alice.say(&channel, "root").await;
    let empty = follow(bob, &root).await;
    assert_eq!((&empty["id"], &empty["replyCount"]), (&json!(thread_id(&root)), &json!(0)));
    assert_eq!(thread(bob, &root).await["participants"], json!([]));
    let shown = "query($id: ID!) { message(id: $id) { thread { id } } }";
    assert_eq!(bob.ask(shown, json!({ "id": root["id"] })).await.data("message")["thread"], Value::Null);
    let mine = followed(bob, json!({})).await;
    assert_eq!((roots(&mine["threads"]).as_str(), &mine["unread"]["threadCount"]), ("root", &json!(0)));
    let one = reply(alice, &channel, &root, "one").await;
    assert_eq!(state(bob, &root).await, (true, 1));
    assert_eq!(followed(bob, json!({})).await["unread"]["threadCount"], 1);
    // A reply is under a message, and nothing is under a reply.
    for ask in [FOLLOW, UNFOLLOW, MARK] {
        let answer = bob.ask(ask, json!({ "id": one["id"] })).await;
        assert_eq!(answer.wrong_fields(), ["input.messageId NOT_ALLOWED"]);
    }
    assert_eq!(bob.ask(THREAD, json!({ "id": thread_id(&one) })).await.data("node"), Value::Null);
}

#[tokio::test]
async fn a_position_in_a_thread_moves_forward_only() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob"]).await;
    let [alice, bob] = people.as_slice() else { unreachable!() };
    let root = alice.say(&channel, "root").await;
    let mut replies = Vec::new();
    for content in ["a", "b", "c", "d"] {
        replies.push(reply(alice, &channel, &root, content).await);
    }
    let position = |answer: &Answer| {
        let state = &answer.data("markThreadRead")["thread"]["viewerState"];
        (state["lastReadSeq"].clone(), state["unreadCount"].as_i64().unwrap())
    };
    // Whoever does not follow it has a position all the same.
    let marked = mark(bob, &root, replies[1]["seq"].clone()).await;
    assert_eq!(position(&marked), (replies[1]["seq"].clone(), 2));
    assert_eq!(state(bob, &root).await, (false, 2));
    let before = server.database.contents().await;
    for seq in [json!(0), replies[0]["seq"].clone(), replies[1]["seq"].clone()] {
        assert_eq!(position(&mark(bob, &root, seq).await), (replies[1]["seq"].clone(), 2));
    }
    for seq in [-1, i32::MIN] {
        assert_eq!(mark(bob, &root, seq).await.wrong_fields(), ["input.seq OUT_OF_RANGE"]);
    }
    assert_eq!(server.database.contents().await, before);
    // Reading the conversation reads no thread.
    let all = "mutation($id: ID!) { markConversationRead(input: { conversationId: $id }) { unread { threadCount } } }";
    follow(bob, &root).await;
    let read = bob.ask(all, json!({ "id": channel })).await.data("markConversationRead");
    assert_eq!(read["unread"]["threadCount"], 1);
    assert_eq!(state(bob, &root).await, (true, 2));
    // Beyond the head nothing has been read yet, and without a position all there is.
    let (last, marked) = (&replies[3]["seq"], mark(bob, &root, i32::MAX).await);
    assert_eq!(position(&marked), (last.clone(), 0));
    assert_eq!(marked.data("markThreadRead")["unread"]["threadCount"], 0);
    let five = reply(alice, &channel, &root, "e").await;
    assert_eq!(state(bob, &root).await, (true, 1));
    assert_eq!(position(&mark(bob, &root, Value::Null).await), (five["seq"].clone(), 0));
}

#[tokio::test]
async fn joining_has_read_all_threads_and_joining_again_too() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    let root = alice.say(&channel, "root").await;
    reply(&alice, &channel, &root, "a").await;
    // A reader has no position, and nothing waits for them.
    assert_eq!(state(&bob, &root).await, (false, 0));
    assert_eq!(bob.ask(FOLLOW, json!({ "id": root["id"] })).await.code(), "FORBIDDEN");
    bob.join(&channel).await;
    assert_eq!(state(&bob, &root).await, (false, 0));
    reply(&alice, &channel, &root, "b").await;
    assert_eq!(state(&bob, &root).await, (false, 1));
    follow(&bob, &root).await;
    assert_eq!(roots(&followed(&bob, json!({})).await["threads"]), "root");
    bob.leave(&channel).await;
    let gone = followed(&bob, json!({})).await;
    assert_eq!((roots(&gone["threads"]).as_str(), &gone["unread"]["threadCount"]), ("", &json!(0)));
    assert_eq!(state(&bob, &root).await, (false, 0));
    reply(&alice, &channel, &root, "c").await;
    bob.join(&channel).await;
    assert_eq!(state(&bob, &root).await, (true, 0));
}

#[tokio::test]
async fn whoever_was_removed_is_shown_no_thread_and_follows_none() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob"]).await;
    let [alice, bob] = people.as_slice() else { unreachable!() };
    let root = alice.say(&channel, "root").await;
    reply(bob, &channel, &root, "a").await;
    reply(alice, &channel, &root, "b").await;
    assert_eq!(followed(bob, json!({})).await["unread"]["threadCount"], 1);
    let seat = alice.seat_of(&channel, bob).await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    for filter in [json!({}), json!({ "isUnread": true }), json!({ "conversationId": channel })] {
        let shown = followed(bob, json!({ "filter": filter })).await;
        assert_eq!((roots(&shown["threads"]).as_str(), &shown["unread"]["threadCount"]), ("", &json!(0)));
    }
    assert_eq!(thread(bob, &root).await, Value::Null);
    let before = server.database.contents().await;
    for ask in [FOLLOW, UNFOLLOW, MARK] {
        assert_eq!(bob.ask(ask, json!({ "id": root["id"] })).await.code(), "NOT_FOUND");
    }
    assert_eq!(server.database.contents().await, before);
    // They wrote in it all the same.
    assert_eq!(thread(alice, &root).await["participants"], json!([{ "username": "alice" }, { "username": "bob" }]));
}

#[tokio::test]
async fn deleted_replies_count_no_more_and_a_deleted_root_keeps_its_thread() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob", "carol"]).await;
    let [alice, bob, carol] = people.as_slice() else { unreachable!() };
    let root = alice.say(&channel, "root").await;
    let mut replies = Vec::new();
    for (who, content) in [(bob, "a"), (carol, "b"), (bob, "c"), (alice, "d")] {
        replies.push(reply(who, &channel, &root, content).await);
    }
    let shown = async || {
        let thread = thread(alice, &root).await;
        let wrote: Vec<_> = usernames(&json!({ "nodes": thread["participants"] }));
        (thread["replyCount"].as_i64().unwrap(), thread["lastReply"]["content"].clone(), wrote.join(" "))
    };
    assert_eq!(shown().await, (4, json!("d"), "alice bob carol".into()));
    let limited = "query($id: ID!, $limit: Int!) { node(id: $id) { ... on Thread { participants(limit: $limit) { username } } } }";
    for (limit, count) in [(0, 0), (1, 1), (2, 2), (100, 3)] {
        let found = alice.ask(limited, json!({ "id": thread_id(&root), "limit": limit })).await.data("node");
        assert_eq!(found["participants"].as_array().unwrap().len(), count);
    }
    assert_eq!(state(carol, &root).await, (true, 2));
    delete(bob, &replies[2]).await;
    assert_eq!(shown().await, (3, json!("d"), "alice carol bob".into()));
    assert_eq!(state(carol, &root).await, (true, 1));
    delete(alice, &replies[3]).await;
    assert_eq!(shown().await, (2, json!("b"), "carol bob".into()));
    assert_eq!(state(carol, &root).await, (true, 0));
    assert_eq!(state(bob, &root).await, (true, 0));
    // Tombstones keep their places.
    let page = alice.ask(REPLIES, json!({ "id": thread_id(&root) })).await.data("node");
    assert_eq!(contents(&page["replies"]), "ab--");

    delete(alice, &root).await;
    let kept = thread(bob, &root).await;
    assert_eq!((&kept["replyCount"], &kept["root"]["content"]), (&json!(2), &Value::Null));
    assert_eq!(roots(&followed(bob, json!({})).await["threads"]), "-");
    reply(carol, &channel, &root, "e").await;
    assert_eq!(state(bob, &root).await, (true, 1));
    unfollow(bob, &root).await;
    follow(bob, &root).await;
    assert_eq!(mark(bob, &root, Value::Null).await.data("markThreadRead")["unread"]["threadCount"], 0);
    for message in &replies[..2] {
        delete(if message["content"] == "a" { bob } else { carol }, message).await;
    }
    assert_eq!(shown().await, (1, json!("e"), "carol".into()));
}

#[tokio::test]
async fn whatever_is_done_at_once_the_last_word_holds_and_positions_only_grow() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob"]).await;
    let [alice, bob] = people.as_slice() else { unreachable!() };
    let root = alice.say(&channel, "root").await;
    let mut seqs = Vec::new();
    for _ in 0..12 {
        seqs.push(reply(alice, &channel, &root, "a").await["seq"].as_i64().unwrap());
    }
    // From back to front, and at once.
    let marks = join_all(seqs[..10].iter().rev().map(|seq| mark(bob, &root, *seq))).await;
    marks.iter().for_each(|answer| drop(answer.data("markThreadRead")));
    assert_eq!(thread(bob, &root).await["viewerState"]["lastReadSeq"], seqs[9]);
    assert_eq!(state(bob, &root).await, (false, 2));
    let deeds = (0..30).map(async |number| match number % 5 {
        0 => drop(follow(bob, &root).await),
        1 => drop(unfollow(bob, &root).await),
        2 => drop(reply(alice, &channel, &root, &format!("<@{}>", bob.id)).await),
        3 => drop(reply(bob, &channel, &root, "mine").await),
        _ => drop(mark(bob, &root, seqs[3]).await.data("markThreadRead")),
    });
    join_all(deeds).await;
    let kept = server.database.count("SELECT count(*) FROM thread_followers").await;
    assert_eq!(kept, 2);
    let alone = server.database.count(
        "SELECT count(*) FROM messages WHERE thread_root_seq IS NOT NULL AND author_id <> (SELECT id FROM users WHERE username = 'bob')
         AND seq > (SELECT max(seq) FROM messages WHERE author_id = (SELECT id FROM users WHERE username = 'bob'))",
    );
    let unread = alone.await;
    assert_eq!(state(bob, &root).await.1, unread);
    unfollow(bob, &root).await;
    assert_eq!(state(bob, &root).await, (false, unread));
}

// Reading what was written.

#[tokio::test]
async fn replies_are_read_both_ways_and_around_an_anchor() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob"]).await;
    let [alice, bob] = people.as_slice() else { unreachable!() };
    let (root, other) = (alice.say(&channel, "root").await, alice.say(&channel, "other").await);
    let mut replies = Vec::new();
    for content in ["a", "b", "c", "d", "e"] {
        server.clock.advance(TimeDelta::seconds(60));
        replies.push(reply(alice, &channel, &root, content).await);
        // What stands between them is elsewhere.
        alice.say(&channel, "x").await;
        reply(alice, &channel, &other, "y").await;
    }
    let page = async |mut arguments: Value| {
        arguments["id"] = json!(thread_id(&root));
        bob.ask(REPLIES, arguments).await.data("node")["replies"].clone()
    };
    let first = page(json!({ "first": 2 })).await;
    assert_eq!((contents(&first).as_str(), &first["pageInfo"]["hasNextPage"]), ("ab", &json!(true)));
    let next = page(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(contents(&next), "cd");
    assert_eq!(contents(&page(json!({ "last": 3 })).await), "cde");
    let back = page(json!({ "last": 2, "before": next["pageInfo"]["endCursor"] })).await;
    assert_eq!((contents(&back).as_str(), &back["pageInfo"]["hasPreviousPage"]), ("bc", &json!(true)));

    let around = async |anchor: Value| {
        let answer = bob.ask(AROUND, json!({ "id": thread_id(&root), "anchor": anchor })).await;
        answer.data("node")["repliesAround"].clone()
    };
    let at_c = around(json!({ "messageId": replies[2]["id"] })).await;
    assert_eq!(contents(&at_c), "bcd");
    let on = json!({ "first": 9, "after": at_c["pageInfo"]["endCursor"] });
    assert_eq!(contents(&page(on).await), "e");
    let between = replies[2]["seq"].as_i64().unwrap() + 1;
    assert_eq!(contents(&around(json!({ "seq": between })).await), "cde");
    assert_eq!(contents(&around(json!({ "seq": i32::MAX })).await), "de");
    let time = "query($id: ID!) { message(id: $id) { createdAt } }";
    let time = bob.ask(time, json!({ "id": replies[1]["id"] })).await.data("message")["createdAt"].clone();
    assert_eq!(contents(&around(json!({ "time": time })).await), "abc");
    // The position in the thread, not that in the conversation.
    assert_eq!(contents(&around(json!({ "firstUnread": true })).await), "ab");
    bob.say(&channel, "x").await;
    mark(bob, &root, replies[1]["seq"].clone()).await.data("markThreadRead");
    assert_eq!(contents(&around(json!({ "firstUnread": true })).await), "bcd");
    delete(alice, &replies[2]).await;
    assert_eq!(contents(&around(json!({ "firstUnread": true })).await), "-de");
    mark(bob, &root, Value::Null).await.data("markThreadRead");
    assert_eq!(contents(&around(json!({ "firstUnread": true })).await), "de");
    // Of another thread, or of none.
    for message in [&root, &other] {
        let answer = bob.ask(AROUND, json!({ "id": thread_id(&root), "anchor": { "messageId": message["id"] } })).await;
        assert_eq!(answer.code(), "NOT_FOUND");
    }
}

#[tokio::test]
async fn threads_are_listed_by_their_latest_reply() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob"]).await;
    let [alice, bob] = people.as_slice() else { unreachable!() };
    let elsewhere = alice.private_channel("Elsewhere", &[bob]).await;
    let mut roots_of = Vec::new();
    for content in ["a", "b", "c", "d"] {
        let place = if content == "c" { &elsewhere } else { &channel };
        let root = alice.say(place, content).await;
        follow(bob, &root).await;
        roots_of.push((place.clone(), root));
    }
    let answer = async |place: usize| {
        server.clock.advance(TimeDelta::seconds(1));
        reply(alice, &roots_of[place].0, &roots_of[place].1, "re").await
    };
    for place in [1, 0, 2, 1] {
        answer(place).await;
    }
    // Nobody has answered the last one yet.
    let all = followed(bob, json!({})).await;
    assert_eq!((roots(&all["threads"]).as_str(), &all["unread"]["threadCount"]), ("bcad", &json!(3)));
    let first = followed(bob, json!({ "first": 2 })).await["threads"].clone();
    assert_eq!((roots(&first).as_str(), &first["pageInfo"]["hasNextPage"]), ("bc", &json!(true)));
    let next = followed(bob, json!({ "first": 9, "after": first["pageInfo"]["endCursor"] })).await["threads"].clone();
    assert_eq!(roots(&next), "ad");
    let back = json!({ "last": 1, "before": next["pageInfo"]["startCursor"] });
    assert_eq!(roots(&followed(bob, back).await["threads"]), "c");
    assert_eq!(roots(&followed(bob, json!({ "last": 3 })).await["threads"]), "cad");
    let only = async |filter: Value| roots(&followed(bob, json!({ "filter": filter })).await["threads"]);
    assert_eq!(only(json!({ "conversationId": elsewhere })).await, "c");
    mark(bob, &roots_of[0].1, Value::Null).await.data("markThreadRead");
    assert_eq!(only(json!({ "isUnread": true })).await, "bc");
    assert_eq!(only(json!({ "isUnread": false })).await, "ad");
    assert_eq!(only(json!({ "isUnread": true, "conversationId": channel })).await, "b");
    unfollow(bob, &roots_of[1].1).await;
    assert_eq!(only(json!({})).await, "cad");

    // Those of a conversation are there for whoever sees it, as far as somebody answered.
    let in_channel =
        "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
        threads(first: $first, after: $after, last: $last, before: $before) { nodes { root { content } }
            pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } }";
    let of_channel = async |mut arguments: Value| {
        arguments["id"] = json!(channel);
        alice.ask(in_channel, arguments).await.data("conversation")["threads"].clone()
    };
    assert_eq!(roots(&of_channel(json!({})).await), "ba");
    answer(0).await;
    let first = of_channel(json!({ "first": 1 })).await;
    assert_eq!((roots(&first).as_str(), &first["pageInfo"]["hasNextPage"]), ("a", &json!(true)));
    let next = json!({ "first": 1, "after": first["pageInfo"]["endCursor"] });
    assert_eq!(roots(&of_channel(next).await), "b");
    assert_eq!(roots(&of_channel(json!({ "last": 1 })).await), "b");
    // One without a reply that is not deleted comes last.
    let lonely = answer(3).await;
    assert_eq!(roots(&of_channel(json!({})).await), "dab");
    delete(alice, &lonely).await;
    assert_eq!(roots(&of_channel(json!({})).await), "abd");
}

#[tokio::test]
async fn the_log_tells_of_replies_and_shows_what_their_thread_is_now() {
    let server = TestServer::start().await;
    let (channel, people) = people(&server, ["alice", "bob"]).await;
    let [alice, bob] = people.as_slice() else { unreachable!() };
    let root = alice.say(&channel, "root").await;
    let mut socket = bob.socket().await;
    let log = "subscription($id: ID!) { conversationEvents(conversationId: $id) { seq hasGap events { __typename
        ... on MessageSentEvent { timelineEdge { cursor } threadEdge { cursor node { content } }
            message { threadRoot { id thread { replyCount participants { username } } } } }
        ... on MessagesDeletedEvent { messages { threadRoot { thread { replyCount lastReply { id } } } } } } } }";
    let mut log = socket.run(log, json!({ "id": channel }));
    log.batch().await;
    let sent = reply(alice, &channel, &root, "a").await;
    let event = log.batch().await["events"][0].clone();
    assert_eq!((&event["timelineEdge"], &event["threadEdge"]["node"]["content"]), (&Value::Null, &json!("a")));
    let thread = json!({ "replyCount": 1, "participants": [{ "username": "alice" }] });
    assert_eq!(event["message"]["threadRoot"], json!({ "id": root["id"], "thread": thread }));
    // The cursor goes on in the list.
    let after = json!({ "id": thread_id(&root), "after": event["threadEdge"]["cursor"] });
    reply(alice, &channel, &root, "b").await;
    log.batch().await;
    assert_eq!(contents(&bob.ask(REPLIES, after).await.data("node")["replies"]), "b");
    delete(alice, &sent).await;
    let event = log.batch().await["events"][0].clone();
    assert_eq!(event["messages"][0]["threadRoot"]["thread"]["replyCount"], 1);
    // Following and reading are nobody else's business.
    let seq = log_seq(alice, &channel).await;
    follow(bob, &root).await;
    mark(bob, &root, Value::Null).await.data("markThreadRead");
    assert_eq!(log_seq(alice, &channel).await, seq);
}

async fn log_seq(who: &Actor, channel: &str) -> Value {
    let ask = "query($id: ID!) { conversation(id: $id) { seq } }";
    who.ask(ask, json!({ "id": channel })).await.data("conversation")["seq"].clone()
}

#[tokio::test]
async fn imported_answers_are_read_as_a_thread() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let line = |id: usize, nick: &str, text: &str, reply_to: Option<usize>| {
        json!({ "channel": "talk", "id": id, "at": format!("2007-01-01T00:00:{id:02}Z"), "kind": "message",
            "nick": nick, "text": text, "reply_to": reply_to })
        .to_string()
    };
    let lines = [
        line(1, "ann", "a", None),
        line(2, "ben", "b", Some(1)),
        line(3, "cat", "c", Some(2)),
        line(4, "ben", "d", Some(3)),
        line(5, "ann", "e", None),
    ];
    let options = Options { source: SourceName::from("irc").unwrap(), is_threaded: true };
    let input = Input::new(std::io::Cursor::new(lines.join("\n")), None).unwrap();
    import(&server.app, options, input, |_| {}).await.unwrap();
    let ask = "{ channel(by: { slug: \"talk\" }) { messages { nodes { content thread { id replyCount
        participants { username } lastReply { content } } } } threads { nodes { root { content } } } } }";
    let found = alice.query(ask).await.data("channel");
    assert_eq!((contents(&found["messages"]).as_str(), roots(&found["threads"]).as_str()), ("ae", "a"));
    let thread = &found["messages"]["nodes"][0]["thread"];
    assert_eq!((&thread["replyCount"], &thread["lastReply"]["content"]), (&json!(3), &json!("d")));
    assert_eq!(thread["participants"], json!([{ "username": "ben~irc" }, { "username": "cat~irc" }]));
    let page = alice.ask(REPLIES, json!({ "id": thread["id"], "first": 2 })).await.data("node");
    assert_eq!(contents(&page["replies"]), "bc");
    let after = page["replies"]["pageInfo"]["endCursor"].clone();
    let page = alice.ask(REPLIES, json!({ "id": thread["id"], "after": after })).await.data("node");
    assert_eq!(contents(&page["replies"]), "d");
}
