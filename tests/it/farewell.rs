//! Leaving for good.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, Ended, PASSWORD, TestServer};

const DELETE: &str = "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { userId } }";
const MEMBERS: &str = "query($id: ID!) { conversation(id: $id) { id archivedAt members(first: 100) {
    nodes { role user { id username displayName isDeleted } } } } }";
const MESSAGES: &str = "query($id: ID!) { conversation(id: $id) { messages(first: 100) {
    nodes { content deletedAt author { displayName isDeleted } } } } }";
const HISTORY: &str = "SELECT count(*) FROM message_revisions";

async fn delete(actor: &Actor, deletes_messages: bool) -> Answer {
    let input = json!({ "currentPassword": PASSWORD, "deletesMessages": deletes_messages });
    actor.ask(DELETE, json!({ "input": input })).await
}

/// Waits until what others see of somebody is gone.
async fn gone(server: &TestServer) {
    server.clock.advance(TimeDelta::minutes(3));
    server.database.until("SELECT count(*) FROM jobs WHERE kind = 'farewell.erase'", "0").await;
}

async fn members(actor: &Actor, conversation: &str) -> Vec<(String, String)> {
    let found = actor.ask(MEMBERS, json!({ "id": conversation })).await.data("conversation");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let nodes = found["members"]["nodes"].as_array().unwrap().iter();
    nodes.map(|node| (text(&node["user"]["displayName"]), text(&node["role"]))).collect()
}

async fn messages(actor: &Actor, conversation: &str) -> Vec<Value> {
    let found = actor.ask(MESSAGES, json!({ "id": conversation })).await.data("conversation");
    found["messages"]["nodes"].as_array().unwrap().clone()
}

/// All that the database holds, to look for something in it.
async fn holds(server: &TestServer, text: &str) -> Vec<String> {
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
    let mut found = Vec::new();
    for table in server.database.rows(tables).await {
        let table = &table[0];
        let rows = format!("SELECT count(*) FROM {table} AS row WHERE strpos(row::text, '{text}') > 0");
        if server.database.count(&rows).await > 0 {
            found.push(table.clone());
        }
    }
    found
}

#[tokio::test]
async fn whoever_goes_is_gone_at_once() {
    let server = TestServer::start().await;
    let (root, alice) = (server.register("ruth").await, server.register("alice").await);
    let phone = Actor::log_in(server.address, "alice").await;
    let channel = root.public_channel("Lounge").await;
    alice.join(&channel).await;
    alice.prefer(json!({ "theme": "DARK" })).await;
    alice.block(&root).await;
    let mut socket = phone.socket().await;
    let mut stream = socket.follow(&channel, None);
    stream.batch().await;
    let id = delete(&alice, false).await.data("deleteAccount")["userId"].clone();
    assert_eq!(id, *alice.id);
    for session in [&alice, &phone] {
        assert_eq!(session.query("{ viewer { id } }").await.code(), "UNAUTHENTICATED");
    }
    assert_eq!(stream.end().await, Ended::Complete);
    assert_eq!(socket.closed().await, 4401);
    for refresh in [&alice.refresh_token, &phone.refresh_token] {
        let again = "mutation($token: String) { refreshSession(input: { refreshToken: $token }) { session { id } } }";
        assert_eq!(server.anonymous().ask(again, json!({ "token": refresh })).await.code(), "UNAUTHENTICATED");
    }
    let sign_in = "mutation($name: String!, $password: String!) {
        login(input: { identifier: $name, password: $password }) { session { id } } }";
    for name in ["alice", "alice@example.org"] {
        let refused = server.anonymous().ask(sign_in, json!({ "name": name, "password": PASSWORD })).await;
        assert_eq!(refused.code(), "INVALID_CREDENTIALS");
    }
    let user = "query($id: ID!) { user(by: { id: $id }) { username displayName bio isDeleted } }";
    let shown = root.ask(user, json!({ "id": id })).await.data("user");
    assert_eq!((&shown["displayName"], &shown["isDeleted"]), (&json!("Deleted user"), &json!(true)));
    assert!(shown["username"].as_str().unwrap().starts_with("deleted~"), "{shown}");
    // The handle is held, and free later.
    let input = json!({ "email": "m@example.org", "username": "alice", "password": PASSWORD });
    let register = "mutation($input: RegisterInput!) { register(input: $input) { session { id } } }";
    assert_eq!(server.anonymous().ask(register, json!({ "input": input })).await.code(), "CONFLICT");

    gone(&server).await;
    // That a letter was written to the address counts for a while.
    assert_eq!(holds(&server, "alice@example.org").await, ["mailed_tokens"]);
    server.clock.advance(TimeDelta::hours(2));
    server.database.until("SELECT count(*) FROM mailed_tokens WHERE email = 'alice@example.org'", "0").await;
    assert_eq!(holds(&server, "alice@example.org").await, Vec::<String>::new());
    assert_eq!(holds(&server, "alice").await, ["held_usernames"]);
    let own = "user_id = (SELECT id FROM users WHERE deleted_at IS NOT NULL)";
    for table in ["accounts", "presences", "digests", "notifications", "push_devices", "creation_keys"] {
        assert_eq!(server.database.count(&format!("SELECT count(*) FROM {table} WHERE {own}")).await, 0, "{table}");
    }
    let changed = format!("SELECT count(*) FROM preferences WHERE {own} AND theme <> 'SYSTEM'");
    assert_eq!(server.database.count(&changed).await, 0);
    assert_eq!(server.database.count("SELECT count(*) FROM blocks").await, 0);
    assert_eq!(
        server.database.count(&format!("SELECT count(*) FROM sessions WHERE {own} AND ip_address <> ''")).await,
        0
    );
    server.clock.advance(TimeDelta::days(91));
    let again = server.anonymous().ask(register, json!({ "input": input })).await;
    again.data("register");
}

