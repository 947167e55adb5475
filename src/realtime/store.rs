//! What of the present can be read from a table.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::clock::Instant;
use crate::db::Conn;
use crate::id::SessionId;
use crate::schema::sessions;

pub(super) async fn ended_since(conn: &mut Conn, since: Instant) -> QueryResult<Vec<SessionId>> {
    sessions::table.filter(sessions::ended_at.gt(since)).select(sessions::id).load(conn).await
}
