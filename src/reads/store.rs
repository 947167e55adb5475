//! Seats, and what is unread behind them. Reads only.

use std::sync::Arc;

use diesel::QueryResult;
use diesel::dsl::{AsSelect, Eq, auto_type, case_when, count_star, sql};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable};
use diesel_async::RunQueryDsl;

use super::inbox::{InboxCursor, InboxFilter};
use crate::clock::Instant;
use crate::conversations::{Conversation, Kind, Member, Reached};
use crate::db::{Conn, among, lower};
use crate::id::{ConversationId, GroupId, MessageId, UserId};
use crate::page::{Direction, Window};
use crate::schema::{
    channel_categories, channels, conversation_members, conversations, direct_conversations, groups, messages,
};

/// How a member keeps a conversation, and the conversation as it was at the same moment.
#[derive(Clone, Debug)]
pub struct State {
    pub member: Arc<Member>,
    pub conversation: Arc<Conversation>,
    /// Messages of others outside of threads behind their position, without deleted ones.
    pub unread_count: i32,
}

type Row = (Member, Conversation, i32);

impl State {
    fn of((member, conversation, unread_count): Row) -> Self {
        Self { member: member.into(), conversation: conversation.into(), unread_count }
    }
}

/// Declares an expression over seats and their conversations that diesel cannot say.
macro_rules! expression {
    ($(#[$doc:meta])* $name:ident: $kind:ty = $sql:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, QueryId)]
        struct $name;

        impl Expression for $name {
            type SqlType = $kind;
        }

        impl<T> AppearsOnTable<T> for $name {}

        impl<T> SelectableExpression<T> for $name {}

        impl ValidGrouping<()> for $name {
            type IsAggregate = is_aggregate::No;
        }

        impl QueryFragment<Pg> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }
    };
}

const UNREAD: &str =
    "CASE WHEN conversations.last_msg_no > conversation_members.last_read_no + conversation_members.own_unread
        THEN greatest(0, conversations.last_msg_no - conversation_members.last_read_no - conversation_members.own_unread
            - (SELECT count(*) FROM messages WHERE messages.conversation_id = conversations.id
                AND messages.msg_no > conversation_members.last_read_no AND messages.deleted_at IS NOT NULL
                AND messages.author_id <> conversation_members.user_id)::integer)
        ELSE 0 END";

expression! {
    /// What is unread: a subtraction of numbers, and of the tombstones among what is left. They are asked for only where
    /// something is left, from an index of nothing else. One's own behind the position, deleted or not, are `own_unread`.
    Unread: Integer = UNREAD
}

expression! {
    /// The first message that `Unread` counts; `messages` looks for the same one to open a conversation at.
    FirstUnread: Nullable<Integer> = "(SELECT messages.seq FROM messages
        WHERE messages.conversation_id = conversation_members.conversation_id
            AND messages.seq > conversation_members.last_read_seq AND messages.thread_root_seq IS NULL
            AND messages.kind = 'STANDARD' AND messages.author_id <> conversation_members.user_id
            AND messages.deleted_at IS NULL
        ORDER BY messages.seq LIMIT 1)"
}

/// Seats that hold, with their conversations.
#[auto_type(no_type_alias)]
fn held() -> _ {
    let channel_of: Eq<channels::conversation_id, conversations::id> = channels::conversation_id.eq(conversations::id);
    let direct_of: Eq<direct_conversations::conversation_id, conversations::id> =
        direct_conversations::conversation_id.eq(conversations::id);
    conversation_members::table
        .inner_join(conversations::table)
        .left_join(channels::table.on(channel_of))
        .left_join(direct_conversations::table.on(direct_of))
        .filter(conversation_members::left_at.is_null())
}

fn row() -> (AsSelect<Member, Pg>, AsSelect<Conversation, Pg>, Unread) {
    (Member::as_select(), Conversation::as_select(), Unread)
}

/// How these people keep these conversations, as far as they are members.
pub(super) async fn states(conn: &mut Conn, seats: &[(ConversationId, UserId)]) -> QueryResult<Vec<State>> {
    let rows: Vec<Row> = held()
        .filter(among(conversation_members::conversation_id, conversation_members::user_id, seats))
        .select(row())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(State::of).collect())
}

/// The conversations somebody is in: channels by group, category and position, first those of the server and those of no
/// category; then direct ones, latest activity first.
pub(super) async fn sidebar(conn: &mut Conn, user: UserId, limit: i64) -> QueryResult<Vec<State>> {
    use channel_categories as k;
    let is_direct = conversations::kind.eq(Kind::Direct);
    let (in_group, in_category) =
        (groups::id.nullable().eq(channels::group_id), k::id.nullable().eq(channels::category_id));
    let rows: Vec<Row> = held()
        .left_join(groups::table.on(in_group))
        .left_join(k::table.on(in_category))
        .filter(conversation_members::user_id.eq(user))
        .order((
            is_direct.asc(),
            lower(groups::name).nullable().asc().nulls_first(),
            groups::id.nullable().asc().nulls_first(),
            k::position.nullable().asc().nulls_first(),
            channels::position.nullable().asc(),
            case_when(is_direct, conversations::last_activity_at).desc(),
            conversations::id.asc(),
        ))
        .limit(limit)
        .select(row())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(State::of).collect())
}

