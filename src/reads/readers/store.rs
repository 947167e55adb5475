//! Positions beyond messages.

use diesel::QueryResult;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{Place, Reader, Readers};
use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{ConversationId, MemberId, UserId};
use crate::page::Direction;

/// Parts of lists of readers, each with its place among `parts`; in `direction`, each up to `limit` long.
pub(super) async fn readers(
    conn: &mut Conn,
    parts: &[Readers],
    direction: Direction,
    limit: i64,
) -> QueryResult<Vec<(usize, Reader)>> {
    let found: Vec<(i64, Reader)> = ReadersOf::of(parts, direction, limit).load(conn).await?;
    Ok(found.into_iter().map(|(place, reader)| (place as usize - 1, reader)).collect())
}

/// Places in the list of members, column by column.
struct Places {
    ranks: Vec<i16>,
    joined_at: Vec<Instant>,
    ids: Vec<MemberId>,
}

impl Places {
    fn of(places: impl Iterator<Item = Place>) -> Self {
        let (mut ranks, mut joined_at, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for (rank, at, id) in places {
            ranks.push(rank);
            joined_at.push(at);
            ids.push(id);
        }
        Self { ranks, joined_at, ids }
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<Array<SmallInt>, _>(&self.ranks)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.joined_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)
    }
}

/// Each part by the index that lists of members are read by.
struct ReadersOf {
    conversations: Vec<ConversationId>,
    seqs: Vec<i32>,
    authors: Vec<UserId>,
    after: Places,
    before: Places,
    direction: Direction,
    limit: i64,
    reader: AsSelect<Reader, Pg>,
}

impl ReadersOf {
    fn of(parts: &[Readers], direction: Direction, limit: i64) -> Self {
        // No rank is outside of these.
        let edge = |rank| (rank, Instant::default(), MemberId(Uuid::nil()));
        Self {
            conversations: parts.iter().map(|part| part.conversation_id).collect(),
            seqs: parts.iter().map(|part| part.seq).collect(),
            authors: parts.iter().map(|part| part.author_id).collect(),
            after: Places::of(parts.iter().map(|part| part.after.unwrap_or(edge(0)))),
            before: Places::of(parts.iter().map(|part| part.before.unwrap_or(edge(i16::MAX)))),
            direction,
            limit,
            reader: Reader::as_select(),
        }
    }
}

/// Two directions, so two kinds of statements to be kept prepared.
impl QueryId for ReadersOf {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for ReadersOf {
    type SqlType = (BigInt, SqlTypeOf<AsSelect<Reader, Pg>>);
}

impl QueryFragment<Pg> for ReadersOf {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let order = match self.direction {
            Direction::Forward => " rank, joined_at, id",
            Direction::Backward => " rank DESC, joined_at DESC, id DESC",
        };
        out.push_sql("SELECT ask.place, ");
        self.reader.walk_ast(out.reborrow())?;
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.conversations)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.seqs)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.authors)?;
        out.push_sql(", ");
        self.after.walk(&mut out)?;
        out.push_sql(", ");
        self.before.walk(&mut out)?;
        // Who has no preferences shares.
        out.push_sql(
            ") WITH ORDINALITY AS ask (conversation_id, seq, author_id, after_rank, after_at, after_id, \
             before_rank, before_at, before_id, place) CROSS JOIN LATERAL \
             (SELECT * FROM conversation_members AS m \
              WHERE m.conversation_id = ask.conversation_id AND m.left_at IS NULL \
              AND m.last_read_seq >= ask.seq AND m.user_id <> ask.author_id \
              AND (m.rank, m.joined_at, m.id) > (ask.after_rank, ask.after_at, ask.after_id) \
              AND (m.rank, m.joined_at, m.id) < (ask.before_rank, ask.before_at, ask.before_id) \
              AND NOT EXISTS (SELECT FROM preferences AS p WHERE p.user_id = m.user_id AND NOT p.shares_read_position) \
              ORDER BY",
        );
        out.push_sql(order);
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(") AS conversation_members ORDER BY place,");
        out.push_sql(order);
        Ok(())
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for ReadersOf {}
