//! How people keep conversations: what is unread, muted, hidden, and the lists that show it.

use chinwag::import::{Input, Options, SourceName, import};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, PASSWORD, TestServer};

// Reading.

#[tokio::test]
async fn what_others_write_is_unread_until_it_is_read() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    alice.say(&channel, "before Bob").await;
    bob.join(&channel).await;
    assert_eq!(unread(&bob, &channel).await, (0, Value::Null));
    let one = alice.say(&channel, "one").await;
    let two = alice.say(&channel, "two").await;
    let reply = json!({ "conversationId": channel, "content": "in a thread", "threadRootId": one["id"] });
    let reply = alice.write(reply).await;
    assert_eq!(unread(&bob, &channel).await, (2, json!("one")));
    assert_eq!(unread(&alice, &channel).await, (0, Value::Null));

    let marked = mark(&bob, json!({ "conversationId": channel, "messageId": one["id"] })).await;
    let marked = marked.data("markConversationRead");
    assert_eq!(
        (&marked["viewerState"]["lastReadSeq"], &marked["unread"]["conversationCount"]),
        (&one["seq"], &json!(1))
    );
    assert_eq!(unread(&bob, &channel).await, (1, json!("two")));
    // A position that is no message's counts those up to it.
    let marked = mark(&bob, json!({ "conversationId": channel, "seq": reply["seq"] })).await;
    assert_eq!(marked.data("markConversationRead")["viewerState"]["lastReadSeq"], reply["seq"]);
    assert_eq!(unread(&bob, &channel).await, (0, Value::Null));
    // Of what came since, all; nothing was read by answering in a thread.
    let three = alice.say(&channel, "three").await;
    bob.write(json!({ "conversationId": channel, "content": "mine", "threadRootId": two["id"] })).await;
    assert_eq!(unread(&bob, &channel).await, (1, json!("three")));
    let marked = mark(&bob, json!({ "conversationId": channel })).await.data("markConversationRead");
    assert!(marked["viewerState"]["lastReadSeq"].as_i64() > three["seq"].as_i64());
    assert_eq!(marked["unread"]["conversationCount"], 0);
    alice.say(&channel, "four").await;
    bob.say(&channel, "who writes has read").await;
    assert_eq!(unread(&bob, &channel).await, (0, Value::Null));
}

#[tokio::test]
async fn a_deleted_message_is_not_unread() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let read = alice.say(&channel, "read").await;
    mark(&bob, json!({ "conversationId": channel })).await.data("markConversationRead");
    let (one, two) = (alice.say(&channel, "one").await, alice.say(&channel, "two").await);
    let delete = async |message: &Value| {
        let ask = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { seq } }";
        alice.ask(ask, json!({ "id": message["id"] })).await.data("deleteMessage");
    };
    delete(&read).await;
    delete(&one).await;
    assert_eq!(unread(&bob, &channel).await, (1, json!("two")));
    delete(&two).await;
    assert_eq!(unread(&bob, &channel).await, (0, Value::Null));
    assert_eq!(badge(&bob).await, 0);
}

#[tokio::test]
async fn a_position_moves_forward_only() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let (one, two) = (alice.say(&channel, "one").await, alice.say(&channel, "two").await);
    // Beyond the head counts as the head.
    let marked = mark(&bob, json!({ "conversationId": channel, "seq": i32::MAX })).await;
    assert_eq!(marked.data("markConversationRead")["viewerState"]["lastReadSeq"], two["seq"]);
    let before = server.database.contents().await;
    for back in [json!({ "seq": 0 }), json!({ "seq": one["seq"] }), json!({ "messageId": one["id"] }), json!({})] {
        let mut input = back.clone();
        input["conversationId"] = json!(channel);
        let marked = mark(&bob, input).await.data("markConversationRead");
        assert_eq!(marked["viewerState"]["lastReadSeq"], two["seq"], "{back}");
    }
    assert_eq!(server.database.contents().await, before);
    alice.say(&channel, "three").await;
    assert_eq!(unread(&bob, &channel).await, (1, json!("three")));
}

