//! What a block does to what two say to each other, and does not do to what is said among more.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{add, id, leave, names, open, people, seen, tables_agree};
use crate::harness::{Actor, Answer, TestServer};

const PERMISSIONS: &str = "canPost canReact canAttach canMentionEveryone canPin canStartCall canAddMembers
    canRemoveMembers canManageRoles canModerate canUpdate canArchive canJoin canLeave";

/// What somebody may do in a conversation, by name.
async fn may(by: &Actor, conversation: &str) -> BTreeSet<String> {
    let ask = format!("query($id: ID!) {{ conversation(id: $id) {{ viewerPermissions {{ {PERMISSIONS} }} }} }}");
    let can = by.ask(&ask, json!({ "id": conversation })).await.data("conversation")["viewerPermissions"].clone();
    let can = can.as_object().unwrap().iter().filter(|(_, can)| **can == json!(true));
    can.map(|(name, _)| name.clone()).collect()
}

async fn send(by: &Actor, conversation: &str) -> Answer {
    let key = uuid::Uuid::new_v4().to_string();
    let input = json!({ "conversationId": conversation, "clientKey": key, "content": "Hi" });
    let ask = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { isReplay message { seq } } }";
    by.ask(ask, json!({ "input": input })).await
}

#[tokio::test]
async fn two_in_a_block_read_and_write_nothing_whoever_has_blocked() {
    let server = TestServer::start().await;
    let [alice, bob, carol] = people(&server, &["alice", "bob", "carol"]).await.try_into().ok().unwrap();
    let direct = alice.direct_with(&[&bob]).await;
    let key = "of before the block";
    let input = json!({ "conversationId": direct, "clientKey": key, "content": "Hi" });
    let first = alice.write(input.clone()).await;
    let message = first["id"].as_str().unwrap();
    bob.say(&direct, "Hi").await;
    for done in ["addReaction(input: { messageId: $id, emoji: \"👍\" })", "pinMessage(input: { messageId: $id })"] {
        let ask = format!("mutation($id: ID!) {{ done: {done} {{ seq }} }}");
        alice.ask(&ask, json!({ "id": message })).await.data("done");
    }
    alice.block(&bob).await;
    let before = server.database.contents().await;
    let mut texts = BTreeSet::new();
    for (who, other) in [(&alice, &bob), (&bob, &alice)] {
        for ask in [
            format!(
                "sendMessage(input: {{ conversationId: {direct:?}, clientKey: \"12345678\", content: \"!\" }}) {{ isReplay }}"
            ),
            format!(
                "sendMessage(input: {{ conversationId: {direct:?}, clientKey: \"12345678\", content: \"!\", threadRootId: {message:?} }}) {{ isReplay }}"
            ),
            format!("setTyping(input: {{ conversationId: {direct:?} }}) {{ expiresAt }}"),
            format!("addReaction(input: {{ messageId: {message:?}, emoji: \"👎\" }}) {{ seq }}"),
            format!("removeReaction(input: {{ messageId: {message:?}, emoji: \"👍\" }}) {{ seq }}"),
            format!("pinMessage(input: {{ messageId: {message:?} }}) {{ seq }}"),
            format!("unpinMessage(input: {{ messageId: {message:?} }}) {{ seq }}"),
            format!(
                "addConversationMembers(input: {{ conversationId: {direct:?}, userIds: [{:?}] }}) {{ members {{ id }} }}",
                carol.id
            ),
        ] {
            let answer = who.query(&format!("mutation {{ {ask} }}")).await;
            assert_eq!(answer.code(), "FORBIDDEN", "{} {ask}", who.name);
            texts.insert(answer.0["errors"][0]["message"].as_str().unwrap().to_owned());
        }
        let refused = open(who, &[other]).await;
        assert_eq!(refused.code(), "FORBIDDEN");
        texts.insert(refused.0["errors"][0]["message"].as_str().unwrap().to_owned());
        assert_eq!(open(who, &[other, &carol]).await.0["errors"][0]["message"], refused.0["errors"][0]["message"]);
        assert_eq!(may(who, &direct).await, BTreeSet::new());
        let ask =
            "query($id: ID!) { message(id: $id) { viewerPermissions { canEdit canDelete canPin canReact canReply } } }";
        let can = who.ask(ask, json!({ "id": message })).await.data("message")["viewerPermissions"].clone();
        let own = who.id == alice.id;
        let none = json!({ "canEdit": false, "canDelete": own, "canPin": false, "canReact": false, "canReply": false });
        assert_eq!(can, none, "their own they may take away");
    }
    let edit = format!("mutation {{ editMessage(input: {{ messageId: {message:?}, content: \"Ho\" }}) {{ seq }} }}");
    texts.insert(alice.query(&edit).await.0["errors"][0]["message"].as_str().unwrap().to_owned());
    // One for what is done in it, and one for opening: neither says who wants it so.
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert_eq!(server.database.contents().await, before);

    // It stays readable, and each one's own.
    assert_eq!(seen(&bob, &direct).await["title"], "alice");
    assert_eq!(bob.socket().await.follow(&direct, Some(0)).events_until(6).await.len(), 6);
    let ask = "query($id: ID!) { user(by: { id: $id }) { directConversation { id } } }";
    let found = bob.ask(ask, json!({ "id": alice.id })).await.data("user");
    assert_eq!(found["directConversation"]["id"], direct);
    // An answer that was lost comes again; what was read and what is one's own goes on.
    assert_eq!(alice.write(input).await, first);
    for ask in [
        format!("markConversationRead(input: {{ conversationId: {direct:?} }}) {{ viewerState {{ id }} }}"),
        format!("deleteMessage(input: {{ messageId: {message:?} }}) {{ seq }}"),
    ] {
        let answer = alice.query(&format!("mutation {{ {ask} }}")).await;
        assert!(answer.0.get("errors").is_none(), "{}", answer.0);
    }
    // Both have blocked: it takes both to undo it.
    bob.block(&alice).await;
    alice.unblock(&bob).await;
    assert_eq!(send(&bob, &direct).await.code(), "FORBIDDEN");
    bob.unblock(&alice).await;
    bob.say(&direct, "again").await;
    assert_eq!(open(&alice, &[&bob]).await.data("openDirectConversation")["conversation"]["id"], direct);
}

