//! The notifications. What their owner may see of them is judged here, so that pages are full and numbers right; it is the
//! same as where a conversation or a group is looked for.

mod facts;
mod write;

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

pub use facts::Fact;
pub(super) use facts::{Among, Ask, facts, told_of};
pub(super) use write::{
    HasRead, New, delete, expire, forget, insert, is_there, read_about, read_these, read_until, read_up_to,
    withdraw_from, withdraw_message, withdraw_reaction,
};

use super::list::{NotificationCursor, NotificationFilter};
use super::{COUNTED, Kind};
use crate::clock::Instant;
use crate::db::{Conn, Statement};
use crate::id::{ConversationId, GroupId, MessageId, NotificationId, UserId};
use crate::page::{Direction, Window};

/// A notification, and what it is about as it is now.
#[derive(Clone, Debug, Queryable)]
pub struct Notification {
    pub user_id: UserId,
    pub id: NotificationId,
    pub kind: Kind,
    pub is_urgent: bool,
    /// Who caused it; `None` for the server.
    pub actor_id: Option<UserId>,
    pub conversation_id: Option<ConversationId>,
    /// The message it is about.
    pub message_seq: Option<i32>,
    pub message_id: Option<MessageId>,
    /// The message in whose thread that is.
    pub thread_root_seq: Option<i32>,
    pub group_id: Option<GroupId>,
    /// The emoji of a reaction, the role of a change of it.
    pub detail: Option<String>,
    pub created_at: Instant,
    pub read_at: Option<Instant>,
    pub is_deleted: bool,
    /// Whether its owner still sees what it is about.
    pub is_in_sight: bool,
    pub is_direct: bool,
    pub actor_name: Option<String>,
    /// Name of the channel, direct conversation or group; a direct conversation may have none.
    pub place_name: Option<String>,
    /// The beginning of the message, as it was written; `None` for a deleted one.
    pub content: Option<String>,
}

impl Notification {
    /// Whether it is in the bell of its owner.
    pub fn is_shown(&self) -> bool {
        self.is_in_sight && !self.is_deleted
    }
}

/// Whose is which.
pub type Key = (UserId, NotificationId);

/// The columns of `Notification`.
type Columns = (
    SqlUuid,
    SqlUuid,
    Text,
    Bool,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    Nullable<Integer>,
    Nullable<SqlUuid>,
    Nullable<Integer>,
    Nullable<SqlUuid>,
    Nullable<Text>,
    Timestamptz,
    Nullable<Timestamptz>,
    Bool,
    Bool,
    Bool,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
);

/// What decides sight of the notification `n`.
const PLACES: &str = " LEFT JOIN channels AS ch ON ch.conversation_id = n.conversation_id \
    LEFT JOIN conversation_members AS m ON m.conversation_id = n.conversation_id AND m.user_id = n.user_id \
    LEFT JOIN group_members AS g ON g.group_id = coalesce(n.group_id, ch.group_id) AND g.user_id = n.user_id \
    LEFT JOIN groups AS gr ON gr.id = n.group_id ";

/// Whether its owner sees the conversation or the group that it is about.
const IN_SIGHT: &str = " (n.conversation_id IS NULL OR m.user_id IS NOT NULL AND m.departure IS NULL \
        OR ch.visibility = 'PUBLIC' AND m.departure IS DISTINCT FROM 'BANNED' \
            AND (ch.group_id IS NULL OR g.user_id IS NOT NULL AND g.departure IS NULL AND g.role <> 'GUEST')) \
    AND (n.group_id IS NULL OR g.user_id IS NOT NULL AND g.departure IS NULL \
        OR gr.visibility = 'PUBLIC' AND g.departure IS DISTINCT FROM 'BANNED') ";

/// Of a message no more is read than an excerpt of it may need.
const SELECT: &str = "SELECT n.user_id, n.id, n.kind, n.is_urgent, n.actor_id, n.conversation_id, n.message_seq, x.id, \
    n.thread_root_seq, n.group_id, n.detail, n.created_at, n.read_at, n.deleted_at IS NOT NULL, ";

const SELECT_ON: &str = ", n.conversation_id IS NOT NULL AND ch.conversation_id IS NULL, a.display_name, \
    coalesce(ch.name, d.name, gr.name), left(x.content, 2000) FROM notifications AS n \
    LEFT JOIN users AS a ON a.id = n.actor_id \
    LEFT JOIN direct_conversations AS d ON d.conversation_id = n.conversation_id \
    LEFT JOIN messages AS x ON x.conversation_id = n.conversation_id AND x.seq = n.message_seq ";