#[tokio::test]
async fn a_position_moves_back_to_just_before_a_message_and_ones_own_stay_read() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let mut said = Vec::new();
    for (who, content) in [(&alice, "a"), (&bob, "b"), (&alice, "c"), (&bob, "d"), (&alice, "e"), (&bob, "f")] {
        said.push(who.say(&channel, content).await);
    }
    let [a, b, c, d, e, f] = said.try_into().ok().unwrap();
    assert_eq!(unread(&bob, &channel).await, (0, Value::Null));
    let marked = mark_unread(&bob, &b).await.data("markConversationUnread");
    assert_eq!(marked["viewerState"], json!({ "lastReadSeq": a["seq"], "unreadCount": 2 }));
    assert_eq!(marked["unread"]["conversationCount"], 1);
    assert_eq!(unread(&bob, &channel).await, (2, json!("c")));
    assert_eq!(inbox(&bob, "isUnread: true").await, ["Anywhere"]);
    // Further back; what is unread already stays so, with what stands before it.
    mark_unread(&bob, &a).await.data("markConversationUnread");
    let before = server.database.contents().await;
    for message in [&a, &b, &f] {
        mark_unread(&bob, message).await.data("markConversationUnread");
    }
    assert_eq!(server.database.contents().await, before);
    assert_eq!(unread(&bob, &channel).await, (3, json!("a")));
    // Forward again, not past all of one's own.
    for (to, left) in [(&a, 2), (&b, 2), (&c, 1), (&d, 1), (&e, 0)] {
        let marked = mark(&bob, json!({ "conversationId": channel, "messageId": to["id"] })).await;
        assert_eq!(marked.data("markConversationRead")["viewerState"]["unreadCount"], left, "up to {}", to["content"]);
    }
    // And back from the middle: one's own from behind it are counted once.
    mark_unread(&bob, &c).await.data("markConversationUnread");
    alice.say(&channel, "g").await;
    assert_eq!(unread(&bob, &channel).await, (3, json!("c")));
    for gone in [&d, &e] {
        let author = if gone["content"] == "d" { &bob } else { &alice };
        let ask = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { seq } }";
        author.ask(ask, json!({ "id": gone["id"] })).await.data("deleteMessage");
    }
    assert_eq!(unread(&bob, &channel).await, (2, json!("c")));
    // Who writes has read.
    mark_unread(&bob, &a).await.data("markConversationUnread");
    bob.say(&channel, "h").await;
    assert_eq!(unread(&bob, &channel).await, (0, Value::Null));
    assert_eq!(unread(&alice, &channel).await, (1, json!("h")), "nobody else's position has moved");
    // What was said before one came can be unread too, by whoever wants it.
    let carol = server.register("carol").await;
    carol.join(&channel).await;
    mark_unread(&carol, &a).await.data("markConversationUnread");
    assert_eq!(unread(&carol, &channel).await, (6, json!("a")));
}

#[tokio::test]
async fn one_marks_unread_from_messages_outside_of_threads_where_one_is_a_member() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let root = alice.say(&channel, "root").await;
    let reply = alice.write(json!({ "conversationId": channel, "content": "reply", "threadRootId": root["id"] })).await;
    mark(&bob, json!({ "conversationId": channel })).await.data("markConversationRead");
    let before = server.database.contents().await;
    assert_eq!(mark_unread(&bob, &reply).await.wrong_fields(), ["input.messageId NOT_ALLOWED"]);
    assert_eq!(mark_unread(&carol, &root).await.code(), "FORBIDDEN");
    let unknown = json!({ "id": chinwag::id::encode("msg", uuid::Uuid::new_v4()) });
    assert_eq!(mark_unread(&bob, &unknown).await.code(), "NOT_FOUND");
    assert_eq!(server.database.contents().await, before);
    archive(&alice, &channel).await;
    let marked = mark_unread(&bob, &root).await.data("markConversationUnread");
    assert_eq!(marked["viewerState"]["unreadCount"], 1);
}

