//! Writing, changing, deleting and reading messages.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

const EDIT: &str = "mutation($id: ID!, $content: String!, $version: Int) {
    editMessage(input: { messageId: $id, content: $content, expectedVersion: $version }) {
        seq message { content version editedAt } } }";
const DELETE: &str = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) {
    seq message { content deletedAt deletedBy { username } } } }";

/// Contents of a page, with what lies beyond it.
async fn page(reader: &Actor, conversation: &str, arguments: &str) -> (Vec<Value>, Value) {
    let query = format!(
        "query($id: ID!) {{ conversation(id: $id) {{ messages({arguments}) {{
        nodes {{ content }} pageInfo {{ hasPreviousPage hasNextPage startCursor endCursor }} }} }} }}"
    );
    let found = reader.ask(&query, json!({ "id": conversation })).await.data("conversation")["messages"].clone();
    let contents = found["nodes"].as_array().unwrap().iter().map(|node| node["content"].clone()).collect();
    (contents, found["pageInfo"].clone())
}

#[tokio::test]
async fn a_message_goes_from_keyboard_to_socket() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Release planning").await;
    bob.join(&channel).await;
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    let first = log.batch().await;
    assert_eq!(first, json!({ "seq": 2, "isCaughtUp": true, "hasGap": false, "events": [] }));

    let sent = alice.say(&channel, "Hello, Bob").await;
    let batch = log.batch().await;
    assert_eq!((&batch["seq"], &batch["isCaughtUp"]), (&json!(3), &json!(true)));
    let event = &batch["events"][0];
    assert_eq!(event["__typename"], "MessageSentEvent");
    assert_eq!(event["actor"]["username"], "alice");
    assert_eq!(event["message"]["id"], sent["id"]);
    assert_eq!(event["message"]["content"], "Hello, Bob");
    assert!(event["timelineEdge"]["cursor"].is_string() && event["threadEdge"].is_null());
}

#[tokio::test]
async fn one_scrolls_up_and_down_without_losing_a_message() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    for number in 1..=10 {
        alice.say(&channel, &number.to_string()).await;
    }
    let texts = |numbers: std::ops::RangeInclusive<i32>| numbers.map(|n| json!(n.to_string())).collect::<Vec<_>>();
    let (newest, info) = page(&alice, &channel, "last: 4").await;
    assert_eq!(newest, texts(7..=10));
    assert_eq!((&info["hasPreviousPage"], &info["hasNextPage"]), (&json!(true), &json!(false)));
    let up = format!("last: 4, before: {}", info["startCursor"]);
    assert_eq!(page(&alice, &channel, &up).await.0, texts(3..=6));
    let (oldest, info) = page(&alice, &channel, "first: 3").await;
    assert_eq!(oldest, texts(1..=3));
    assert_eq!((&info["hasPreviousPage"], &info["hasNextPage"]), (&json!(false), &json!(true)));
    let down = format!("first: 100, after: {}", info["endCursor"]);
    let (rest, info) = page(&alice, &channel, &down).await;
    assert_eq!((rest, &info["hasNextPage"]), (texts(4..=10), &json!(false)));
    assert_eq!(page(&alice, &channel, "first: 0").await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn one_opens_a_conversation_at_a_message_a_position_an_instant_or_the_first_unread() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let mut sent = Vec::new();
    let begin = server.clock.now();
    for number in 0..6 {
        sent.push(alice.say(&channel, &number.to_string()).await);
        server.clock.advance(TimeDelta::minutes(2));
    }
    let around = async |reader: &Actor, anchor: Value| {
        let query = "query($id: ID!, $anchor: MessageAnchor!) { conversation(id: $id) {
            messagesAround(anchor: $anchor, before: 1, after: 1) { nodes { content }
                pageInfo { hasPreviousPage hasNextPage } } } }";
        let variables = json!({ "id": channel, "anchor": anchor });
        let found = reader.ask(query, variables).await.data("conversation")["messagesAround"].clone();
        let nodes = found["nodes"].as_array().unwrap().clone();
        let contents: String = nodes.iter().map(|node| node["content"].as_str().unwrap()).collect();
        let info = &found["pageInfo"];
        (contents, info["hasPreviousPage"].as_bool().unwrap(), info["hasNextPage"].as_bool().unwrap())
    };
    assert_eq!(around(&bob, json!({ "messageId": sent[3]["id"] })).await, ("234".into(), true, true));
    assert_eq!(around(&bob, json!({ "seq": sent[0]["seq"] })).await, ("01".into(), false, true));
    let time = (begin + TimeDelta::minutes(3)).to_rfc3339();
    assert_eq!(around(&bob, json!({ "time": time })).await, ("123".into(), true, true));
    // Bob has read nothing since he joined; Alice has read what she wrote.
    assert_eq!(around(&bob, json!({ "firstUnread": true })).await, ("01".into(), false, true));
    assert_eq!(around(&alice, json!({ "firstUnread": true })).await, ("45".into(), true, false));
    assert_eq!(around(&bob, json!({ "seq": 999 })).await, ("45".into(), true, false));
    let answer = bob
        .ask(
            "query($id: ID!) { conversation(id: $id) { messagesAround(anchor: { firstUnread: false }) { seq } } }",
            json!({ "id": channel }),
        )
        .await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn an_author_changes_a_message_and_what_it_said_is_kept_apart() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let sent = alice.say(&channel, "teh").await;
    let edit = async |who: &Actor, content: &str, version: Value| {
        who.ask(EDIT, json!({ "id": sent["id"], "content": content, "version": version })).await
    };
    assert_eq!(edit(&bob, "mine", json!(null)).await.code(), "FORBIDDEN");
    let edited = edit(&alice, "the", json!(1)).await.data("editMessage");
    assert_eq!((&edited["message"]["content"], &edited["message"]["version"]), (&json!("the"), &json!(2)));
    assert!(edited["message"]["editedAt"].is_string());
    // The same again is no change: no version, no event.
    let again = edit(&alice, "the", json!(2)).await.data("editMessage");
    assert_eq!((&again["message"]["version"], &again["seq"]), (&json!(2), &edited["seq"]));
    let stale = edit(&alice, "else", json!(1)).await;
    assert_eq!(stale.code(), "VERSION_CONFLICT");
    assert_eq!(stale.0["errors"][0]["extensions"]["currentVersion"], 2);
    let kept = "SELECT count(*) FROM message_revisions WHERE content = 'teh' AND version = 1";
    assert_eq!(server.database.count(kept).await, 1);
}

