//! What stays of presences.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::CustomStatus;
use crate::clock::Instant;
use crate::db::{Conn, Statement, insert_many};
use crate::id::{ConversationId, MessageId, UserId};
use crate::schema::{messages, presences, users};

/// What is kept of somebody, and whether the one who looks is shown any of it.
#[derive(Clone, Debug, Queryable)]
pub(super) struct Kept {
    pub viewer: UserId,
    pub user_id: UserId,
    pub is_shown: bool,
    pub last_seen_at: Option<Instant>,
    pub shares_last_seen: bool,
    status_text: Option<String>,
    status_emoji: Option<String>,
    status_expires_at: Option<Instant>,
}

type KeptColumns =
    (SqlUuid, SqlUuid, Bool, Nullable<Timestamptz>, Bool, Nullable<Text>, Nullable<Text>, Nullable<Timestamptz>);

impl Kept {
    /// A custom status is cleared some time after its end: whether it holds is judged when it is read.
    pub fn custom_status(self, now: Instant) -> Option<CustomStatus> {
        let says_something = self.status_text.is_some() || self.status_emoji.is_some();
        let holds = self.status_expires_at.is_none_or(|end| now < end);
        let (text, emoji, expires_at) = (self.status_text, self.status_emoji, self.status_expires_at);
        (says_something && holds).then_some(CustomStatus { text, emoji, expires_at })
    }
}

/// Of these pairs, what the first is shown of the second, where they exist.
pub(super) async fn kept(conn: &mut Conn, pairs: &[(UserId, UserId)]) -> QueryResult<Vec<Kept>> {
    let (viewers, people): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
    Statement::<KeptColumns>::new(
        "SELECT ask.viewer, users.id, shows_presence(ask.viewer, users.id) AND users.deleted_at IS NULL, \
             presences.last_seen_at, preferences.shares_last_seen IS DISTINCT FROM false, \
             presences.status_text, presences.status_emoji, presences.status_expires_at FROM unnest(",
    )
    .value::<Array<SqlUuid>, _>(viewers)
    .sql(", ")
    .value::<Array<SqlUuid>, _>(people)
    .sql(
        ") AS ask (viewer, person) JOIN users ON users.id = ask.person \
         LEFT JOIN presences ON presences.user_id = users.id LEFT JOIN preferences ON preferences.user_id = users.id",
    )
    .load(conn)
    .await
}

/// Of these people, those whose presence somebody sees.
pub(super) async fn shown(conn: &mut Conn, viewer: UserId, people: &[UserId]) -> QueryResult<Vec<UserId>> {
    // `FROM` the function, which diesel cannot say: PostgreSQL looks into it then, and else calls it as it stands.
    let shown = diesel::dsl::sql::<Bool>("users.id IN (SELECT * FROM people_shown_to(");
    let shown = shown.bind::<SqlUuid, _>(viewer).sql("))");
    users::table.filter(users::id.eq_any(people)).filter(shown).select(users::id).load(conn).await
}

/// When somebody was last here.
pub(super) struct Seen {
    pub user_id: UserId,
    pub last_seen_at: Option<Instant>,
}

insert_many! {
    SaveSeen(Seen) into "presences" {
        user_id: UserId as SqlUuid,
        last_seen_at: Option<Instant> as Nullable<Timestamptz>,
    } then " ON CONFLICT (user_id) DO UPDATE SET last_seen_at = greatest(presences.last_seen_at, excluded.last_seen_at)"
}

/// One statement for all of them. In the order of their ids, so that two servers never wait for one another.
pub(super) async fn save_seen(conn: &mut Conn, mut seen: Vec<Seen>) -> QueryResult<()> {
    seen.sort_by_key(|seen| seen.user_id);
    SaveSeen::of(&seen).execute(conn).await.map(drop)
}

pub(super) async fn save_custom_status(conn: &mut Conn, user: UserId, status: &CustomStatus) -> QueryResult<()> {
    let row = (
        presences::status_text.eq(&status.text),
        presences::status_emoji.eq(&status.emoji),
        presences::status_expires_at.eq(status.expires_at),
    );
    diesel::insert_into(presences::table)
        .values((presences::user_id.eq(user), row))
        .on_conflict(presences::user_id)
        .do_update()
        .set(row)
        .execute(conn)
        .await
        .map(drop)
}

/// Whether a message may have a thread in this conversation.
pub(super) async fn is_root(conn: &mut Conn, id: ConversationId, message: MessageId) -> QueryResult<bool> {
    let roots = messages::table
        .filter(messages::id.eq(message).and(messages::conversation_id.eq(id)))
        .filter(messages::thread_root_seq.is_null());
    diesel::select(diesel::dsl::exists(roots)).get_result(conn).await
}

/// Clears custom statuses that are over, up to `limit`, and answers whose.
pub(super) async fn clear_statuses(conn: &mut Conn, now: Instant, limit: i64) -> QueryResult<Vec<UserId>> {
    let over = presences::table
        .filter(presences::status_expires_at.le(now))
        .order(presences::user_id)
        .limit(limit)
        .select(presences::user_id)
        .for_update()
        .load::<UserId>(conn)
        .await?;
    let nothing = (
        presences::status_text.eq(None::<String>),
        presences::status_emoji.eq(None::<String>),
        presences::status_expires_at.eq(None::<Instant>),
    );
    diesel::update(presences::table.filter(presences::user_id.eq_any(&over))).set(nothing).execute(conn).await?;
    Ok(over)
}

pub(super) async fn delete(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::delete(presences::table.find(user)).execute(conn).await.map(drop)
}