#[tokio::test]
async fn those_who_have_read_a_message_are_listed_unless_they_keep_it() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut others = Vec::new();
    for name in ["bob", "carol", "dave", "erin", "frank"] {
        let person = server.register(name).await;
        person.join(&channel).await;
        others.push(person);
    }
    let message = alice.say(&channel, "Hi").await;
    let later = alice.say(&channel, "Anybody?").await;
    let reply =
        alice.write(json!({ "conversationId": channel, "content": "reply", "threadRootId": message["id"] })).await;
    assert_eq!(readers(&alice, &message, "").await.0, [""; 0], "nobody but who wrote it");
    for person in &others[..4] {
        mark(person, json!({ "conversationId": channel, "messageId": message["id"] }))
            .await
            .data("markConversationRead");
    }
    others[0].prefer(json!({ "privacy": { "sharesReadPosition": false } })).await;
    mark(&others[1], json!({ "conversationId": channel })).await.data("markConversationRead");
    others[3].leave(&channel).await;
    assert_eq!(readers(&alice, &message, "").await.0, ["carol", "dave"]);
    // Everybody who sees the message sees it, whoever they are.
    let reader = server.register("reader").await;
    assert_eq!(readers(&reader, &later, "").await.0, ["carol"]);
    assert_eq!(readers(&alice, &reply, "").await.0, [""; 0], "of a thread the position says nothing");
    mark_unread(&others[1], &message).await.data("markConversationUnread");
    assert_eq!(readers(&alice, &message, "").await.0, ["dave"]);
    // In pages, both ways; a cursor is of one message.
    mark(&others[4], json!({ "conversationId": channel })).await.data("markConversationRead");
    mark(&others[1], json!({ "conversationId": channel })).await.data("markConversationRead");
    let (first, info) = readers(&alice, &message, "first: 2").await;
    assert_eq!((first, &info["hasNextPage"]), (vec!["carol".to_owned(), "dave".to_owned()], &json!(true)));
    let after = format!("after: {}", info["endCursor"]);
    assert_eq!(readers(&alice, &message, &after).await.0, ["frank"]);
    let (last, info) = readers(&alice, &message, "last: 1").await;
    assert_eq!((last, &info["hasPreviousPage"]), (vec!["frank".to_owned()], &json!(true)));
    let before = format!("before: {}", info["startCursor"]);
    assert_eq!(readers(&alice, &message, &before).await.0, ["carol", "dave"]);
    let ask = format!("{{ message(id: {}) {{ readers({after}) {{ nodes {{ id }} }} }} }}", later["id"]);
    assert_eq!(alice.query(&ask).await.wrong_fields(), ["after BAD_FORMAT"]);
}

#[tokio::test]
async fn one_reads_up_to_messages_outside_of_threads() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (channel, other) = (alice.public_channel("Anywhere").await, alice.public_channel("Elsewhere").await);
    bob.join(&channel).await;
    bob.join(&other).await;
    let root = alice.say(&channel, "root").await;
    let reply = json!({ "conversationId": channel, "content": "reply", "threadRootId": root["id"] });
    let reply = alice.write(reply).await;
    let elsewhere = alice.say(&other, "elsewhere").await;
    let before = server.database.contents().await;
    for (message, fault) in [(&reply, "NOT_ALLOWED"), (&elsewhere, "UNKNOWN_ID")] {
        let answer = mark(&bob, json!({ "conversationId": channel, "messageId": message["id"] })).await;
        assert_eq!(answer.wrong_fields(), [format!("input.messageId {fault}")]);
    }
    assert_eq!(server.database.contents().await, before);
}

#[tokio::test]
async fn marking_read_waits_for_nobody_who_writes() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let sent = alice.say(&channel, "one").await;
    let (mut client, connection) = tokio_postgres::connect(&server.database.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let writing = client.transaction().await.unwrap();
    writing.batch_execute("SELECT FROM conversations FOR UPDATE").await.unwrap();
    let marked = mark(&bob, json!({ "conversationId": channel })).await.data("markConversationRead");
    assert_eq!(marked["viewerState"]["lastReadSeq"], sent["seq"]);
    keep(&bob, &channel, json!({ "isFavorite": true, "isHidden": true })).await.data("updateConversationViewerState");
    writing.rollback().await.unwrap();
}

#[tokio::test]
async fn an_archived_conversation_is_read_too() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    alice.say(&channel, "one").await;
    archive(&alice, &channel).await;
    assert_eq!(unread(&bob, &channel).await, (1, json!("one")));
    mark(&bob, json!({ "conversationId": channel })).await.data("markConversationRead");
    assert_eq!(unread(&bob, &channel).await, (0, Value::Null));
}