#[tokio::test]
async fn among_more_a_block_hides_nothing() {
    let server = TestServer::start().await;
    let [alice, bob, carol, dave] = people(&server, &["alice", "bob", "carol", "dave"]).await.try_into().ok().unwrap();
    let direct = carol.direct_with(&[&alice, &bob]).await;
    alice.block(&bob).await;
    for who in [&alice, &bob] {
        who.say(&direct, "Hi").await;
        assert!(may(who, &direct).await.contains("canPost"));
    }
    assert_eq!(names(&seen(&alice, &direct).await["participants"]), ["alice", "bob", "carol"]);
    assert_eq!(alice.socket().await.follow(&direct, Some(0)).events_until(5).await.len(), 5);
    // A third person brings them together; they themselves do not, not even to where they are.
    let before = server.database.contents().await;
    for (who, other) in [(&alice, &bob), (&bob, &alice)] {
        assert_eq!(open(who, &[other, &carol]).await.code(), "FORBIDDEN");
        assert_eq!(open(who, &[other, &dave]).await.code(), "FORBIDDEN");
        let with_carol = [&carol];
        assert_eq!(open(&carol, &[who, other]).await.data("openDirectConversation")["conversation"]["id"], direct);
        assert!(open(who, &[other, with_carol[0]]).await.0["data"]["openDirectConversation"].is_null());
    }
    assert_eq!(server.database.contents().await, before);
    let ours = alice.direct_with(&[&carol, &dave]).await;
    let added = add(&alice, &ours, &[&bob]).await.data("addConversationMembers");
    assert_eq!(added["rejected"], json!([{ "userId": bob.id, "reason": "NOT_ALLOWED" }]));
    let two = alice.direct_with(&[&dave]).await;
    let added = add(&alice, &two, &[&bob, &carol]).await.data("addConversationMembers");
    assert_eq!(added["rejected"], json!([{ "userId": bob.id, "reason": "NOT_ALLOWED" }]));
    assert_eq!(id(&added["conversation"]), ours);
    assert_eq!(add(&dave, &ours, &[&bob]).await.data("addConversationMembers")["rejected"], json!([]));
    // When the third one goes they are two.
    leave(&carol, &direct).await.data("leaveConversation");
    for who in [&alice, &bob] {
        assert_eq!(send(who, &direct).await.code(), "FORBIDDEN");
        assert_eq!(may(who, &direct).await, BTreeSet::new());
    }
    tables_agree(&server).await;
}