#[tokio::test]
async fn what_they_kept_to_themselves_stays_with_them() {
    let server = TestServer::start().await;
    let ruth = server.register("ruth").await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let two = bob.direct_with(&[&alice]).await;
    let message = bob.say(&two, "Have you read this?").await;
    let all = "query($id: ID!, $seq: Int!, $message: ID!) {
        conversation(id: $id) { members(first: 10, filter: { hasReadSeq: $seq }) { nodes { user { id } lastReadSeq } } }
        message(id: $message) { readers(first: 10) { nodes { user { id } } } } }";
    let shown = async || {
        let asked = bob.ask(all, json!({ "id": two, "seq": message["seq"], "message": message["id"] })).await;
        (asked.data("conversation"), asked.data("message"))
    };
    let read =
        "mutation($id: ID!) { markConversationRead(input: { conversationId: $id }) { unread { mentionCount } } }";
    alice.ask(read, json!({ "id": two })).await.data("markConversationRead");
    let shared = shown().await;
    alice.prefer(json!({ "privacy": { "sharesReadPosition": false } })).await;
    let kept = shown().await;
    assert_ne!(shared, kept);
    delete(&alice, false).await.data("deleteAccount");
    assert_eq!(shown().await, kept);
    gone(&server).await;
    assert_eq!(shown().await, kept);
    drop(ruth);
}

#[tokio::test]
async fn only_whoever_knows_the_password_goes() {
    let server = TestServer::start().await;
    server.register("ruth").await;
    let alice = server.register("alice").await;
    let before = server.database.contents().await;
    for input in [json!({}), json!({ "currentPassword": "wrong" }), json!({ "currentPassword": "" })] {
        assert_eq!(alice.ask(DELETE, json!({ "input": input })).await.code(), "INVALID_CREDENTIALS");
    }
    let input = json!({ "currentPassword": PASSWORD });
    assert_eq!(server.anonymous().ask(DELETE, json!({ "input": input })).await.code(), "UNAUTHENTICATED");
    assert_eq!(server.database.contents().await, before);
}

#[tokio::test]
async fn of_the_last_who_run_the_server_one_stays() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let refused = delete(&alice, false).await;
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "LAST_ADMIN");
    chinwag::users::promote(&server.app, "bob", chinwag::users::ServerRole::Admin).await.unwrap();
    let (one, other) = tokio::join!(delete(&alice, false), delete(&bob, false));
    let refused: Vec<_> = [one, other].into_iter().filter(|answer| answer.0.get("errors").is_some()).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code(), "FAILED_PRECONDITION");
    let left = "SELECT count(*) FROM users WHERE role = 'ADMIN' AND deleted_at IS NULL";
    assert_eq!(server.database.count(left).await, 1);
}