#[tokio::test]
async fn how_far_one_has_read_is_seen_by_others_unless_one_keeps_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let sent = alice.say(&channel, "one").await;
    let of_bob = async || {
        let ask = "query($id: ID!) { conversation(id: $id) { members { nodes {
            user { username } lastReadSeq lastReadAt } } } }";
        let found = alice.ask(ask, json!({ "id": channel })).await.data("conversation");
        let nodes = found["members"]["nodes"].as_array().unwrap().clone();
        nodes.into_iter().find(|node| node["user"]["username"] == "bob").unwrap()
    };
    assert_eq!(of_bob().await["lastReadAt"], Value::Null, "he has joined, and read nothing yet");
    let marked = mark(&bob, json!({ "conversationId": channel })).await.data("markConversationRead");
    assert_eq!(marked["viewerState"]["lastReadSeq"], sent["seq"]);
    let shown = of_bob().await;
    assert_eq!(shown["lastReadSeq"], sent["seq"]);
    assert!(shown["lastReadAt"].is_string());
    bob.prefer(json!({ "privacy": { "sharesReadPosition": false } })).await;
    let shown = of_bob().await;
    assert_eq!((&shown["lastReadSeq"], &shown["lastReadAt"]), (&Value::Null, &Value::Null));
    // To himself it is shown.
    assert_eq!(state(&bob, &channel).await["lastReadSeq"], sent["seq"]);
}

// Keeping.

#[tokio::test]
async fn a_mute_is_over_when_its_time_has_come() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    alice.say(&channel, "one").await;
    let hour = (server.clock.now() + TimeDelta::hours(1)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let kept = keep(&bob, &channel, json!({ "mutedUntil": hour })).await.data("updateConversationViewerState");
    assert_eq!(kept["viewerState"]["mutedUntil"], *hour);
    // What is absent stays.
    let kept = keep(&bob, &channel, json!({ "isFavorite": true })).await.data("updateConversationViewerState");
    assert_eq!((&kept["viewerState"]["mutedUntil"], &kept["viewerState"]["isFavorite"]), (&json!(hour), &json!(true)));
    assert_eq!(badge(&bob).await, 0);
    assert_eq!(unread(&bob, &channel).await, (1, json!("one")));
    server.clock.advance(TimeDelta::hours(1));
    let bob = Actor::log_in(server.address, "bob").await;
    assert_eq!(state(&bob, &channel).await["mutedUntil"], Value::Null);
    assert_eq!(badge(&bob).await, 1);
    // A mute that is over already is none.
    let before = server.database.contents().await;
    let kept = keep(&bob, &channel, json!({ "mutedUntil": hour })).await.data("updateConversationViewerState");
    assert_eq!(kept["viewerState"]["mutedUntil"], Value::Null);
    assert_eq!(server.database.contents().await, before);
    let tomorrow = (server.clock.now() + TimeDelta::days(1)).to_rfc3339();
    keep(&bob, &channel, json!({ "mutedUntil": tomorrow })).await.data("updateConversationViewerState");
    assert_eq!(badge(&bob).await, 0);
    keep(&bob, &channel, json!({ "mutedUntil": null })).await.data("updateConversationViewerState");
    assert_eq!(state(&bob, &channel).await["mutedUntil"], Value::Null);
    assert_eq!(badge(&bob).await, 1);
}

#[tokio::test]
async fn what_is_hidden_shows_again_when_something_new_is_written() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let root = alice.say(&channel, "one").await;
    assert_eq!(inbox(&bob, "").await, ["Anywhere"]);
    keep(&bob, &channel, json!({ "isHidden": true })).await.data("updateConversationViewerState");
    assert_eq!(state(&bob, &channel).await["isHidden"], true);
    assert_eq!(state(&alice, &channel).await["isHidden"], false);
    assert_eq!((inbox(&bob, "").await, inbox(&bob, "isHidden: true").await), (vec![], vec!["Anywhere".to_owned()]));
    // It is still in the sidebar, and counts for no badge.
    assert_eq!((sidebar(&bob).await, badge(&bob).await), (vec!["Anywhere".to_owned()], 0));
    alice.write(json!({ "conversationId": channel, "content": "in a thread", "threadRootId": root["id"] })).await;
    assert_eq!(state(&bob, &channel).await["isHidden"], true);
    alice.say(&channel, "new").await;
    assert_eq!(state(&bob, &channel).await["isHidden"], false);
    assert_eq!((inbox(&bob, "").await, inbox(&bob, "isHidden: true").await), (vec!["Anywhere".to_owned()], vec![]));
    assert_eq!(badge(&bob).await, 1);
    keep(&bob, &channel, json!({ "isHidden": true })).await.data("updateConversationViewerState");
    keep(&bob, &channel, json!({ "isHidden": false })).await.data("updateConversationViewerState");
    assert_eq!(inbox(&bob, "").await, ["Anywhere"]);
}

