//! The list of a conversation's members.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{Bool, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::super::pages::{MemberCursor, MemberFilter};
use super::Member;
use crate::clock::Instant;
use crate::db::{Conn, beginning_with, lower};
use crate::id::{ConversationId, MemberId};
use crate::page::{Direction, Window};
use crate::schema::{conversation_members, preferences, users};
use crate::users::Among;

/// A page of members that hold their seats: by role, then by when they joined.
pub async fn members(
    conn: &mut Conn,
    id: ConversationId,
    filter: &MemberFilter,
    window: &Window<MemberCursor>,
) -> QueryResult<Vec<Member>> {
    use conversation_members as m;
    let mut query = m::table
        .filter(m::conversation_id.eq(id).and(m::left_at.is_null()))
        .select(Member::as_select())
        .limit(window.fetch())
        .into_boxed();
    if let Some(search) = &filter.search {
        let begins = beginning_with(search);
        let is_named = lower(users::display_name).like(begins.clone()).or(users::username.like(begins));
        let found = users::table.filter(users::id.eq(m::user_id)).filter(is_named);
        query = query.filter(diesel::dsl::exists(found));
    }
    if let Some(roles) = &filter.roles {
        query = query.filter(m::role.eq_any(roles));
    }
    if let Some(seq) = filter.has_read_seq {
        // Who has no preferences shares.
        let keeping_it = preferences::table.filter(preferences::user_id.eq(m::user_id));
        let keeping_it = keeping_it.filter(diesel::dsl::not(preferences::shares_read_position));
        query = query.filter(m::last_read_seq.ge(seq)).filter(diesel::dsl::not(diesel::dsl::exists(keeping_it)));
    }
    match &filter.among {
        Some(Among::Only(people)) => query = query.filter(m::user_id.eq_any(people)),
        Some(Among::AllBut(people)) => query = query.filter(m::user_id.ne_all(people)),
        None => {}
    }
    if let Some(after) = &window.after {
        query = query.filter(Beyond { operator: " > ", place: after.values() });
    }
    if let Some(before) = &window.before {
        query = query.filter(Beyond { operator: " < ", place: before.values() });
    }
    query = match window.direction {
        Direction::Forward => query.order((m::rank.asc(), m::joined_at.asc(), m::id.asc())),
        Direction::Backward => query.order((m::rank.desc(), m::joined_at.desc(), m::id.desc())),
    };
    query.load(conn).await
}

/// Compares a member with a place in their list as one row, which diesel cannot say; said column by column, PostgreSQL
/// would read all of a rank from its beginning.
struct Beyond {
    operator: &'static str,
    place: (i16, Instant, MemberId),
}

impl Expression for Beyond {
    type SqlType = Bool;
}

impl AppearsOnTable<conversation_members::table> for Beyond {}

impl ValidGrouping<()> for Beyond {
    type IsAggregate = is_aggregate::No;
}

impl QueryFragment<Pg> for Beyond {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (rank, joined_at, id) = &self.place;
        out.push_sql("(conversation_members.rank, conversation_members.joined_at, conversation_members.id)");
        out.push_sql(self.operator);
        out.push_sql("(");
        out.push_bind_param::<SmallInt, _>(rank)?;
        out.push_sql(", ");
        out.push_bind_param::<Timestamptz, _>(joined_at)?;
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, _>(id)?;
        out.push_sql(")");
        Ok(())
    }
}
