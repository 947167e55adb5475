//! How far people were mailed.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::clock::Instant;
use crate::db::Conn;
use crate::id::UserId;
use crate::schema::{accounts, digests, notifications, preferences, presences};

/// The latest mail to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable)]
pub(super) struct Mailed {
    /// What came before this was in it, or in one before it.
    pub up_to: Instant,
    pub sent_at: Instant,
}

/// When somebody was last here, as far as it was noted.
pub(super) async fn last_seen_at(conn: &mut Conn, user: UserId) -> QueryResult<Option<Instant>> {
    let seen = presences::table.find(user).select(presences::last_seen_at);
    Ok(seen.first(conn).await.optional()?.flatten())
}

pub(super) async fn mailed(conn: &mut Conn, user: UserId) -> QueryResult<Option<Mailed>> {
    let columns = (digests::mailed_up_to, digests::sent_at);
    digests::table.find(user).select(columns).first(conn).await.optional()
}

/// Keeps that there was a mail; false where there was another one since `before`.
pub(super) async fn save(conn: &mut Conn, user: UserId, before: Option<Mailed>, mailed: Mailed) -> QueryResult<bool> {
    // Of the conflict, where diesel's prelude has only that of queries.
    use diesel::query_dsl::methods::FilterDsl;
    let row = (digests::mailed_up_to.eq(mailed.up_to), digests::sent_at.eq(mailed.sent_at));
    let saved = diesel::insert_into(digests::table)
        .values((digests::user_id.eq(user), row))
        .on_conflict(digests::user_id)
        .do_update()
        .set(row)
        .filter(digests::sent_at.nullable().is_not_distinct_from(before.map(|before| before.sent_at)))
        .execute(conn)
        .await?;
    Ok(saved > 0)
}

/// For whom something came between two instants that is unread, of those who can be mailed.
pub(super) async fn waited_for(conn: &mut Conn, since: Instant, until: Instant) -> QueryResult<Vec<UserId>> {
    let proven = accounts::table.filter(accounts::email_verified_at.is_not_null()).select(accounts::user_id);
    let unwilling = preferences::table.filter(preferences::is_email_enabled.eq(false)).select(preferences::user_id);
    notifications::table
        .filter(notifications::created_at.ge(since).and(notifications::created_at.lt(until)))
        .filter(notifications::read_at.is_null().and(notifications::deleted_at.is_null()))
        .filter(notifications::user_id.eq_any(proven))
        .filter(notifications::user_id.ne_all(unwilling))
        .select(notifications::user_id)
        .distinct()
        .load(conn)
        .await
}

pub(super) async fn delete(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::delete(digests::table.find(user)).execute(conn).await.map(drop)
}