#[tokio::test]
async fn a_deleted_message_leaves_a_tombstone_and_is_the_last_one_no_longer() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    alice.say(&channel, "first").await;
    let second = alice.say(&channel, "second").await;
    let last = async || {
        let query = "query($id: ID!) { conversation(id: $id) { lastMessage { content } } }";
        alice.ask(query, json!({ "id": channel })).await.data("conversation")["lastMessage"].clone()
    };
    assert_eq!(last().await["content"], "second");
    let deleted = alice.ask(DELETE, json!({ "id": second["id"] })).await.data("deleteMessage");
    assert_eq!(deleted["message"]["content"], json!(null));
    assert_eq!(deleted["message"]["deletedBy"]["username"], "alice");
    assert_eq!(last().await["content"], "first");
    assert_eq!(page(&alice, &channel, "last: 5").await.0, [json!("first"), json!(null)]);
    let again = alice.ask(DELETE, json!({ "id": second["id"] })).await.data("deleteMessage");
    assert_eq!(again["seq"], deleted["seq"]);
    let edited = alice.ask(EDIT, json!({ "id": second["id"], "content": "back" })).await;
    assert_eq!(edited.code(), "FAILED_PRECONDITION");
    assert_eq!(server.database.count("SELECT count(*) FROM message_revisions WHERE content = 'second'").await, 1);
}

#[tokio::test]
async fn a_moderator_deletes_what_others_wrote_and_the_audit_tells() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let (hers, his) = (alice.say(&channel, "hers").await, bob.say(&channel, "his").await);
    assert_eq!(bob.ask(DELETE, json!({ "id": hers["id"] })).await.code(), "FORBIDDEN");
    let deleted = alice.ask(DELETE, json!({ "id": his["id"] })).await.data("deleteMessage");
    assert_eq!(deleted["message"]["deletedBy"]["username"], "alice");
    let noted = format!(
        "SELECT count(*) FROM audit_entries WHERE action = 'message.delete' AND subject_id = '{}'",
        his["id"].as_str().unwrap()
    );
    assert_eq!(server.database.count(&noted).await, 1);
}