#[tokio::test]
async fn two_windows_that_delete_at_once_delete_once() {
    let server = TestServer::start().await;
    server.register("ruth").await;
    let alice = server.register("alice").await;
    let phone = Actor::log_in(server.address, "alice").await;
    let (one, other) = tokio::join!(delete(&alice, false), delete(&phone, true));
    let refused: Vec<_> = [one, other].into_iter().filter(|answer| answer.0.get("errors").is_some()).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].code(), "UNAUTHENTICATED");
    assert_eq!(server.database.count("SELECT count(*) FROM audit_entries WHERE action = 'user.delete'").await, 1);
}

#[tokio::test]
async fn seats_end_before_others_eyes_and_what_was_owned_goes_to_the_next() {
    let server = TestServer::start().await;
    let ruth = server.register("ruth").await;
    let alice = server.register("alice").await;
    let (bob, carol, dave) =
        (server.register("bob").await, server.register("carol").await, server.register("dave").await);
    let channel = alice.private_channel("Crew", &[]).await;
    alice.add(&channel, &[&dave, &bob], "MEMBER").await;
    server.clock.advance(TimeDelta::seconds(1));
    alice.add(&channel, &[&ruth, &carol], "MODERATOR").await;
    alice.private_channel("Alone", &[]).await;
    let trio = alice.direct_with(&[&bob, &carol]).await;
    let pair = alice.direct_with(&[&bob]).await;
    alice.say(&pair, "Hi").await;
    let create = "mutation { createGroup(input: { name: \"Club\", visibility: PRIVATE }) { group { id } } }";
    let group = alice.query(create).await.data("createGroup")["group"]["id"].clone();
    let inside = json!({ "name": "Inside", "groupId": group });
    let inside = alice.create_channel(inside).await;
    let add = "mutation($group: ID!, $users: [ID!]!) {
        addGroupMembers(input: { groupId: $group, userIds: $users }) { members { id } } }";
    alice.ask(add, json!({ "group": group, "users": [dave.id, bob.id] })).await.data("addGroupMembers");
    dave.join(&inside).await;

    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    let id = delete(&alice, false).await.data("deleteAccount")["userId"].clone();
    let mut seen = Vec::new();
    while !seen.iter().any(|event: &Value| event["__typename"] == "MemberUpdatedEvent") {
        seen.extend(log.batch().await["events"].as_array().unwrap().clone());
    }
    let left = seen.iter().find(|event| event["__typename"] == "MemberLeftEvent").unwrap();
    assert_eq!((&left["reason"], &left["actor"]["id"]), (&json!("LEFT"), &id));
    gone(&server).await;

    // The highest role, and of those the longest there: ruth and carol came together, and one of them has it.
    let owners: Vec<_> = members(&bob, &channel).await.into_iter().filter(|(_, role)| role == "OWNER").collect();
    assert!(owners == [("ruth".into(), "OWNER".into())] || owners == [("carol".into(), "OWNER".into())], "{owners:?}");
    assert_eq!(members(&bob, &channel).await.len(), 4);
    assert_eq!(members(&bob, &trio).await.len(), 2);
    // Of two nobody leaves: the other one reads on, and writes no more.
    assert_eq!(members(&bob, &pair).await.len(), 2);
    let found = bob.ask(MEMBERS, json!({ "id": pair })).await.data("conversation");
    assert!(found["archivedAt"].is_string(), "{found}");
    assert_eq!(messages(&bob, &pair).await[0]["content"], "Hi");
    let send = "mutation($id: ID!) { sendMessage(input: {
        conversationId: $id, clientKey: \"a key of mine\", content: \"Hi?\" }) { message { id } } }";
    assert_eq!(bob.ask(send, json!({ "id": pair })).await.code(), "ARCHIVED");
    let count = "query($id: ID!) { group(by: { id: $id }) { memberCount viewerMember { role } } }";
    let club = dave.ask(count, json!({ "id": group })).await.data("group");
    assert_eq!(club["memberCount"], 2);
    let owner = "SELECT u.username FROM group_members AS m JOIN users AS u ON u.id = m.user_id
        WHERE m.role = 'OWNER' AND m.left_at IS NULL";
    let owner = server.database.rows(owner).await;
    assert!(["dave", "bob"].contains(&owner[0][0].as_str()), "{owner:?}");
    assert_eq!(members(&dave, &inside).await, [("dave".to_owned(), "OWNER".to_owned())]);
    let empty = "SELECT c.member_count::bigint FROM conversations AS c JOIN channels AS n ON n.conversation_id = c.id WHERE n.name = 'Alone'";
    assert_eq!(server.database.count(empty).await, 0);
    let left = "SELECT count(*) FROM conversation_members AS m JOIN users AS u ON u.id = m.user_id
        WHERE u.deleted_at IS NOT NULL AND m.left_at IS NULL";
    assert_eq!(server.database.count(left).await, 1);
    // The new owner hears of it.
    let told = "SELECT count(*) FROM notifications WHERE kind = 'ROLE_CHANGED' AND detail = 'OWNER'";
    assert_eq!(server.database.count(told).await, 3);
}