#[tokio::test]
async fn what_is_so_already_is_not_written_again() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let tomorrow = (server.clock.now() + TimeDelta::days(1)).to_rfc3339();
    for kept in [
        json!({}),
        json!({ "isFavorite": null, "isHidden": null }),
        json!({ "mutedUntil": null, "isFavorite": false, "isHidden": false }),
    ] {
        let before = server.database.contents().await;
        keep(&alice, &channel, kept.clone()).await.data("updateConversationViewerState");
        assert_eq!(server.database.contents().await, before, "{kept}");
    }
    let all = json!({ "mutedUntil": tomorrow, "isFavorite": true, "isHidden": true });
    keep(&alice, &channel, all.clone()).await.data("updateConversationViewerState");
    let before = server.database.contents().await;
    keep(&alice, &channel, all).await.data("updateConversationViewerState");
    assert_eq!(server.database.contents().await, before);
}

#[tokio::test]
async fn a_seat_begins_anew_when_it_is_taken_again() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    alice.say(&channel, "one").await;
    let tomorrow = (server.clock.now() + TimeDelta::days(1)).to_rfc3339();
    keep(&bob, &channel, json!({ "mutedUntil": tomorrow, "isFavorite": true, "isHidden": true }))
        .await
        .data("updateConversationViewerState");
    let old = state(&bob, &channel).await;
    let node = "query($id: ID!) { node(id: $id) { ... on ConversationViewerState { unreadCount isFavorite } } }";
    let found = bob.ask(node, json!({ "id": old["id"] })).await.data("node");
    assert_eq!(found, json!({ "unreadCount": 1, "isFavorite": true }));
    let leave = "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) { conversation { viewerState { id } } } }";
    let left = bob.ask(leave, json!({ "id": channel })).await.data("leaveConversation");
    assert_eq!(left["conversation"]["viewerState"], Value::Null);
    assert_eq!((state(&bob, &channel).await, sidebar(&bob).await), (Value::Null, vec![]));
    assert_eq!((inbox(&bob, "").await, badge(&bob).await), (vec![], 0));
    assert_eq!(mark(&bob, json!({ "conversationId": channel })).await.code(), "FORBIDDEN");
    bob.join(&channel).await;
    let new = state(&bob, &channel).await;
    assert_ne!(new["id"], old["id"]);
    assert_eq!(bob.ask(node, json!({ "id": old["id"] })).await.data("node"), Value::Null);
    let kept = [&new["mutedUntil"], &new["isFavorite"], &new["isHidden"], &new["unreadCount"]];
    assert_eq!(kept, [&Value::Null, &json!(false), &json!(false), &json!(0)]);
}

#[tokio::test]
async fn a_seat_that_an_import_takes_again_begins_anew_too() {
    let server = TestServer::start().await;
    let lines = |from: usize, kinds: &[&str]| {
        let line = |(number, kind): (usize, &&str)| {
            let at = format!("2004-11-15T12:{:02}:00Z", from + number);
            json!({ "channel": "room", "id": from + number, "at": at, "kind": kind, "nick": "nick", "text": "Hi" })
        };
        kinds.iter().enumerate().map(line).map(|line| format!("{line}\n")).collect::<String>()
    };
    let kept = "SELECT is_favorite, muted_until IS NOT NULL, hidden_no IS NOT NULL FROM conversation_members";
    import_lines(&server, lines(1, &["message"])).await;
    let keep = "UPDATE conversation_members SET is_favorite = true, muted_until = 'infinity', hidden_no = 1";
    server.database.execute(keep).await;
    import_lines(&server, lines(2, &["message"])).await;
    assert_eq!(server.database.rows(kept).await, [["t", "t", "t"]]);
    import_lines(&server, lines(3, &["part", "join"])).await;
    assert_eq!(server.database.rows(kept).await, [["f", "f", "f"]]);
}

// Lists.

#[tokio::test]
async fn a_sidebar_is_all_that_one_is_in_by_place() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for name in ["beta", "Alpha", "gamma", "Delta"] {
        let channel = alice.public_channel(name).await;
        if name != "gamma" {
            bob.join(&channel).await;
        }
    }
    alice.private_channel("between", &[&bob]).await;
    assert_eq!(sidebar(&bob).await, ["beta", "Alpha", "Delta", "between"]);
    assert_eq!(sidebar(&alice).await, ["beta", "Alpha", "gamma", "Delta", "between"]);
}