#[tokio::test]
async fn moderators_see_who_deleted_what_in_pages_and_nobody_else_does() {
    let server = TestServer::start().await;
    let operator = server.register("operator").await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    alice.add(&channel, &[&carol], "MODERATOR").await;
    let delete = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { seq } }";
    let root = alice.say(&channel, "root").await;
    let (mut dead, mut all) = (Vec::new(), Vec::new());
    for number in 0..10 {
        let sent = bob.say(&channel, "Hi").await["id"].clone();
        let reply = json!({ "conversationId": channel, "content": "in a thread", "threadRootId": root["id"] });
        let reply = bob.write(reply).await["id"].clone();
        all.push(sent.clone());
        if number % 3 == 0 {
            alice.ask(delete, json!({ "id": sent })).await.data("deleteMessage");
            alice.ask(delete, json!({ "id": reply })).await.data("deleteMessage");
            dead.push(sent);
        }
    }
    let ask = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
        deletedMessages(first: $first, after: $after, last: $last, before: $before) {
            seq edges { cursor node { id content author { username } deletedBy { username } } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
    let page = async |by: &Actor, mut arguments: Value| {
        arguments["id"] = json!(channel);
        by.ask(ask, arguments).await.data("conversation")["deletedMessages"].clone()
    };
    let ids = |page: &Value| -> Vec<Value> {
        page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["id"].clone()).collect()
    };
    for moderator in [&alice, &carol] {
        let shown = page(moderator, json!({ "first": 10 })).await;
        assert_eq!(ids(&shown), dead);
        let first = &shown["edges"][0]["node"];
        assert_eq!((&first["content"], &first["author"]["username"]), (&json!(null), &json!("bob")));
        assert_eq!(first["deletedBy"]["username"], "alice");
    }
    // Forwards and backwards, and from any message, deleted or not.
    let one = page(&carol, json!({ "first": 3 })).await;
    let two = page(&carol, json!({ "first": 3, "after": one["pageInfo"]["endCursor"] })).await;
    assert_eq!([ids(&one), ids(&two)].concat(), dead);
    assert_eq!((&one["pageInfo"]["hasNextPage"], &two["pageInfo"]["hasNextPage"]), (&json!(true), &json!(false)));
    let back = page(&carol, json!({ "last": 2, "before": two["pageInfo"]["startCursor"] })).await;
    assert_eq!((ids(&back), &back["pageInfo"]["hasPreviousPage"]), (dead[1..3].to_vec(), &json!(true)));
    let cursor = async |id: &Value| {
        let ask = "query($id: ID!, $message: ID!) { conversation(id: $id) {
            messagesAround(anchor: { messageId: $message }, before: 0, after: 0) { edges { cursor } } } }";
        let found = alice.ask(ask, json!({ "id": channel, "message": id })).await.data("conversation");
        found["messagesAround"]["edges"][0]["cursor"].clone()
    };
    for (message, behind) in [(&all[2], 1), (&all[3], 2), (&all[4], 2)] {
        let shown = page(&carol, json!({ "first": 10, "after": cursor(message).await })).await;
        assert_eq!(ids(&shown), dead[behind..]);
    }
    for (message, before) in [(&all[2], 1), (&all[3], 1), (&all[4], 2), (&all[0], 0)] {
        let shown = page(&carol, json!({ "last": 10, "before": cursor(message).await })).await;
        assert_eq!(ids(&shown), dead[..before]);
    }
    // Who runs the server, reads it or wrote them is shown none; nor is anybody in a direct conversation.
    for person in [&bob, &operator] {
        assert_eq!(page(person, json!({ "first": 10 })).await, json!(null), "{}", person.name);
    }
    let direct = alice.direct_with(&[&bob]).await;
    let shown = alice.ask(ask, json!({ "id": direct, "first": 1 })).await.data("conversation");
    assert_eq!(shown["deletedMessages"], json!(null));
}

#[tokio::test]
async fn a_reply_stands_in_its_thread_and_a_quotation_in_the_conversation() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let root = alice.say(&channel, "root").await;
    let reply = json!({ "conversationId": channel, "content": "reply", "threadRootId": root["id"] });
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push(alice.write(reply.clone()).await);
    }
    let quote = json!({ "conversationId": channel, "content": "quote", "replyToId": replies[0]["id"] });
    let quote = alice.write(quote).await;
    alice.ask(DELETE, json!({ "id": replies[2]["id"] })).await.data("deleteMessage");
    assert_eq!(page(&alice, &channel, "last: 9").await.0, [json!("root"), json!("quote")]);
    let thread = alice
        .ask(
            "query($root: ID!, $quote: ID!) {
                root: message(id: $root) { thread { id replyCount root { content } lastReply { id }
                    replies(last: 9) { nodes { content threadRoot { content } thread { id } } } } }
                quote: message(id: $quote) { replyTo { content } threadRoot { id } } }",
            json!({ "root": root["id"], "quote": quote["id"] }),
        )
        .await;
    let under = &thread.data("root")["thread"];
    assert_eq!((&under["replyCount"], &under["root"]["content"]), (&json!(2), &json!("root")));
    assert_eq!(under["lastReply"]["id"], replies[1]["id"]);
    let contents: Vec<_> = under["replies"]["nodes"].as_array().unwrap().iter().map(|n| n["content"].clone()).collect();
    assert_eq!(contents, [json!("reply"), json!("reply"), json!(null)]);
    assert_eq!(thread.data("quote")["replyTo"]["content"], "reply");
    // Threads do not grow threads.
    let nested = json!({ "input": { "conversationId": channel, "clientKey": "a key of its own", "content": "no",
        "threadRootId": replies[0]["id"] } });
    let answer =
        alice.ask("mutation($input: SendMessageInput!) { sendMessage(input: $input) { isReplay } }", nested).await;
    assert_eq!(answer.wrong_fields(), ["input.threadRootId NOT_ALLOWED"]);
    let node =
        alice.ask("query($id: ID!) { node(id: $id) { ... on Thread { replyCount } } }", json!({ "id": under["id"] }));
    assert_eq!(node.await.data("node")["replyCount"], 2);
}

