//! Who stands where.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::super::gathering::Busy;
use super::super::may::Standing;
use super::super::sight::{Place, Sight, judge};
use super::super::{Departure, Kind, MemberRole, Visibility};
use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{ConversationId, MemberId, UserId};
use crate::users::ServerRole;

/// Where one of these people stands in one of these conversations, if they see it.
#[derive(Queryable)]
struct StandingRow {
    kind: Kind,
    id: ConversationId,
    last_seq: i32,
    archived_at: Option<Instant>,
    channel: Option<(Visibility, MemberRole)>,
    seat: Option<(MemberId, MemberRole, Option<Departure>)>,
    server_role: ServerRole,
}

impl StandingRow {
    fn judge(self) -> Option<(Sight, Standing)> {
        let sight = judge(&Place {
            kind: self.kind,
            id: self.id,
            last_seq: self.last_seq,
            visibility: self.channel.map(|(visibility, _)| visibility),
            seat: self.seat.map(|(id, _, departure)| (id, departure)),
        })?;
        let standing = Standing {
            kind: self.kind,
            visibility: self.channel.map_or(Visibility::Private, |(visibility, _)| visibility),
            posting_role: self.channel.map_or(MemberRole::Guest, |(_, posting_role)| posting_role),
            is_archived: self.archived_at.is_some(),
            seat_role: self.seat.filter(|(_, _, departure)| departure.is_none()).map(|(_, role, _)| role),
            group_role: None,
            server_role: self.server_role,
            sanction: None,
            is_blocked: false,
        };
        Some((sight, standing))
    }
}

/// Of these people and conversations, pair by pair: who sees what, and where they stand there.
pub async fn standings(
    mut conn: &Conn,
    pairs: &[(UserId, ConversationId)],
) -> QueryResult<Vec<(UserId, Sight, Standing)>> {
    let rows: Vec<(UserId, StandingRow)> = Standings::of(pairs).load(&mut conn).await?;
    Ok(rows
        .into_iter()
        .filter_map(|(user, row)| row.judge().map(|(sight, standing)| (user, sight, standing)))
        .collect())
}

/// The conversations in which these people have these seats, locked one by one in the order of their ids.
pub async fn lock_seated(
    conn: &mut Conn,
    pairs: &[(UserId, ConversationId)],
    busy: Busy,
) -> QueryResult<Vec<ConversationId>> {
    LockSeated { pairs: Pairs::of(pairs), busy }.load(conn).await
}

/// Two arrays that are read side by side: diesel can say lists, which would match their product.
struct Pairs {
    users: Vec<UserId>,
    conversations: Vec<ConversationId>,
}

impl Pairs {
    fn of(pairs: &[(UserId, ConversationId)]) -> Self {
        let (users, conversations) = pairs.iter().copied().unzip();
        Self { users, conversations }
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.users)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.conversations)?;
        out.push_sql(") AS ask (user_id, conversation_id)");
        Ok(())
    }
}

struct Standings(Pairs);

impl Standings {
    fn of(pairs: &[(UserId, ConversationId)]) -> Self {
        Self(Pairs::of(pairs))
    }
}

impl QueryId for Standings {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Standings {
    type SqlType = (
        SqlUuid,
        (
            Text,
            SqlUuid,
            Integer,
            Nullable<Timestamptz>,
            Nullable<(Text, Text)>,
            Nullable<(SqlUuid, Text, Nullable<Text>)>,
            Text,
        ),
    );
}

impl QueryFragment<Pg> for Standings {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT ask.user_id, c.kind, c.id, c.last_seq, c.archived_at, ch.visibility, ch.posting_role, \
             m.id, m.role, m.departure, u.role FROM ",
        );
        self.0.walk(&mut out)?;
        out.push_sql(
            " JOIN users AS u ON u.id = ask.user_id JOIN conversations AS c ON c.id = ask.conversation_id \
             LEFT JOIN channels AS ch ON ch.conversation_id = c.id \
             LEFT JOIN conversation_members AS m ON m.conversation_id = c.id AND m.user_id = ask.user_id",
        );
        Ok(())
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for Standings {}

struct LockSeated {
    pairs: Pairs,
    busy: Busy,
}

/// Two statements, so two kinds of them to be kept prepared.
impl QueryId for LockSeated {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for LockSeated {
    type SqlType = SqlUuid;
}

impl QueryFragment<Pg> for LockSeated {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT id FROM conversations WHERE id IN (SELECT m.conversation_id FROM conversation_members AS m JOIN ",
        );
        self.pairs.walk(&mut out)?;
        out.push_sql(
            " ON m.conversation_id = ask.conversation_id AND m.user_id = ask.user_id WHERE m.left_at IS NULL) \
             ORDER BY id FOR NO KEY UPDATE",
        );
        if self.busy == Busy::PassOver {
            out.push_sql(" SKIP LOCKED");
        }
        Ok(())
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for LockSeated {}
