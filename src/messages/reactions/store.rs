//! Reactions and their counts.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use futures_util::try_join;

use super::reactors::Reactors;
use crate::clock::Instant;
use crate::db::{Conn, Statement, among};
use crate::id::{ConversationId, UserId};
use crate::messages::Message;
use crate::page::Direction;
use crate::recount::{Counter, Counters, Place};
use crate::schema::{reaction_counts, reactions};

/// Somebody's reaction.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = reactions)]
pub(super) struct Reaction {
    pub conversation_id: ConversationId,
    /// The message's position in the log.
    pub seq: i32,
    pub user_id: UserId,
    pub emoji: String,
    /// The position in the log at which it came.
    pub added_seq: i32,
    pub reacted_at: Instant,
}

/// All reactions to a message with one emoji.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = reaction_counts)]
pub struct ReactionGroup {
    pub conversation_id: ConversationId,
    /// The message's position in the log.
    pub seq: i32,
    pub emoji: String,
    pub count: i32,
}

/// Somebody who reacted with one emoji.
#[derive(Clone, Debug, Queryable)]
pub struct Reactor {
    pub user_id: UserId,
    /// The position in the log at which the reaction came.
    pub added_seq: i32,
    pub reacted_at: Instant,
}

/// Whether it was not there yet.
pub(super) async fn insert(conn: &mut Conn, reaction: &Reaction) -> QueryResult<bool> {
    let new = diesel::insert_into(reactions::table).values(reaction).on_conflict_do_nothing();
    Ok(new.execute(conn).await? > 0)
}

/// Whether it was there.
pub(super) async fn delete(conn: &mut Conn, message: &Message, user: UserId, emoji: &str) -> QueryResult<bool> {
    let own = reactions::table.find((message.conversation_id, message.seq, user, emoji));
    Ok(diesel::delete(own).execute(conn).await? > 0)
}

/// Counts a new reaction, and says how many different emoji the message has now.
pub(super) async fn count_up(conn: &mut Conn, new: &Reaction) -> QueryResult<i64> {
    use reaction_counts as c;
    diesel::insert_into(c::table)
        .values((
            c::conversation_id.eq(new.conversation_id),
            c::seq.eq(new.seq),
            c::emoji.eq(&new.emoji),
            c::count.eq(1),
            c::first_seq.eq(new.added_seq),
        ))
        .on_conflict((c::conversation_id, c::seq, c::emoji))
        .do_update()
        .set(c::count.eq(c::count + 1))
        .execute(conn)
        .await?;
    c::table.filter(c::conversation_id.eq(new.conversation_id).and(c::seq.eq(new.seq))).count().get_result(conn).await
}

/// Counts one less. What nobody uses any more has lost its place: used again, it stands at the end.
pub(super) async fn count_down(conn: &mut Conn, message: &Message, emoji: &str) -> QueryResult<()> {
    use reaction_counts as c;
    let of_emoji = c::table.find((message.conversation_id, message.seq, emoji));
    if diesel::delete(of_emoji.filter(c::count.eq(1))).execute(conn).await? == 0 {
        diesel::update(of_emoji).set(c::count.eq(c::count - 1)).execute(conn).await?;
    }
    Ok(())
}

/// All that there is to a message.
pub(super) async fn forget(conn: &Conn, id: ConversationId, seq: i32) -> QueryResult<()> {
    let (mut first, mut second) = (conn, conn);
    let all = reactions::table.filter(reactions::conversation_id.eq(id).and(reactions::seq.eq(seq)));
    let counts =
        reaction_counts::table.filter(reaction_counts::conversation_id.eq(id).and(reaction_counts::seq.eq(seq)));
    try_join!(diesel::delete(all).execute(&mut first), diesel::delete(counts).execute(&mut second)).map(drop)
}

/// The reactions to these messages, by emoji: the first one used first.
pub(super) async fn groups(conn: &mut Conn, messages: &[(ConversationId, i32)]) -> QueryResult<Vec<ReactionGroup>> {
    reaction_counts::table
        .filter(among(reaction_counts::conversation_id, reaction_counts::seq, messages))
        .order(reaction_counts::first_seq)
        .select(ReactionGroup::as_select())
        .load(conn)
        .await
}

