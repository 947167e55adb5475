//! The invitations' table.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::list::{InvitationCursor, InvitationFilter};
use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{GroupId, InvitationId, UserId};
use crate::page::{Direction, Window};
use crate::schema::invitations;

/// Leave to register.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = invitations)]
pub struct Invitation {
    pub id: InvitationId,
    pub created_by_id: UserId,
    pub group_id: Option<GroupId>,
    pub use_limit: i32,
    pub use_count: i32,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub revoked_at: Option<Instant>,
}

impl Invitation {
    /// Whether it can be used.
    pub fn is_active(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && now < self.expires_at && self.use_count < self.use_limit
    }
}

/// One that was used just now.
#[derive(Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub(super) struct Used {
    pub created_by_id: UserId,
    pub group_id: Option<GroupId>,
}

pub(super) async fn insert(conn: &mut Conn, invitation: &Invitation, token_hash: &[u8]) -> QueryResult<()> {
    let row = (invitation, invitations::token_hash.eq(token_hash));
    diesel::insert_into(invitations::table).values(row).execute(conn).await.map(drop)
}

/// Counts one more use, where there is one left: in one statement, which waits for others that use it and then looks again.
pub(super) async fn use_once(conn: &mut Conn, token_hash: &[u8], now: Instant) -> QueryResult<Option<Used>> {
    use invitations as i;
    diesel::update(i::table.filter(i::token_hash.eq(token_hash)))
        .filter(i::revoked_at.is_null().and(i::expires_at.gt(now)).and(i::use_count.lt(i::use_limit)))
        .set(i::use_count.eq(i::use_count + 1))
        .returning(Used::as_returning())
        .get_result(conn)
        .await
        .optional()
}

pub(super) async fn lock(conn: &mut Conn, id: InvitationId) -> QueryResult<Option<Invitation>> {
    invitations::table.find(id).select(Invitation::as_select()).for_update().first(conn).await.optional()
}

pub(super) async fn revoke(conn: &mut Conn, id: InvitationId, now: Instant) -> QueryResult<()> {
    diesel::update(invitations::table.find(id)).set(invitations::revoked_at.eq(now)).execute(conn).await.map(drop)
}

pub(super) async fn by_ids(conn: &mut Conn, ids: &[InvitationId]) -> QueryResult<Vec<Invitation>> {
    invitations::table.filter(invitations::id.eq_any(ids)).select(Invitation::as_select()).load(conn).await
}

/// A page, newest first.
pub(super) async fn page(
    conn: &mut Conn,
    filter: &InvitationFilter,
    now: Instant,
    window: &Window<InvitationCursor>,
) -> QueryResult<Vec<Invitation>> {
    use invitations as i;
    let mut query = i::table.select(Invitation::as_select()).limit(window.fetch()).into_boxed();
    if let Some(group) = filter.group {
        query = query.filter(i::group_id.eq(group));
    }
    let is_active = i::revoked_at.is_null().and(i::expires_at.gt(now)).and(i::use_count.lt(i::use_limit));
    query = match filter.is_active {
        Some(true) => query.filter(is_active),
        Some(false) => query.filter(diesel::dsl::not(is_active)),
        None => query,
    };
    if let Some(InvitationCursor(id)) = window.after {
        query = query.filter(i::id.lt(id));
    }
    if let Some(InvitationCursor(id)) = window.before {
        query = query.filter(i::id.gt(id));
    }
    query = match window.direction {
        Direction::Forward => query.order(i::id.desc()),
        Direction::Backward => query.order(i::id.asc()),
    };
    query.load(conn).await
}
