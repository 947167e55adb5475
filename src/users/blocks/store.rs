//! The blocks.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Conn;
use crate::id::UserId;
use crate::schema::blocks;

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

/// Those between somebody and some others.
pub(super) async fn among(conn: &mut Conn, user: UserId, others: &[UserId]) -> QueryResult<Vec<Pair>> {
    let by_user = blocks::blocker_id.eq(user).and(blocks::blocked_id.eq_any(others));
    let of_user = blocks::blocked_id.eq(user).and(blocks::blocker_id.eq_any(others));
    blocks::table.filter(by_user.or(of_user)).select((blocks::blocker_id, blocks::blocked_id)).load(conn).await
}

/// Those by some people of some others.
pub(super) async fn pairs(conn: &mut Conn, blockers: &[UserId], blocked: &[UserId]) -> QueryResult<Vec<Pair>> {
    blocks::table
        .filter(blocks::blocker_id.eq_any(blockers).and(blocks::blocked_id.eq_any(blocked)))
        .select((blocks::blocker_id, blocks::blocked_id))
        .load(conn)
        .await
}