#[tokio::test]
async fn the_sidebar_comes_with_the_sign_in() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    alice.say(&channel, "one").await;
    let ask = "mutation($input: LoginInput!) { login(input: $input) { viewer { unread { conversationCount }
        sidebar { unreadCount firstUnreadMessage { content } member { user { username } }
            conversation { title lastMessage { content } viewerState { unreadCount } } } } } }";
    // As somebody else, who is signed in still.
    let answer = alice.ask(ask, json!({ "input": { "identifier": "bob", "password": PASSWORD } })).await;
    let viewer = answer.data("login")["viewer"].clone();
    assert_eq!(viewer["unread"]["conversationCount"], 1);
    let expected = json!([{ "unreadCount": 1, "firstUnreadMessage": { "content": "one" },
        "member": { "user": { "username": "bob" } },
        "conversation": { "title": "Anywhere", "lastMessage": { "content": "one" }, "viewerState": { "unreadCount": 1 } } }]);
    assert_eq!(viewer["sidebar"], expected);
}

#[tokio::test]
async fn the_inbox_has_the_latest_first_and_no_short_page() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let mut channels = Vec::new();
    for number in 0..9 {
        let channel = alice.public_channel(&number.to_string()).await;
        bob.join(&channel).await;
        channels.push(channel);
    }
    // The odd ones are unread, of which 3 and 7 are favourites; 5 is muted, which leaves nothing out of the inbox.
    for (number, channel) in channels.iter().enumerate() {
        server.clock.advance(TimeDelta::seconds(1));
        alice.say(channel, "Hi").await;
        if number % 2 == 0 {
            mark(&bob, json!({ "conversationId": channel })).await.data("markConversationRead");
        }
    }
    for number in [3, 7] {
        keep(&bob, &channels[number], json!({ "isFavorite": true })).await.data("updateConversationViewerState");
    }
    keep(&bob, &channels[5], json!({ "mutedUntil": "2999-01-01T00:00:00Z" }))
        .await
        .data("updateConversationViewerState");
    assert_eq!(badge(&bob).await, 3);
    server.clock.advance(TimeDelta::seconds(1));
    alice.say(&channels[1], "Hi again").await;
    assert_eq!(inbox(&bob, "").await, ["1", "8", "7", "6", "5", "4", "3", "2", "0"]);
    assert_eq!(inbox(&bob, "isUnread: true").await, ["1", "7", "5", "3"]);
    assert_eq!(inbox(&bob, "isUnread: false").await, ["8", "6", "4", "2", "0"]);
    assert_eq!(inbox(&bob, "isFavorite: true, kinds: [CHANNEL]").await, ["7", "3"]);
    assert_eq!(inbox(&bob, "isFavorite: false, isUnread: true").await, ["1", "5"]);
    assert_eq!(inbox(&bob, "kinds: [DIRECT]").await, Vec::<String>::new());
    assert_eq!(inbox(&bob, "kinds: []").await, Vec::<String>::new());
    archive(&alice, &channels[7]).await;
    assert_eq!(inbox(&bob, "isUnread: true").await, ["1", "5", "3"]);
    assert_eq!(inbox(&bob, "isArchived: true").await, ["7"]);
    assert_eq!(badge(&bob).await, 2);

    let (first, info) = page(&bob, "filter: { isUnread: false }, first: 2").await;
    assert_eq!(
        (first, &info["hasNextPage"], &info["hasPreviousPage"]),
        (vec!["8".into(), "6".into()], &json!(true), &json!(false))
    );
    let (second, info) =
        page(&bob, &format!("filter: {{ isUnread: false }}, first: 2, after: {}", info["endCursor"])).await;
    assert_eq!((second, &info["hasNextPage"]), (vec!["4".into(), "2".into()], &json!(true)));
    let back = format!("filter: {{ isUnread: false }}, last: 2, before: {}", info["startCursor"]);
    assert_eq!(page(&bob, &back).await.0, ["8", "6"]);
    let (last, info) = page(&bob, "filter: { isUnread: false }, last: 1").await;
    assert_eq!(
        (last, &info["hasPreviousPage"], &info["hasNextPage"]),
        (vec!["0".to_owned()], &json!(true), &json!(false))
    );
    // Written at the same instant, they are told apart by their ids.
    server.database.execute("UPDATE conversations SET last_activity_at = '2030-01-01T00:00:00Z'").await;
    let whole = inbox(&bob, "").await;
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let (some, info) = page(&bob, &format!("first: 3 {after}")).await;
        paged.extend(some);
        if info["hasNextPage"] == false {
            break;
        }
        after = format!("after: {}", info["endCursor"]);
    }
    assert_eq!((paged.len(), paged), (8, whole));
}

