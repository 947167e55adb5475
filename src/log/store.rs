//! The logs' table.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Nullable, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::Event;
use crate::clock::Instant;
use crate::db::{Conn, insert_many};
use crate::id::{ConversationId, UserId};
use crate::schema::{conversation_events, conversations};

insert_many! {
    Insert(Event) into "conversation_events" {
        conversation_id: ConversationId as SqlUuid,
        seq: i32 as Integer,
        kind: i16 as SmallInt,
        actor_id: Option<UserId> as Nullable<SqlUuid>,
        subject_seq: Option<i32> as Nullable<Integer>,
        payload: Option<serde_json::Value> as Nullable<Jsonb>,
        occurred_at: Instant as Timestamptz,
    }
}

pub(super) async fn insert(mut conn: &Conn, events: &[Event]) -> QueryResult<()> {
    Insert::of(events).execute(&mut conn).await.map(drop)
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

/// Those of some kinds among the `within` events after a position.
pub(super) async fn of_kinds(
    conn: &mut Conn,
    id: ConversationId,
    after: i32,
    kinds: &[i16],
    within: i32,
) -> QueryResult<Vec<Event>> {
    conversation_events::table
        .filter(conversation_events::conversation_id.eq(id))
        .filter(conversation_events::seq.gt(after).and(conversation_events::seq.le(after.saturating_add(within))))
        .filter(conversation_events::kind.eq_any(kinds))
        .order(conversation_events::seq)
        .select(Event::as_select())
        .load(conn)
        .await
}
