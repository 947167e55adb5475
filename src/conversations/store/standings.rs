//! Who stands where.

use std::sync::Arc;

use diesel::QueryResult;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::super::may::Standing;
use super::super::sight::{Place, Sight, judge};
use super::super::{Departure, MemberRole, Visibility};
use super::Conversation;
use crate::db::{Busy, Conn};
use crate::id::{ConversationId, MemberId, UserId};
use crate::users::ServerRole;

/// Somebody in a conversation that they see, and the conversation as it was at the same moment.
pub struct Viewpoint {
    pub user_id: UserId,
    pub conversation: Arc<Conversation>,
    pub sight: Sight,
    pub standing: Standing,
}

type Seat = (MemberId, MemberRole, Option<Departure>);

type Row = (UserId, Conversation, Option<Seat>, ServerRole, Option<MemberRole>, bool);

impl Viewpoint {
    /// `None` out of sight.
    fn of((user_id, conversation, seat, server_role, group_role, is_blocked): Row) -> Option<Self> {
        let channel = conversation.channel.as_ref();
        let sight = judge(&Place {
            kind: conversation.kind,
            id: conversation.id,
            last_seq: conversation.last_seq,
            visibility: channel.map(|channel| channel.visibility),
            group: channel.and_then(|channel| channel.group_id),
            group_role,
            seat: seat.map(|(id, _, departure)| (id, departure)),
        })?;
        let standing = Standing {
            kind: conversation.kind,
            visibility: channel.map_or(Visibility::Private, |channel| channel.visibility),
            posting_role: channel.map_or(MemberRole::Guest, |channel| channel.posting_role),
            is_archived: conversation.archived_at.is_some(),
            is_archived_with_group: channel.is_some_and(|channel| channel.archived_with_group),
            seat_role: seat.filter(|(_, _, departure)| departure.is_none()).map(|(_, role, _)| role),
            group_role,
            server_role,
            sanction: None,
            has_fixed_people: conversation.has_fixed_people(),
            is_blocked,
        };
        Some(Self { user_id, conversation: conversation.into(), sight, standing })
    }
}

/// Of these people and conversations, pair by pair: who sees what, and where they stand there.
pub async fn standings(mut conn: &Conn, pairs: &[(UserId, ConversationId)]) -> QueryResult<Vec<Viewpoint>> {
    let rows: Vec<Row> = Standings::of(pairs).load(&mut conn).await?;
    Ok(rows.into_iter().filter_map(Viewpoint::of).collect())
}

/// The conversations in which these people have these seats, locked one by one in the order of their ids.
pub async fn lock_seated(
    mut conn: &Conn,
    pairs: &[(UserId, ConversationId)],
    busy: Busy,
) -> QueryResult<Vec<ConversationId>> {
    LockSeated { pairs: Pairs::of(pairs), busy }.load(&mut conn).await
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

struct Standings {
    pairs: Pairs,
    conversation: AsSelect<Conversation, Pg>,
}

impl Standings {
    fn of(pairs: &[(UserId, ConversationId)]) -> Self {
        Self { pairs: Pairs::of(pairs), conversation: Conversation::as_select() }
    }
}

impl QueryId for Standings {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Standings {
    type SqlType = (
        SqlUuid,
        SqlTypeOf<AsSelect<Conversation, Pg>>,
        Nullable<(SqlUuid, Text, Nullable<Text>)>,
        Text,
        Nullable<Text>,
        Bool,
    );
}

impl QueryFragment<Pg> for Standings {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ask.user_id, ");
        self.conversation.walk_ast(out.reborrow())?;
        out.push_sql(
            ", m.id, m.role, m.departure, u.role, g.role, \
             conversations.kind = 'DIRECT' AND conversations.member_count = 2 AND EXISTS (\
                SELECT FROM conversation_members AS other \
                WHERE other.conversation_id = conversations.id AND other.left_at IS NULL \
                AND other.user_id <> ask.user_id AND (\
                    EXISTS (SELECT FROM blocks WHERE blocker_id = ask.user_id AND blocked_id = other.user_id) \
                    OR EXISTS (SELECT FROM blocks WHERE blocker_id = other.user_id AND blocked_id = ask.user_id))) FROM ",
        );
        self.pairs.walk(&mut out)?;
        out.push_sql(
            " JOIN users AS u ON u.id = ask.user_id JOIN conversations ON conversations.id = ask.conversation_id \
             LEFT JOIN channels ON channels.conversation_id = conversations.id \
             LEFT JOIN direct_conversations ON direct_conversations.conversation_id = conversations.id \
             LEFT JOIN conversation_members AS m \
             ON m.conversation_id = ask.conversation_id AND m.user_id = ask.user_id \
             LEFT JOIN group_members AS g \
             ON g.group_id = channels.group_id AND g.user_id = ask.user_id AND g.left_at IS NULL",
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