#[tokio::test]
async fn an_excerpt_shows_people_by_name() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let sent = alice.say(&channel, &format!("**Hi** <@{}>, see `code`", alice.id)).await;
    let query = "query($id: ID!) { message(id: $id) { excerpt short: excerpt(length: 4) } }";
    let message = alice.ask(query, json!({ "id": sent["id"] })).await.data("message");
    assert_eq!(message, json!({ "excerpt": "Hi @alice, see code", "short": "Hi @…" }));
    assert_eq!(server.database.count("SELECT count(*) FROM mentions").await, 1);
}

#[tokio::test]
async fn everyone_is_mentioned_by_those_who_may() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    bob.say(&channel, "<@everyone> buy this").await;
    assert_eq!(server.database.count("SELECT count(*) FROM broadcast_mentions").await, 0);
    alice.say(&channel, "<@everyone> <@here> lunch").await;
    assert_eq!(server.database.count("SELECT count(*) FROM broadcast_mentions").await, 2);
}

#[tokio::test]
async fn times_never_run_backwards_though_the_clock_does() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    alice.say(&channel, "first").await;
    server.clock.advance(TimeDelta::hours(-1));
    alice.say(&channel, "second").await;
    let query = "query($id: ID!) { conversation(id: $id) { messages { nodes { id createdAt } } } }";
    let nodes = alice.ask(query, json!({ "id": channel })).await.data("conversation")["messages"]["nodes"].clone();
    assert_eq!(nodes[0]["createdAt"], nodes[1]["createdAt"]);
}

#[tokio::test]
async fn what_is_unread_is_a_subtraction() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    let root = alice.say(&channel, "before Bob").await;
    bob.join(&channel).await;
    let unread = "SELECT (c.last_msg_no - m.last_read_no - m.own_unread)::bigint FROM conversations c
        JOIN conversation_members m ON m.conversation_id = c.id JOIN users u ON u.id = m.user_id WHERE u.username = 'bob'";
    assert_eq!(server.database.count(unread).await, 0);
    alice.say(&channel, "one").await;
    alice.say(&channel, "two").await;
    alice.write(json!({ "conversationId": channel, "content": "in a thread", "threadRootId": root["id"] })).await;
    assert_eq!(server.database.count(unread).await, 2);
    bob.write(json!({ "conversationId": channel, "content": "reply", "threadRootId": root["id"] })).await;
    assert_eq!(server.database.count(unread).await, 2);
    bob.say(&channel, "who writes has read").await;
    assert_eq!(server.database.count(unread).await, 0);
}

#[tokio::test]
async fn a_page_with_authors_quotations_and_threads_costs_the_same_statements_however_long_it_is() {
    let server = TestServer::start().await;
    let people = [server.register("alice").await, server.register("bob").await, server.register("carol").await];
    let channel = people[0].public_channel("Anywhere").await;
    for person in &people[1..] {
        person.join(&channel).await;
    }
    let root = people[0].say(&channel, "root").await;
    for number in 0..60 {
        let writer = &people[number % 3];
        writer.write(json!({ "conversationId": channel, "content": "quote", "replyToId": root["id"] })).await;
        writer.write(json!({ "conversationId": channel, "content": "reply", "threadRootId": root["id"] })).await;
    }
    let query = "query($id: ID!, $last: Int!) { conversation(id: $id) { id title memberCount messages(last: $last) { seq
        edges { cursor node { id seq content createdAt author { id username displayName } replyTo { id excerpt author { id } }
            threadRoot { id } thread { id replyCount lastReply { id } } } } pageInfo { hasPreviousPage startCursor } } } }";
    // The conversation and its sight, the page, its authors, its threads, what is quoted beside the last replies, and by
    // whom, unless they wrote on this page too.
    for (last, expected) in [(1, 6), (50, 5)] {
        let ask = people[1].ask(query, json!({ "id": channel, "last": last }));
        let (statements, answer) = server.statements(ask).await;
        assert_eq!(answer.data("conversation")["messages"]["edges"].as_array().unwrap().len(), last);
        assert_eq!(statements.len(), expected, "{statements:#?}");
    }
}
