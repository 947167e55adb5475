//! People who are signed in. Written into the tables: by the front door each would cost a password's hash.

use chinwag::clock::Clock;
use chinwag::conversations::{Kind, Reference};
use chinwag::id::{ConversationId, SessionId, UserId};
use chinwag::keys::Keys;
use chinwag::viewer::Viewer;
use chrono::TimeDelta;
use serde_json::json;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::server::SECRET;

#[derive(Clone)]
pub struct Person {
    pub viewer: Viewer,
    pub token: String,
}

/// So many new people.
pub async fn settle(client: &Client, count: usize) -> Vec<Person> {
    let sql = format!(
        "INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
         SELECT gen_random_uuid(), 'member-' || n, 'Member ' || n, 'USER', true, 1, now(), now()
         FROM generate_series(1, {count}) AS n"
    );
    client.batch_execute(&sql).await.expect("people");
    sign_in(client, "member-%").await
}

/// A new session for everybody whose handle is like this.
pub async fn sign_in(client: &Client, username: &str) -> Vec<Person> {
    let sql = "INSERT INTO sessions (id, user_id, client_name, seed, generation, refreshed_at, created_at, last_used_at, expires_at)
        SELECT gen_random_uuid(), id, 'bench', decode(repeat('00', 32), 'hex'), 1, now(), now(), now(), now() + interval '1 day'
        FROM users WHERE username LIKE $1 RETURNING user_id::text, id::text";
    let rows = client.query(sql, &[&username]).await.expect("sessions");
    let keys = Keys::new(SECRET);
    rows.iter().map(|row| Person::of(&keys, uuid(row, 0), uuid(row, 1))).collect()
}

impl Person {
    fn of(keys: &Keys, user: Uuid, session: Uuid) -> Self {
        let expires_at = Clock::default().now() + TimeDelta::days(1);
        let claims = json!({ "sub": user, "sid": session, "exp": expires_at.timestamp() });
        let token = keys.signing.sign(&claims).expect("a token");
        Self { viewer: Viewer { user_id: UserId(user), session_id: SessionId(session) }, token }
    }
}

/// So many private channels in which everybody of `settle` has a seat, as they are named from outside.
pub async fn seat_all(client: &Client, channels: usize) -> Vec<String> {
    let sql = format!(
        "CREATE TEMP TABLE seated AS SELECT gen_random_uuid() AS id FROM generate_series(1, {channels});
         INSERT INTO conversations (id, kind, last_activity_at, version, created_at, updated_at)
             SELECT id, 'CHANNEL', now(), 1, now(), now() FROM seated;
         INSERT INTO channels (conversation_id, name, visibility, posting_role, position)
             SELECT id, 'Channel', 'PRIVATE', 'GUEST', row_number() OVER () FROM seated;
         INSERT INTO conversation_members (conversation_id, user_id, id, role, joined_at, last_read_seq, last_read_no)
             SELECT seated.id, users.id, gen_random_uuid(), 'MEMBER', now(), 0, 0
             FROM seated, users WHERE username LIKE 'member-%';
         UPDATE conversations SET member_count =
             (SELECT count(*) FROM conversation_members WHERE conversation_id = conversations.id);"
    );
    client.batch_execute(&sql).await.expect("channels");
    let rows = client.query("SELECT id::text FROM seated", &[]).await.expect("channels");
    rows.iter().map(|row| channel(row, 0)).collect()
}

/// The channel in a column, as it is named from outside.
pub fn channel(row: &Row, column: usize) -> String {
    Reference { kind: Kind::Channel, id: ConversationId(uuid(row, column)) }.to_string()
}

fn uuid(row: &Row, column: usize) -> Uuid {
    row.get::<_, &str>(column).parse().expect("a UUID")
}
