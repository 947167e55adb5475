//! The logs' table.

use diesel::QueryResult;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::Event;
use crate::clock::Instant;
use crate::db::{Conn, Statement, insert_many};
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

/// The latest positions of these logs.
pub(super) async fn heads(conn: &mut Conn, ids: &[ConversationId]) -> QueryResult<Vec<(ConversationId, i32)>> {
    let these = conversations::table.filter(conversations::id.eq_any(ids));
    these.select((conversations::id, conversations::last_seq)).load(conn).await
}

/// The events of each log after its position, up to `limit` of each.
pub(super) async fn after_each(
    conn: &mut Conn,
    positions: &[(ConversationId, i32)],
    limit: i64,
) -> QueryResult<Vec<Event>> {
    let (ids, after) = positions.iter().copied().unzip();
    AfterEach { ids, after, limit, event: Event::as_select() }.load(conn).await
}

/// One log after the other, by the index.
struct AfterEach {
    ids: Vec<ConversationId>,
    after: Vec<i32>,
    limit: i64,
    event: AsSelect<Event, Pg>,
}

impl QueryId for AfterEach {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for AfterEach {
    type SqlType = SqlTypeOf<AsSelect<Event, Pg>>;
}

impl QueryFragment<Pg> for AfterEach {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.event.walk_ast(out.reborrow())?;
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.after)?;
        out.push_sql(
            ") AS ask (conversation_id, after) CROSS JOIN LATERAL \
             (SELECT * FROM conversation_events AS e WHERE e.conversation_id = ask.conversation_id AND e.seq > ask.after \
              ORDER BY e.seq LIMIT ",
        );
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(") AS conversation_events ORDER BY conversation_events.conversation_id, conversation_events.seq");
        Ok(())
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for AfterEach {}

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

/// The conversations after one, in the order of their ids.
pub(super) async fn conversations_after(
    conn: &mut Conn,
    after: ConversationId,
    limit: i64,
) -> QueryResult<Vec<ConversationId>> {
    let after = conversations::table.filter(conversations::id.gt(after)).order(conversations::id);
    after.limit(limit).select(conversations::id).load(conn).await
}

/// Deletes the oldest events of each of these logs, up to `limit` of each, as far as all are from before; the latest one
/// stays in any case. Answers how many. Times may go back by a little from one event to the next: none goes before all that
/// stand before it.
pub(super) async fn delete_before(
    conn: &mut Conn,
    ids: &[ConversationId],
    before: Instant,
    limit: i64,
) -> QueryResult<usize> {
    let deletion = Statement::<()>::new(
        "WITH oldest AS (SELECT e.conversation_id, e.seq, \
             bool_and(e.occurred_at < ",
    )
    .value::<Timestamptz, _>(before)
    .sql(
        ") OVER (PARTITION BY e.conversation_id ORDER BY e.seq) AS is_old FROM conversations AS c \
         CROSS JOIN LATERAL (SELECT * FROM conversation_events AS e \
             WHERE e.conversation_id = c.id AND e.seq < c.last_seq ORDER BY e.seq LIMIT ",
    )
    .value::<BigInt, _>(limit)
    .sql(") AS e WHERE c.id = ANY(")
    .value::<Array<SqlUuid>, _>(ids.to_vec())
    .sql(
        ")) DELETE FROM conversation_events AS e USING oldest \
         WHERE oldest.is_old AND e.conversation_id = oldest.conversation_id AND e.seq = oldest.seq",
    );
    deletion.execute(conn).await
}