#[tokio::test]
async fn what_was_written_stays_unless_they_take_it_along() {
    let server = TestServer::start().await;
    let ruth = server.register("ruth").await;
    let channel = ruth.public_channel("Lounge").await;
    for (name, deletes) in [("alice", false), ("bob", true)] {
        let actor = server.register(name).await;
        actor.join(&channel).await;
        let notes = actor.direct_with(&[]).await;
        actor.say(&notes, &format!("the diary of {name}")).await;
        let root = actor.say(&channel, &format!("{name} was here")).await["id"].clone();
        let reply = json!({ "conversationId": channel, "content": format!("{name} again"), "threadRootId": root });
        actor.write(reply).await;
        let first = actor.say(&channel, &format!("{name} says what {name} regrets")).await["id"].clone();
        let edit =
            "mutation($id: ID!) { editMessage(input: { messageId: $id, content: \"Nothing\" }) { message { id } } }";
        actor.ask(edit, json!({ "id": first })).await.data("editMessage");
        delete(&actor, deletes).await.data("deleteAccount");
    }
    gone(&server).await;
    let shown = messages(&ruth, &channel).await;
    let contents: Vec<_> = shown.iter().map(|message| message["content"].clone()).collect();
    assert_eq!(contents, [json!("alice was here"), json!("Nothing"), json!(null), json!(null)]);
    assert!(
        shown.iter().all(|message| message["author"] == json!({ "displayName": "Deleted user", "isDeleted": true }))
    );
    assert!(shown[2]["deletedAt"].is_string());
    // Not even in what was kept of edits; and what is nobody else's is gone either way.
    assert_eq!(server.database.count(HISTORY).await, 1);
    for (text, left) in
        [("bob was here", 0), ("bob regrets", 0), ("bob again", 0), ("the diary of", 0), ("alice regrets", 1)]
    {
        assert_eq!(holds(&server, text).await.len(), left, "{text}");
    }
    let counted = "SELECT count(*) FROM threads WHERE reply_count <> (SELECT count(*) FROM messages AS m
        WHERE m.conversation_id = threads.conversation_id AND m.thread_root_seq = root_seq AND m.deleted_at IS NULL)";
    assert_eq!(server.database.count(counted).await, 0);
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_leaves_the_rest_to_the_next() {
    let mut server = TestServer::start().await;
    let ruth = server.register("ruth").await;
    let alice = server.register("alice").await;
    let mut channels = Vec::new();
    for number in 0..5 {
        let channel = ruth.public_channel(&format!("Channel {number}")).await;
        alice.join(&channel).await;
        for _ in 0..45 {
            alice.say(&channel, "all the same").await;
        }
        channels.push(channel);
    }
    delete(&alice, true).await.data("deleteAccount");
    server.database.until("SELECT count(*) > 0 FROM messages WHERE content IS NULL", "t").await;
    server.die();
    // Its lease would end in a while.
    server.database.execute("UPDATE jobs SET lease = NULL, due_at = '2000-01-01' WHERE kind = 'farewell.erase'").await;
    let next = server.another().await;
    let left = "SELECT (SELECT count(*) FROM messages WHERE content = 'all the same') +
        (SELECT count(*) FROM conversation_members AS m JOIN users AS u ON u.id = m.user_id
         WHERE u.deleted_at IS NOT NULL AND m.left_at IS NULL)";
    next.database.until(left, "0").await;
    for channel in &channels {
        assert!(messages(&ruth.at(next.address), channel).await.iter().all(|message| message["content"].is_null()));
    }
}