// What it costs.

#[tokio::test]
async fn a_sidebar_costs_the_same_statements_however_long_it_is() {
    let server = TestServer::start().await;
    // The first one runs the server, so that whatever is imported is theirs.
    let alice = server.register("alice").await;
    let query = |more: &str| {
        format!(
            "{{ viewer {{ unread {{ conversationCount }} sidebar {{ id lastReadSeq {more} member {{ id role }}
                conversation {{ id title seq lastActivityAt memberCount lastMessage {{ id excerpt author {{ id displayName }} }}
                    viewerState {{ id unreadCount mutedUntil isFavorite isHidden }} }} }} }} }}"
        )
    };
    let mut counts = Vec::new();
    for (channels, messages) in [(0..3, 4), (3..60, 3)] {
        import_channels(&server, channels, messages).await;
        for more in ["", "firstUnreadMessage { id content }"] {
            let query = query(more);
            let (statements, answer) = server.statements(alice.query(&query)).await;
            let rows = answer.data("viewer")["sidebar"].as_array().unwrap().clone();
            assert!(rows.iter().all(|row| row["conversation"]["viewerState"]["unreadCount"].as_i64() >= Some(3)));
            counts.push((rows.len(), statements.len()));
        }
    }
    // The badge, all that is kept with its conversations, the last messages and their authors; and where asked for, which
    // are the first unread ones, and those.
    assert_eq!(counts, [(3, 4), (3, 6), (60, 4), (60, 6)]);
}

#[tokio::test]
async fn opening_a_channel_costs_the_same_statements_however_much_is_in_it() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    import_channels(&server, 0..1, 3).await;
    import_channels(&server, 1..2, 60).await;
    let query = "query($id: ID!) { conversation(id: $id) { id title memberCount viewerState { id lastReadSeq unreadCount
            firstUnreadMessage { id author { id } } }
        lastMessage { id excerpt author { id } } members(first: 50) { nodes { id role lastReadSeq user { id displayName } } }
        messages(last: 50) { seq edges { cursor node { id content author { id displayName } replyTo { id author { id } }
            thread { id replyCount lastReply { id author { id } } } } } pageInfo { hasPreviousPage } } } }";
    let mut counts = Vec::new();
    for (name, shown) in [("channel-0", 3), ("channel-1", 50)] {
        let found = alice
            .query(&format!("{{ channel(by: {{ slug: {name:?} }}) {{ id messages {{ nodes {{ id }} }} }} }}"))
            .await;
        let channel = found.data("channel");
        let id = channel["id"].as_str().unwrap();
        let root = &channel["messages"]["nodes"][1]["id"];
        alice.write(json!({ "conversationId": id, "content": "In a thread", "threadRootId": root })).await;
        let (statements, answer) = server.statements(alice.ask(query, json!({ "id": id }))).await;
        let found = answer.data("conversation");
        assert_eq!(found["messages"]["edges"].as_array().unwrap().len(), shown);
        assert!(found["viewerState"]["firstUnreadMessage"].is_object());
        counts.push(statements.len());
    }
    // Eight: sight, the conversation, the page, its threads, how the viewer keeps it, where its first unread message is,
    // the members and what they share. And the messages and people that these refer to: what is asked for at the same
    // moment is one statement, so up to three and four. Mostly it is eleven or twelve in all; more messages add none.
    assert!(counts.iter().all(|count| (8..=8 + 3 + 4).contains(count)), "{counts:?}");
}

/// Channels in which people say this many things, each answering the one before.
async fn import_channels(server: &TestServer, numbers: std::ops::Range<usize>, messages: usize) {
    let mut lines = String::new();
    for number in numbers.clone() {
        for id in 1..=messages {
            let answers = if id > 1 { json!(id - 1) } else { Value::Null };
            let line = json!({ "channel": format!("channel-{number}"), "id": id, "at": format!("2004-11-15T12:{:02}:00Z", id % 60),
                "kind": "message", "nick": format!("nick{}", (number + id) % 7), "text": format!("{id}"), "reply_to": answers });
            lines += &format!("{line}\n");
        }
    }
    import_lines(server, lines).await;
}

