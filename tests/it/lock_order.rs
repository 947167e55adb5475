//! Who wants the same rows wants them in the same order: one waits for the other, and neither is undone.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::harness::{Actor, Database, TestServer};

const LEVEL: &str =
    "mutation { updatePreferences(input: { notifications: { defaultLevel: ALL } }) { preferences { version } } }";

/// Rows that are held until this is dropped.
async fn hold(database: &Database, sql: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
    client
}

/// Waits until so many wait for a row.
async fn waiting(database: &Database, count: usize) {
    let wait = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    database.until(wait, &count.to_string()).await;
}

/// Has somebody do something, while others do other things.
fn does(who: &Actor, mutation: &'static str, variables: Value) -> JoinHandle<Value> {
    let who = who.clone();
    tokio::spawn(async move { who.ask(mutation, variables).await.0 })
}

/// Gives back what was held; then all of these succeed.
async fn succeed(doing: Vec<JoinHandle<Value>>, held: Client) {
    drop(held);
    for done in doing {
        let answer = done.await.unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
    }
}

/// Nothing was undone and begun anew.
fn ran_once(statements: &[String], beginnings: &[&str]) {
    for beginning in beginnings {
        let ran = statements.iter().filter(|sql| sql.starts_with(beginning)).count();
        assert_eq!(ran, 1, "{beginning}");
    }
}

#[tokio::test]
async fn who_comes_back_and_who_wants_to_hear_of_everything() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    bob.leave(&channel).await;
    let join = "mutation($id: ID!) { joinChannel(input: { channelId: $id }) { channel { id } } }";
    let work = async {
        let held = hold(&server.database, "SELECT FROM users WHERE username = 'bob' FOR NO KEY UPDATE").await;
        let joins = does(&bob, join, json!({ "id": channel }));
        waiting(&server.database, 1).await;
        let prefers = does(&bob, LEVEL, json!({}));
        waiting(&server.database, 2).await;
        succeed(vec![joins, prefers], held).await;
    };
    let (statements, ()) = server.statements(work).await;
    ran_once(&statements, &["INSERT INTO \"conversation_members\"", "INSERT INTO \"preferences\""]);
    let level =
        "SELECT level_in_force FROM conversation_members JOIN users ON users.id = user_id WHERE username = 'bob'";
    assert_eq!(server.database.rows(level).await, [["ALL"]]);
}

#[tokio::test]
async fn who_deletes_a_reply_and_who_reads_the_thread() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let root = alice.say(&channel, "What do you think?").await["id"].clone();
    let reply = |content: &str| json!({ "conversationId": channel, "content": content, "threadRootId": root });
    let answer = bob.write(reply("Nothing")).await["id"].clone();
    let react = "mutation($id: ID!) { addReaction(input: { messageId: $id, emoji: \"👍\" }) { seq } }";
    alice.ask(react, json!({ "id": answer })).await.data("addReaction");
    alice.write(reply("Oh")).await;
    let read = "mutation($id: ID!) { markThreadRead(input: { messageId: $id }) { thread { id } } }";
    let delete = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }";
    let row = "SELECT FROM thread_followers WHERE user_id = (SELECT id FROM users WHERE username = 'bob') FOR UPDATE";
    let work = async {
        let held = hold(&server.database, row).await;
        let reads = does(&bob, read, json!({ "id": root }));
        waiting(&server.database, 1).await;
        let deletes = does(&bob, delete, json!({ "id": answer }));
        waiting(&server.database, 2).await;
        succeed(vec![reads, deletes], held).await;
    };
    let (statements, ()) = server.statements(work).await;
    ran_once(&statements, &["INSERT INTO thread_followers", "UPDATE notifications AS old SET deleted_at"]);
}

#[tokio::test]
async fn who_creates_a_channel_and_who_takes_another_handle() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let create =
        "mutation { createChannel(input: { name: \"New\", clientKey: \"a key of mine\" }) { channel { id } } }";
    let rename = "mutation { updateProfile(input: { username: \"alicia\" }) { user { id } } }";
    let work = async {
        // The list of channels, which whoever creates one holds.
        let held = hold(&server.database, "SELECT pg_advisory_xact_lock(7163082334259211379)").await;
        let creates = does(&alice, create, json!({}));
        waiting(&server.database, 1).await;
        let renames = does(&alice, rename, json!({}));
        waiting(&server.database, 2).await;
        succeed(vec![creates, renames], held).await;
    };
    let (statements, ()) = server.statements(work).await;
    ran_once(&statements, &["INSERT INTO \"creation_keys\"", "UPDATE \"users\""]);
}

/// As a fault of ours would have it.
#[tokio::test]
async fn who_was_undone_for_another_begins_anew() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let own = "(SELECT id FROM users WHERE username = 'bob')";
    // This one is patient: the other is undone.
    let person = format!("SET deadlock_timeout = '1h'; SELECT FROM users WHERE id = {own} FOR NO KEY UPDATE");
    let person = Arc::new(hold(&server.database, &person).await);
    let seat = format!("SELECT FROM conversation_members WHERE user_id = {own} FOR UPDATE");
    let seat = hold(&server.database, &seat).await;
    let prefers = does(&bob, LEVEL, json!({}));
    waiting(&server.database, 1).await;
    let row = format!(
        "INSERT INTO preferences (user_id, language, time_zone, theme, shares_read_position, shares_typing, \
             shares_last_seen, direct_conversations_from, version) \
         SELECT {own}, 'en', 'UTC', 'SYSTEM', true, true, true, 'EVERYONE', 1"
    );
    let wants = person.clone();
    let wants = tokio::spawn(async move { wants.batch_execute(&row).await.unwrap() });
    waiting(&server.database, 2).await;
    drop(seat);
    // It gets what it wants, as the other was undone; and then gives it back.
    wants.await.unwrap();
    person.batch_execute("ROLLBACK").await.unwrap();
    let answer = prefers.await.unwrap();
    assert!(answer.get("errors").is_none(), "{answer}");
    let level =
        "SELECT level_in_force FROM conversation_members JOIN users ON users.id = user_id WHERE username = 'bob'";
    assert_eq!(server.database.rows(level).await, [["ALL"]]);
}
