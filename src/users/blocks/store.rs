//! The blocks.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::list::BlockCursor;
use crate::clock::Instant;
use crate::db::{Conn, among};
use crate::id::UserId;
use crate::page::{Direction, Window};
use crate::schema::{blocks, users};
use crate::users::User;

/// The blocker and the blocked.
type Pair = (UserId, UserId);

/// All blocks that somebody stands in.
pub(super) async fn with(conn: &mut Conn, user: UserId) -> QueryResult<Vec<Pair>> {
    blocks::table
        .filter(blocks::blocker_id.eq(user).or(blocks::blocked_id.eq(user)))
        .select((blocks::blocker_id, blocks::blocked_id))
        .load(conn)
        .await
}

/// Of these blocks, those that there are.
pub(super) async fn existing(mut conn: &Conn, pairs: &[Pair]) -> QueryResult<Vec<Pair>> {
    blocks::table
        .filter(among(blocks::blocker_id, blocks::blocked_id, pairs))
        .select((blocks::blocker_id, blocks::blocked_id))
        .load(&mut conn)
        .await
}

/// A page of those whom somebody has blocked, and since when: newest first.
pub(super) async fn blocked_by(
    conn: &mut Conn,
    blocker: UserId,
    window: &Window<BlockCursor>,
) -> QueryResult<Vec<(User, Instant)>> {
    let (since, id) = (blocks::created_at, blocks::blocked_id);
    let mut query = blocks::table
        .inner_join(users::table.on(users::id.eq(id)))
        .filter(blocks::blocker_id.eq(blocker).and(users::deleted_at.is_null()))
        .select((User::as_select(), since))
        .limit(window.fetch())
        .into_boxed();
    if let Some((at, who)) = window.after.as_ref().map(BlockCursor::values) {
        query = query.filter(since.le(at)).filter(since.lt(at).or(id.lt(who)));
    }
    if let Some((at, who)) = window.before.as_ref().map(BlockCursor::values) {
        query = query.filter(since.ge(at)).filter(since.gt(at).or(id.gt(who)));
    }
    query = match window.direction {
        Direction::Forward => query.order((since.desc(), id.desc())),
        Direction::Backward => query.order((since.asc(), id.asc())),
    };
    query.load(conn).await
}

/// Whether it was not there yet.
pub(super) async fn insert(conn: &mut Conn, blocker: UserId, blocked: UserId, now: Instant) -> QueryResult<bool> {
    let row = (blocks::blocker_id.eq(blocker), blocks::blocked_id.eq(blocked), blocks::created_at.eq(now));
    let inserted = diesel::insert_into(blocks::table).values(row).on_conflict_do_nothing().execute(conn).await?;
    Ok(inserted > 0)
}

/// Whether it was there.
pub(super) async fn delete(conn: &mut Conn, blocker: UserId, blocked: UserId) -> QueryResult<bool> {
    Ok(diesel::delete(blocks::table.find((blocker, blocked))).execute(conn).await? > 0)
}

pub(super) async fn delete_by(conn: &mut Conn, blocker: UserId) -> QueryResult<()> {
    diesel::delete(blocks::table.filter(blocks::blocker_id.eq(blocker))).execute(conn).await.map(drop)
}