/// A page of the conversations somebody is in, latest activity first. Times of activity are on the hottest rows and in
/// no index, so that writing them is cheap: somebody's seats are found by index, and sorted.
pub(super) async fn inbox(
    conn: &mut Conn,
    user: UserId,
    filter: &InboxFilter,
    window: &Window<InboxCursor>,
) -> QueryResult<Vec<State>> {
    use conversation_members as m;
    use conversations as c;
    let mut query = held()
        .filter(m::user_id.eq(user))
        .filter(c::archived_at.is_not_null().eq(filter.is_archived))
        .limit(window.fetch())
        .select(row())
        .into_boxed();
    query = match filter.is_hidden {
        true => query.filter(m::hidden_no.ge(c::last_msg_no.nullable())),
        false => query.filter(m::hidden_no.is_null().or(m::hidden_no.assume_not_null().lt(c::last_msg_no))),
    };
    if let Some(kinds) = &filter.kinds {
        query = query.filter(c::kind.eq_any(kinds));
    }
    if let Some(group) = filter.group {
        query = query.filter(channels::group_id.eq(group));
    }
    if let Some(is_favorite) = filter.is_favorite {
        query = query.filter(m::is_favorite.eq(is_favorite));
    }
    query = match filter.is_unread {
        Some(true) => query.filter(Unread.gt(0)),
        Some(false) => query.filter(Unread.eq(0)),
        None => query,
    };
    if let Some((at, id)) = window.after.as_ref().map(InboxCursor::values) {
        query = query.filter(c::last_activity_at.le(at)).filter(c::last_activity_at.lt(at).or(c::id.lt(id)));
    }
    if let Some((at, id)) = window.before.as_ref().map(InboxCursor::values) {
        query = query.filter(c::last_activity_at.ge(at)).filter(c::last_activity_at.gt(at).or(c::id.gt(id)));
    }
    query = match window.direction {
        Direction::Forward => query.order((c::last_activity_at.desc(), c::id.desc())),
        Direction::Backward => query.order((c::last_activity_at.asc(), c::id.asc())),
    };
    let rows: Vec<Row> = query.load(conn).await?;
    Ok(rows.into_iter().map(State::of).collect())
}

/// Of these people, in how many conversations something is unread: of those that the inbox shows, without muted ones.
pub(super) async fn unread_conversations(
    conn: &mut Conn,
    users: &[UserId],
    now: Instant,
) -> QueryResult<Vec<(UserId, i64)>> {
    use conversation_members as m;
    use conversations as c;
    held()
        .filter(m::user_id.eq_any(users).and(c::archived_at.is_null()))
        .filter(m::muted_until.is_null().or(m::muted_until.assume_not_null().le(now)))
        .filter(m::hidden_no.is_null().or(m::hidden_no.assume_not_null().lt(c::last_msg_no)))
        .filter(Unread.gt(0))
        .group_by(m::user_id)
        .select((m::user_id, count_star()))
        .load(conn)
        .await
}

/// How much these people have not read in the channels of these groups, without muted and archived ones.
pub(super) async fn unread_in_groups(
    conn: &mut Conn,
    pairs: &[(UserId, GroupId)],
    now: Instant,
) -> QueryResult<Vec<(UserId, Option<GroupId>, Option<i64>)>> {
    use conversation_members as m;
    held()
        .filter(among(m::user_id, channels::group_id, pairs))
        .filter(conversations::archived_at.is_null())
        .filter(m::muted_until.is_null().or(m::muted_until.assume_not_null().le(now)))
        .group_by((m::user_id, channels::group_id))
        .select((
            m::user_id,
            channels::group_id.nullable(),
            sql::<Nullable<BigInt>>("sum(").sql(UNREAD).sql(")::bigint"),
        ))
        .load(conn)
        .await
}

/// The first unread message of each of these seats, where there is one.
pub(super) async fn first_unread(
    conn: &mut Conn,
    seats: &[(ConversationId, UserId)],
) -> QueryResult<Vec<(ConversationId, UserId, Option<i32>)>> {
    use conversation_members as m;
    m::table
        .filter(m::left_at.is_null())
        .filter(among(m::conversation_id, m::user_id, seats))
        .select((m::conversation_id, m::user_id, FirstUnread))
        .load(conn)
        .await
}

/// Where a message of this conversation stands, and whether it is in a thread.
pub(super) async fn message(
    conn: &mut Conn,
    id: ConversationId,
    message: MessageId,
) -> QueryResult<Option<(i32, bool)>> {
    messages::table
        .filter(messages::id.eq(message).and(messages::conversation_id.eq(id)))
        .select((messages::seq, messages::thread_root_seq.is_not_null()))
        .first(conn)
        .await
        .optional()
}

/// The position of whoever has read up to `seq`, or everything; beyond the head there is nothing to read.
pub(super) async fn position(conn: &mut Conn, id: ConversationId, seq: Option<i32>) -> QueryResult<Reached> {
    let head = conversations::table.find(id).select((conversations::last_seq, conversations::last_msg_no));
    let (last_seq, last_msg_no) = head.first(conn).await?;
    let Some(seq) = seq.filter(|seq| *seq < last_seq) else {
        return Ok(Reached { seq: last_seq, no: last_msg_no });
    };
    let no: Option<Option<i32>> = messages::table
        .filter(messages::conversation_id.eq(id).and(messages::seq.le(seq)))
        .filter(messages::thread_root_seq.is_null().and(messages::msg_no.is_not_null()))
        .order(messages::seq.desc())
        .select(messages::msg_no)
        .first(conn)
        .await
        .optional()?;
    Ok(Reached { seq, no: no.flatten().unwrap_or_default() })
}