async fn import_lines(server: &TestServer, lines: String) {
    let options = Options { source: SourceName::from("IRC").unwrap(), is_threaded: false };
    let input = Input::new(std::io::Cursor::new(lines), None).unwrap();
    import(&server.app, options, input, |_| {}).await.unwrap();
}

// How one asks.

/// What is unread, and the first of it, which is where the conversation opens.
async fn unread(who: &Actor, channel: &str) -> (i64, Value) {
    let ask = "query($id: ID!) { conversation(id: $id) { viewerState { unreadCount firstUnreadMessage { content } }
        messagesAround(anchor: { firstUnread: true }, before: 0, after: 0) { nodes { content } } } }";
    let found = who.ask(ask, json!({ "id": channel })).await.data("conversation");
    let state = &found["viewerState"];
    let first = state["firstUnreadMessage"]["content"].clone();
    if !first.is_null() {
        assert_eq!(found["messagesAround"]["nodes"][0]["content"], first);
    }
    (state["unreadCount"].as_i64().unwrap(), first)
}

async fn state(who: &Actor, channel: &str) -> Value {
    let ask = "query($id: ID!) { conversation(id: $id) { viewerState { id lastReadSeq unreadCount mutedUntil isFavorite
        isHidden } } }";
    who.ask(ask, json!({ "id": channel })).await.data("conversation")["viewerState"].clone()
}

async fn mark(who: &Actor, input: Value) -> Answer {
    let ask = "mutation($input: MarkConversationReadInput!) { markConversationRead(input: $input) {
        viewerState { lastReadSeq unreadCount } unread { conversationCount } } }";
    who.ask(ask, json!({ "input": input })).await
}

async fn mark_unread(who: &Actor, message: &Value) -> Answer {
    let ask = "mutation($id: ID!) { markConversationUnread(input: { messageId: $id }) {
        viewerState { lastReadSeq unreadCount } unread { conversationCount } } }";
    who.ask(ask, json!({ "id": message["id"] })).await
}

/// Who has read a message, and where the page ends.
async fn readers(as_seen_by: &Actor, message: &Value, page: &str) -> (Vec<String>, Value) {
    let page = if page.is_empty() { String::new() } else { format!("({page})") };
    let ask = format!(
        "{{ message(id: {}) {{ readers{page} {{ nodes {{ user {{ username }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}",
        message["id"]
    );
    let found = as_seen_by.query(&ask).await.data("message")["readers"].clone();
    let nodes = found["nodes"].as_array().unwrap().iter();
    (nodes.map(|node| node["user"]["username"].as_str().unwrap().to_owned()).collect(), found["pageInfo"].clone())
}

async fn keep(who: &Actor, channel: &str, mut input: Value) -> Answer {
    input["conversationId"] = json!(channel);
    let ask = "mutation($input: UpdateConversationViewerStateInput!) { updateConversationViewerState(input: $input) {
        viewerState { mutedUntil isFavorite isHidden } } }";
    who.ask(ask, json!({ "input": input })).await
}

async fn badge(who: &Actor) -> i64 {
    let viewer = who.query("{ viewer { unread { conversationCount } } }").await.data("viewer");
    viewer["unread"]["conversationCount"].as_i64().unwrap()
}

async fn sidebar(who: &Actor) -> Vec<String> {
    let viewer = who.query("{ viewer { sidebar { conversation { title } } } }").await.data("viewer");
    let rows = viewer["sidebar"].as_array().unwrap().clone();
    rows.iter().map(|row| row["conversation"]["title"].as_str().unwrap().to_owned()).collect()
}

/// The titles in the inbox.
async fn inbox(who: &Actor, filter: &str) -> Vec<String> {
    page(who, &format!("filter: {{ {filter} }}")).await.0
}

async fn page(who: &Actor, arguments: &str) -> (Vec<String>, Value) {
    let ask = format!(
        "{{ viewer {{ conversations({arguments}) {{ nodes {{ title }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
    );
    let found = who.query(&ask).await.data("viewer")["conversations"].clone();
    let titles = found["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned());
    (titles.collect(), found["pageInfo"].clone())
}

async fn archive(owner: &Actor, channel: &str) {
    let ask = "mutation($id: ID!) { archiveChannel(input: { channelId: $id }) { channel { id } } }";
    owner.ask(ask, json!({ "id": channel })).await.data("archiveChannel");
}
