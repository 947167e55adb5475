//! The logs' table.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Event;
use crate::db::Conn;
use crate::id::ConversationId;
use crate::schema::{conversation_events, conversations};

/// Rows of one INSERT: a statement takes at most 65,535 values.
const ROWS: usize = 5_000;

pub(super) async fn insert(conn: &mut Conn, events: &[Event]) -> QueryResult<()> {
    for some in events.chunks(ROWS) {
        diesel::insert_into(conversation_events::table).values(some).execute(conn).await?;
    }
    Ok(())
}

/// The latest position of a log; `None` where there is no such conversation.
pub(super) async fn head(conn: &mut Conn, id: ConversationId) -> QueryResult<Option<i32>> {
    conversations::table.find(id).select(conversations::last_seq).first(conn).await.optional()
}

/// The events after a position, up to `limit`.
pub(super) async fn after(conn: &mut Conn, id: ConversationId, after: i32, limit: i64) -> QueryResult<Vec<Event>> {
    conversation_events::table
        .filter(conversation_events::conversation_id.eq(id).and(conversation_events::seq.gt(after)))
        .order(conversation_events::seq)
        .limit(limit)
        .select(Event::as_select())
        .load(conn)
        .await
}