/// What each of these people reacted with to a message, in the order in which they did.
pub(super) async fn own(
    conn: &mut Conn,
    asks: &[(UserId, ConversationId, i32)],
) -> QueryResult<Vec<(UserId, ConversationId, i32, String)>> {
    Statement::<(SqlUuid, SqlUuid, Integer, Text)>::new(
        "SELECT r.user_id, r.conversation_id, r.seq, r.emoji FROM unnest(",
    )
    .value::<Array<SqlUuid>, _>(asks.iter().map(|ask| ask.0).collect::<Vec<_>>())
    .sql(", ")
    .value::<Array<SqlUuid>, _>(asks.iter().map(|ask| ask.1).collect::<Vec<_>>())
    .sql(", ")
    .value::<Array<Integer>, _>(asks.iter().map(|ask| ask.2).collect::<Vec<_>>())
    .sql(
        ") AS ask (user_id, conversation_id, seq) JOIN reactions AS r ON r.conversation_id = ask.conversation_id \
         AND r.seq = ask.seq AND r.user_id = ask.user_id ORDER BY r.added_seq",
    )
    .load(conn)
    .await
}

/// Parts of lists of those who reacted, each with its place among `parts`; in `direction`, each up to `limit` long.
pub(super) async fn reactors(
    conn: &mut Conn,
    parts: &[Reactors],
    direction: Direction,
    limit: i64,
) -> QueryResult<Vec<(usize, Reactor)>> {
    let found: Vec<(i64, Reactor)> = ReactorsOf::of(parts, direction, limit).load(conn).await?;
    Ok(found.into_iter().map(|(place, reactor)| (place as usize - 1, reactor)).collect())
}

/// Each part by the index, and no further than it goes: a message may have as many reactions as there are people.
struct ReactorsOf<'a> {
    conversations: Vec<ConversationId>,
    seqs: Vec<i32>,
    emoji: Vec<&'a str>,
    after: Vec<i32>,
    before: Vec<i32>,
    direction: Direction,
    limit: i64,
}

impl<'a> ReactorsOf<'a> {
    fn of(parts: &'a [Reactors], direction: Direction, limit: i64) -> Self {
        Self {
            conversations: parts.iter().map(|part| part.conversation_id).collect(),
            seqs: parts.iter().map(|part| part.seq).collect(),
            emoji: parts.iter().map(|part| part.emoji.as_str()).collect(),
            // Positions in a log begin at 1, and none is the last that an integer holds.
            after: parts.iter().map(|part| part.after.unwrap_or(0)).collect(),
            before: parts.iter().map(|part| part.before.unwrap_or(i32::MAX)).collect(),
            direction,
            limit,
        }
    }
}

impl QueryId for ReactorsOf<'_> {
    type QueryId = ReactorsOf<'static>;
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for ReactorsOf<'_> {
    type SqlType = (BigInt, (SqlUuid, Integer, Timestamptz));
}

impl QueryFragment<Pg> for ReactorsOf<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ask.place, found.user_id, found.added_seq, found.reacted_at FROM unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.conversations)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.seqs)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.emoji)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.after)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.before)?;
        out.push_sql(
            ") WITH ORDINALITY AS ask (conversation_id, seq, emoji, after, before, place) CROSS JOIN LATERAL \
             (SELECT user_id, added_seq, reacted_at FROM reactions AS r WHERE r.conversation_id = ask.conversation_id \
              AND r.seq = ask.seq AND r.emoji = ask.emoji AND r.added_seq > ask.after AND r.added_seq < ask.before \
              ORDER BY r.added_seq",
        );
        let descending = if self.direction == Direction::Backward { " DESC" } else { "" };
        out.push_sql(descending);
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(") AS found ORDER BY ask.place, found.added_seq");
        out.push_sql(descending);
        Ok(())
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for ReactorsOf<'_> {}

/// Counters of reactions with one emoji.
pub struct ReactionCount;

impl Counter for ReactionCount {
    const KIND: &'static str = "recount.reactions";

    fn counters(after: &Place) -> Counters {
        Counters::new(
            "SELECT c.conversation_id, c.seq, c.emoji, c.count::bigint, (SELECT count(*) FROM reactions AS r \
             WHERE r.conversation_id = c.conversation_id AND r.seq = c.seq AND r.emoji = c.emoji) \
             FROM reaction_counts AS c WHERE (c.conversation_id, c.seq, c.emoji) > (",
        )
        .value::<SqlUuid, _>(after.0)
        .sql(", ")
        .value::<Integer, _>(after.1)
        .sql(", ")
        .value::<Text, _>(after.2.clone())
        .sql(") ORDER BY c.conversation_id, c.seq, c.emoji LIMIT ")
    }
}
