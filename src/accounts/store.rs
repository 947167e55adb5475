//! Accounts and sessions.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::clock::Instant;
use crate::db::Conn;
use crate::id::SessionId;
use crate::schema::sessions;

pub(super) async fn session_expires_at(conn: &mut Conn, id: SessionId) -> QueryResult<Option<Instant>> {
    sessions::table
        .find(id)
        .filter(sessions::ended_at.is_null())
        .select(sessions::expires_at)
        .first(conn)
        .await
        .optional()
}
