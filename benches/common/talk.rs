//! A database full of people, channels and messages, straight from SQL (`talk.sql`), and ways into it.

use serde_json::Value;
use tokio_postgres::Client;

use super::database::Database;
use super::http::Http;
use super::{operations, people};

pub const SQL: &str = include_str!("talk.sql");

/// Fills a new database with so many messages, and with people who wrote them.
pub async fn fill(database: &Database, messages: usize) {
    let client = database.connect().await;
    let sql = SQL.replace(":messages", &messages.to_string());
    client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{error:?}"));
    drop(client);
    database.settle().await;
}

/// A token of the one who sits in 200 channels.
pub async fn viewer(client: &Client) -> String {
    people::sign_in(client, "viewer").await.remove(0).token
}

/// Their channels with most messages, and how many each has.
pub async fn channels(client: &Client, count: usize) -> Vec<(String, i32)> {
    let sql = "SELECT conversations.id::text, last_seq FROM conversations
        JOIN conversation_members ON conversation_id = conversations.id JOIN users ON users.id = user_id
        WHERE username = 'viewer' ORDER BY last_seq DESC LIMIT $1";
    let rows = client.query(sql, &[&(count as i64)]).await.expect("channels");
    rows.iter().map(|row| (people::channel(row, 0), row.get(1))).collect()
}

/// The cursor of the message at or after a position.
pub async fn cursor(http: &mut Http, channel: &str, seq: i32) -> String {
    let found = http.data(&operations::cursor(channel, seq)).await;
    let cursor = found.pointer("/conversation/messagesAround/edges/0/cursor").and_then(Value::as_str);
    cursor.unwrap_or_else(|| panic!("{found}")).to_owned()
}