#[tokio::test]
async fn what_one_may_is_what_works_when_one_tries() {
    let server = TestServer::start().await;
    let [alice, bob, carol, dave] = people(&server, &["alice", "bob", "carol", "dave"]).await.try_into().ok().unwrap();
    let (notes, two) = (alice.direct_with(&[]).await, alice.direct_with(&[&bob]).await);
    let three = alice.direct_with(&[&bob, &carol]).await;
    let always = ["canPost", "canAttach", "canReact", "canPin", "canStartCall", "canAddMembers"];
    for direct in [&notes, &two, &three] {
        let can = may(&alice, direct).await;
        let mut expected: BTreeSet<_> = always.map(str::to_owned).into();
        if *direct == three {
            expected.extend(["canUpdate", "canLeave"].map(str::to_owned));
        }
        assert_eq!(can, expected);
        for (permission, ask) in [
            (
                "canPost",
                format!(
                    "sendMessage(input: {{ conversationId: {direct:?}, clientKey: \"12345678\", content: \"!\" }}) {{ isReplay }}"
                ),
            ),
            (
                "canUpdate",
                format!(
                    "updateDirectConversation(input: {{ conversationId: {direct:?}, name: \"Ours\" }}) {{ conversation {{ id }} }}"
                ),
            ),
            (
                "canAddMembers",
                format!(
                    "addConversationMembers(input: {{ conversationId: {direct:?}, userIds: [{:?}] }}) {{ members {{ id }} }}",
                    dave.id
                ),
            ),
            ("canLeave", format!("leaveConversation(input: {{ conversationId: {direct:?} }}) {{ conversationId }}")),
        ] {
            let works = alice.query(&format!("mutation {{ {ask} }}")).await.0.get("errors").is_none();
            assert_eq!(works, can.contains(permission), "{permission}, {direct}");
        }
    }
}

// At once.

#[tokio::test]
async fn whoever_is_blocked_is_not_heard_once_that_is_answered() {
    let server = TestServer::start().await;
    let another = server.another().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let direct = alice.direct_with(&[&bob]).await;
    let senders = [bob.clone(), bob.at(another.address), alice.clone()];
    for _ in 0..6 {
        let is_over = tokio_util::sync::CancellationToken::new();
        let speaking = join_all(senders.iter().map(async |who| {
            while !is_over.is_cancelled() {
                send(who, &direct).await;
            }
        }));
        let blocking = async {
            for _ in 0..3 {
                send(&alice, &direct).await;
            }
            bob.at(another.address).block(&alice).await;
            // What was under way when she was blocked may still come; what is sent from now on does not.
            let refused = join_all(senders.iter().map(|who| send(who, &direct))).await;
            is_over.cancel();
            assert!(refused.iter().all(|answer| answer.code() == "FORBIDDEN"));
        };
        tokio::join!(speaking, blocking);
        bob.unblock(&alice).await;
        assert_eq!(open(&alice, &[&bob]).await.data("openDirectConversation")["isNew"], false);
    }
}

#[tokio::test]
async fn whoever_opens_while_they_are_blocked_writes_nothing_there() {
    let server = TestServer::start().await;
    let another = server.another().await;
    for round in 0..8 {
        let (alice, bob) =
            (server.register(&format!("alice-{round}")).await, server.register(&format!("bob-{round}")).await);
        let there = alice.at(another.address);
        let with = [&bob];
        let (opened, ()) = tokio::join!(open(&there, &with), bob.block(&alice));
        assert_eq!(open(&alice, &[&bob]).await.code(), "FORBIDDEN");
        match opened.0["data"]["openDirectConversation"]["conversation"]["id"].as_str() {
            Some(direct) => assert_eq!(send(&alice, direct).await.code(), "FORBIDDEN"),
            None => assert_eq!(opened.code(), "FORBIDDEN"),
        }
    }
    tables_agree(&server).await;
}

/// Blocks are looked up with the rest of what a batch looks for, not draft by draft.
#[tokio::test]
async fn sending_costs_the_same_statements_whatever_it_is_sent_to() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut others = Vec::new();
    for number in 0..12 {
        others.push(server.register(&format!("other-{number}")).await);
    }
    let channel = alice.private_channel("Room", &[&others[0]]).await;
    let mut directs = Vec::new();
    for other in &others {
        directs.push(alice.direct_with(&[other]).await);
    }
    let count = async |conversation: &str| {
        let (statements, answer) = server.statements(send(&alice, conversation)).await;
        answer.data("sendMessage");
        statements.len()
    };
    // Whoever is written to directly is told so, by one more.
    assert_eq!(count(&channel).await + 1, count(&directs[0]).await);
    for other in &others[6..] {
        other.block(&alice).await;
    }
    let (statements, answers) = server.statements(join_all(directs.iter().map(|direct| send(&alice, direct)))).await;
    let codes: Vec<Value> = answers.iter().map(|answer| answer.0["errors"][0]["extensions"]["code"].clone()).collect();
    assert_eq!(codes, [vec![json!(null); 6], vec![json!("FORBIDDEN"); 6]].concat(), "each as it is with that one");
    let looks = statements.iter().filter(|sql| sql.contains("blocks")).count();
    let writes = statements.iter().filter(|sql| sql.starts_with("INSERT INTO messages")).count();
    assert!(looks <= 8 && writes <= 6, "{looks} looks and {writes} writes for 12 drafts");
}