const UNREAD: &str = " AND n.read_at IS NULL AND n.deleted_at IS NULL";

fn selected() -> Statement<Columns> {
    Statement::new(SELECT).sql(IN_SIGHT).sql(SELECT_ON).sql(PLACES)
}

/// Notifications by whose they are and their ids, also those that are not in the bell any more.
pub(super) async fn by_keys(conn: &mut Conn, keys: &[Key]) -> QueryResult<Vec<Notification>> {
    let (users, ids): (Vec<UserId>, Vec<NotificationId>) = keys.iter().copied().unzip();
    let query = selected().sql("WHERE (n.user_id, n.id) IN (SELECT * FROM unnest(").value::<Array<SqlUuid>, _>(users);
    query.sql(", ").value::<Array<SqlUuid>, _>(ids).sql("))").load(conn).await
}

/// A page of somebody's, newest first.
pub(super) async fn page(
    conn: &mut Conn,
    user: UserId,
    filter: &NotificationFilter,
    window: &Window<NotificationCursor>,
) -> QueryResult<Vec<Notification>> {
    let mut query = filtered(selected(), user, filter);
    for (operator, place) in [(" AND n.id < ", &window.after), (" AND n.id > ", &window.before)] {
        if let Some(place) = place {
            query = query.sql(operator).value::<SqlUuid, _>(place.id());
        }
    }
    let query = query.sql(match window.direction {
        Direction::Forward => " ORDER BY n.id DESC LIMIT ",
        Direction::Backward => " ORDER BY n.id LIMIT ",
    });
    query.value::<BigInt, _>(window.fetch()).load(conn).await
}

/// How many of somebody's there are, up to one more than are counted.
pub(super) async fn count(conn: &mut Conn, user: UserId, filter: &NotificationFilter) -> QueryResult<i64> {
    let query = Statement::<BigInt>::new("SELECT count(*) FROM (SELECT FROM notifications AS n").sql(PLACES);
    let query = filtered(query, user, filter).sql(" LIMIT ").value::<BigInt, _>(COUNTED + 1);
    query.sql(") AS found").get_result(conn).await
}

/// What the filter leaves of somebody's that are in the bell.
fn filtered<ST>(query: Statement<ST>, user: UserId, filter: &NotificationFilter) -> Statement<ST> {
    let query = query.sql("WHERE n.user_id = ").value::<SqlUuid, _>(user).sql(" AND n.deleted_at IS NULL AND");
    let mut query = query.sql(IN_SIGHT);
    query = match filter.is_read {
        Some(true) => query.sql(" AND n.read_at IS NOT NULL"),
        Some(false) => query.sql(" AND n.read_at IS NULL"),
        None => query,
    };
    if let Some(kinds) = &filter.kinds {
        query = query.sql(" AND n.kind = ANY (").value::<Array<Text>, _>(kinds.clone()).sql(")");
    }
    query = match filter.is_urgent {
        Some(true) => query.sql(" AND n.is_urgent"),
        Some(false) => query.sql(" AND NOT n.is_urgent"),
        None => query,
    };
    if let Some(id) = filter.conversation_id {
        query = query.sql(" AND n.conversation_id = ").value::<SqlUuid, _>(id);
    }
    query
}

/// How many of these people's are unread, up to one more than are counted.
pub(super) async fn unread(conn: &mut Conn, users: &[UserId]) -> QueryResult<Vec<(UserId, i64)>> {
    Statement::<(SqlUuid, BigInt)>::new("SELECT u.id, (SELECT count(*) FROM (SELECT FROM notifications AS n")
        .sql(PLACES)
        .sql("WHERE n.user_id = u.id")
        .sql(UNREAD)
        .sql(" AND")
        .sql(IN_SIGHT)
        .sql(" LIMIT ")
        .value::<BigInt, _>(COUNTED + 1)
        .sql(") AS found) FROM unnest(")
        .value::<Array<SqlUuid>, _>(users.to_vec())
        .sql(") AS u (id)")
        .load(conn)
        .await
}

/// What came to somebody since an instant and is unread, oldest first, up to `limit`.
pub(super) async fn unread_since(
    conn: &mut Conn,
    user: UserId,
    since: Instant,
    limit: i64,
) -> QueryResult<Vec<Notification>> {
    let query = selected().sql("WHERE n.user_id = ").value::<SqlUuid, _>(user).sql(UNREAD);
    let query = query.sql(" AND n.created_at >= ").value::<Timestamptz, _>(since).sql(" AND").sql(IN_SIGHT);
    query.sql(" ORDER BY n.id LIMIT ").value::<BigInt, _>(limit).load(conn).await
}
