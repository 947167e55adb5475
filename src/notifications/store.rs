//! The notifications. What their owner may see of them is judged here, so that pages are full and numbers right; it is the
//! same as where a conversation or a group is looked for.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::list::{NotificationCursor, NotificationFilter};
use super::{COUNTED, Kind};
use crate::accounts::preferences::NotificationLevel;
use crate::clock::Instant;
use crate::db::{Conn, Statement, insert_many};
use crate::id::{ConversationId, GroupId, MessageId, NotificationId, UserId};
use crate::page::{Direction, Window};
use crate::schema::notifications;

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

fn selected() -> Statement<Columns> {
    Statement::new(SELECT).sql(IN_SIGHT).sql(SELECT_ON).sql(PLACES)
}

// Writing.

/// A notification to be.
#[derive(Clone, Debug)]
pub(super) struct New {
    pub user_id: UserId,
    pub id: NotificationId,
    pub kind: Kind,
    pub is_urgent: bool,
    pub actor_id: Option<UserId>,
    pub conversation_id: Option<ConversationId>,
    /// Where in the log it happened.
    pub seq: Option<i32>,
    pub message_seq: Option<i32>,
    pub thread_root_seq: Option<i32>,
    pub group_id: Option<GroupId>,
    pub detail: Option<String>,
    pub created_at: Instant,
}

insert_many! {
    Insert(New) into "notifications" {
        user_id: UserId as SqlUuid,
        id: NotificationId as SqlUuid,
        kind: Kind as Text,
        is_urgent: bool as Bool,
        actor_id: Option<UserId> as Nullable<SqlUuid>,
        conversation_id: Option<ConversationId> as Nullable<SqlUuid>,
        seq: Option<i32> as Nullable<Integer>,
        message_seq: Option<i32> as Nullable<Integer>,
        thread_root_seq: Option<i32> as Nullable<Integer>,
        group_id: Option<GroupId> as Nullable<SqlUuid>,
        detail: Option<String> as Nullable<Text>,
        created_at: Instant as Timestamptz,
    }
}

pub(super) async fn insert(mut conn: &Conn, new: &[&New]) -> QueryResult<()> {
    match new {
        [] => Ok(()),
        new => Insert::of(new.iter().copied()).execute(&mut conn).await.map(drop),
    }
}

/// Whether somebody was told of it, whatever has become of it.
pub(super) async fn is_there(conn: &mut Conn, (user, id): Key) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(notifications::table.find((user, id)))).get_result(conn).await
}

/// Whose is which.
pub type Key = (UserId, NotificationId);

/// How far somebody has read, in a conversation or in a thread of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct HasRead {
    pub user_id: UserId,
    pub conversation_id: ConversationId,
    pub thread_root_seq: Option<i32>,
    pub seq: i32,
}

/// The ends of a statement that changes some of the notifications `n`. They are locked in the order of their keys: two
/// devices, or who reads and who deletes, wait for one another and for nobody else.
const THESE: &str = " FROM (SELECT n.user_id, n.id FROM notifications AS n";
const LOCKED: &str = " ORDER BY n.user_id, n.id FOR NO KEY UPDATE OF n) AS these \
    WHERE (old.user_id, old.id) = (these.user_id, these.id) RETURNING old.user_id, old.id";
const UNREAD: &str = " AND n.read_at IS NULL AND n.deleted_at IS NULL";

fn reading(now: Instant) -> Statement<(SqlUuid, SqlUuid)> {
    Statement::new("UPDATE notifications AS old SET read_at = ").value::<Timestamptz, _>(now).sql(THESE)
}

fn deleting(now: Instant) -> Statement<(SqlUuid, SqlUuid)> {
    Statement::new("UPDATE notifications AS old SET deleted_at = ").value::<Timestamptz, _>(now).sql(THESE)
}

/// Whoever has read so far has read what is about it; says which that were.
pub(super) async fn read_up_to(mut conn: &Conn, read: &[HasRead], now: Instant) -> QueryResult<Vec<Key>> {
    if read.is_empty() {
        return Ok(Vec::new());
    }
    reading(now)
        .sql(" JOIN unnest(")
        .value::<Array<SqlUuid>, _>(read.iter().map(|read| read.user_id).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<SqlUuid>, _>(read.iter().map(|read| read.conversation_id).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Nullable<Integer>>, _>(read.iter().map(|read| read.thread_root_seq).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Integer>, _>(read.iter().map(|read| read.seq).collect::<Vec<_>>())
        .sql(
            ") AS p (user_id, conversation_id, root_seq, seq) ON n.user_id = p.user_id \
             AND n.conversation_id = p.conversation_id AND n.seq <= p.seq \
             WHERE n.thread_root_seq IS NOT DISTINCT FROM p.root_seq",
        )
        .sql(UNREAD)
        .sql(LOCKED)
        .load(&mut conn)
        .await
}

/// Reads these of somebody's.
pub(super) async fn read_these(
    conn: &mut Conn,
    user: UserId,
    ids: &[NotificationId],
    now: Instant,
) -> QueryResult<Vec<Key>> {
    let these = reading(now).sql(" WHERE n.user_id = ").value::<SqlUuid, _>(user);
    let these = these.sql(" AND n.id = ANY (").value::<Array<SqlUuid>, _>(ids.to_vec());
    these.sql(")").sql(UNREAD).sql(LOCKED).load(conn).await
}

/// Reads all of somebody's up to an instant.
pub(super) async fn read_until(conn: &mut Conn, user: UserId, until: Instant, now: Instant) -> QueryResult<Vec<Key>> {
    let these = reading(now).sql(" WHERE n.user_id = ").value::<SqlUuid, _>(user);
    let these = these.sql(" AND n.created_at <= ").value::<Timestamptz, _>(until);
    these.sql(UNREAD).sql(LOCKED).load(conn).await
}

/// Reads all of somebody's about a conversation.
pub(super) async fn read_about(
    conn: &mut Conn,
    user: UserId,
    id: ConversationId,
    now: Instant,
) -> QueryResult<Vec<Key>> {
    let these = reading(now).sql(" WHERE n.user_id = ").value::<SqlUuid, _>(user);
    let these = these.sql(" AND n.conversation_id = ").value::<SqlUuid, _>(id);
    these.sql(UNREAD).sql(LOCKED).load(conn).await
}

/// Takes these of somebody's out of the bell.
pub(super) async fn delete(
    conn: &mut Conn,
    user: UserId,
    ids: &[NotificationId],
    now: Instant,
) -> QueryResult<Vec<Key>> {
    let these = deleting(now).sql(" WHERE n.user_id = ").value::<SqlUuid, _>(user);
    let these = these.sql(" AND n.id = ANY (").value::<Array<SqlUuid>, _>(ids.to_vec());
    these.sql(") AND n.deleted_at IS NULL").sql(LOCKED).load(conn).await
}

/// Takes everybody's about a message out of the bell.
pub(super) async fn withdraw_message(
    mut conn: &Conn,
    id: ConversationId,
    seq: i32,
    now: Instant,
) -> QueryResult<Vec<Key>> {
    let these = deleting(now).sql(" WHERE n.conversation_id = ").value::<SqlUuid, _>(id);
    let these = these.sql(" AND n.message_seq = ").value::<Integer, _>(seq);
    these.sql(" AND n.deleted_at IS NULL").sql(LOCKED).load(&mut conn).await
}

/// Takes those about somebody's reaction to a message out of the bell.
pub(super) async fn withdraw_reaction(
    conn: &mut Conn,
    (id, seq): (ConversationId, i32),
    actor: UserId,
    emoji: &str,
    now: Instant,
) -> QueryResult<Vec<Key>> {
    let these = deleting(now).sql(" WHERE n.conversation_id = ").value::<SqlUuid, _>(id);
    let these = these.sql(" AND n.message_seq = ").value::<Integer, _>(seq);
    let these = these.sql(" AND n.kind = 'REACTION' AND n.actor_id = ").value::<SqlUuid, _>(actor);
    let these = these.sql(" AND n.detail = ").value::<Text, _>(emoji.to_owned());
    these.sql(" AND n.deleted_at IS NULL").sql(LOCKED).load(conn).await
}

/// Takes what somebody was told about these conversations out of the bell.
pub(super) async fn withdraw_from(
    conn: &mut Conn,
    user: UserId,
    ids: &[ConversationId],
    now: Instant,
) -> QueryResult<Vec<Key>> {
    let these = deleting(now).sql(" WHERE n.user_id = ").value::<SqlUuid, _>(user);
    let these = these.sql(" AND n.conversation_id = ANY (").value::<Array<SqlUuid>, _>(ids.to_vec());
    these.sql(") AND n.deleted_at IS NULL").sql(LOCKED).load(conn).await
}

/// Forgets those that came before an instant, up to `limit`; says how many that were.
pub(super) async fn expire(conn: &mut Conn, before: Instant, limit: i64) -> QueryResult<usize> {
    Statement::<()>::new(
        "DELETE FROM notifications WHERE ctid = ANY (ARRAY(SELECT ctid FROM notifications WHERE created_at < ",
    )
    .value::<Timestamptz, _>(before)
    .sql(" LIMIT ")
    .value::<BigInt, _>(limit)
    .sql(" FOR UPDATE SKIP LOCKED))")
    .execute(conn)
    .await
}

/// Forgets those of somebody, up to `limit`; says how many that were.
pub(super) async fn forget(conn: &mut Conn, user: UserId, limit: i64) -> QueryResult<usize> {
    Statement::<()>::new(
        "DELETE FROM notifications WHERE ctid = ANY (ARRAY(SELECT ctid FROM notifications WHERE user_id = ",
    )
    .value::<SqlUuid, _>(user)
    .sql(" LIMIT ")
    .value::<BigInt, _>(limit)
    .sql(" FOR UPDATE SKIP LOCKED))")
    .execute(conn)
    .await
}

// Who may have to be told.

/// Somebody who may have to be told of one of several letters, as they are at this moment.
#[derive(Clone, Debug, Queryable)]
pub struct Fact {
    /// Which of the letters.
    pub letter: i32,
    pub user_id: UserId,
    pub is_member: bool,
    pub level: NotificationLevel,
    pub muted_until: Option<Instant>,
    /// In the thread, of a reply in one.
    pub has_read: i32,
    pub is_quoted: bool,
    pub follows: bool,
    pub is_in_block: bool,
    pub words: Vec<String>,
    /// Whether they have devices, and want pushes.
    pub is_reached: bool,
    /// Of the author: whether something about the place is unread.
    pub has_unread: bool,
    /// Whether everybody among whom they were looked for is called.
    pub is_called: bool,
}

/// What has happened, or is about to.
pub(super) struct Ask {
    pub conversation_id: Option<ConversationId>,
    pub author_id: UserId,
    pub root: Option<MessageId>,
    pub quoted: Option<MessageId>,
    pub is_direct: bool,
    pub named: Vec<UserId>,
}

/// Whom to look for, beside those who are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Among {
    Nobody,
    /// Those whom a message may concern. Its author too, where they have something unread about the place.
    Concerned,
    /// All members.
    Members,
    /// The members among these.
    MembersOf(Vec<UserId>),
}

/// How each part of the candidates begins: a letter's own columns, and a person.
const PART: &str = "SELECT c.n, c.conversation_id, c.author_id, c.root_seq, c.quoted_id, ";

/// Those who are named.
const NAMED: &str =
    "named.id FROM ask AS c CROSS JOIN LATERAL unnest(string_to_array(c.names, ',')::uuid[]) AS named (id)";
const MEMBERS: &str =
    "m.user_id FROM ask AS c JOIN conversation_members AS m USING (conversation_id) WHERE m.left_at IS NULL";
/// Those who want to hear everything, by an index of nobody else.
const LOUD: &str = "m.user_id FROM ask AS c JOIN conversation_members AS m USING (conversation_id) \
    WHERE m.level_in_force = 'ALL' AND m.left_at IS NULL";
/// Authors who have something unread about the place.
const BEHIND: &str = "c.author_id FROM ask AS c WHERE EXISTS (SELECT FROM notifications AS n WHERE n.user_id = c.author_id \
    AND n.conversation_id = c.conversation_id AND n.read_at IS NULL AND n.deleted_at IS NULL)";
const ADDRESSED: &str = "m.user_id FROM ask AS c JOIN conversation_members AS m USING (conversation_id) \
    WHERE c.is_direct AND m.left_at IS NULL";
const QUOTED: &str = "c.quoted_id FROM ask AS c WHERE c.quoted_id IS NOT NULL";
const FOLLOWING: &str = "f.user_id FROM ask AS c JOIN thread_followers AS f \
    ON f.conversation_id = c.conversation_id AND f.root_seq = c.root_seq WHERE f.is_following";

/// The columns of `Fact`.
type FactColumns =
    (Integer, SqlUuid, Bool, Text, Nullable<Timestamptz>, Integer, Bool, Bool, Bool, Array<Text>, Bool, Bool, Bool);

/// Those who may have to be told, each once for a letter. What none of the letters asks for is left out of the statement:
/// of the usual one, messages in channels, no more is left than two looks into small indexes.
pub(super) async fn facts(mut conn: &Conn, asks: &[Ask], among: Among) -> QueryResult<Vec<Fact>> {
    let names = |ask: &Ask| ask.named.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(",");
    let has_roots = asks.iter().any(|ask| ask.root.is_some());
    let has_quotes = asks.iter().any(|ask| ask.quoted.is_some());
    let given = |is_given: bool, sql: &'static str, otherwise: &'static str| if is_given { sql } else { otherwise };
    let mut query = Statement::<FactColumns>::new("WITH ask AS MATERIALIZED (SELECT a.*, ")
        .sql(given(has_roots, "r.seq", "NULL::integer"))
        .sql(" AS root_seq, ")
        .sql(given(has_quotes, "q.author_id", "NULL::uuid"))
        .sql(" AS quoted_id FROM unnest(")
        .value::<Array<Nullable<SqlUuid>>, _>(asks.iter().map(|ask| ask.conversation_id).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<SqlUuid>, _>(asks.iter().map(|ask| ask.author_id).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Nullable<SqlUuid>>, _>(asks.iter().map(|ask| ask.root).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Nullable<SqlUuid>>, _>(asks.iter().map(|ask| ask.quoted).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Bool>, _>(asks.iter().map(|ask| ask.is_direct).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Text>, _>(asks.iter().map(names).collect::<Vec<_>>())
        .sql(") WITH ORDINALITY AS a (conversation_id, author_id, root, quoted, is_direct, names, n)")
        .sql(given(
            has_roots,
            " LEFT JOIN messages AS r ON r.id = a.root AND r.conversation_id = a.conversation_id",
            "",
        ))
        .sql(given(
            has_quotes,
            " LEFT JOIN messages AS q ON q.id = a.quoted AND q.conversation_id = a.conversation_id",
            "",
        ))
        .sql("), candidate (n, conversation_id, author_id, root_seq, quoted_id, user_id) AS (");
    let concerned = among == Among::Concerned;
    let parts = [
        (!concerned || asks.iter().any(|ask| !ask.named.is_empty()), NAMED),
        (concerned, LOUD),
        (concerned, BEHIND),
        (concerned && asks.iter().any(|ask| ask.is_direct), ADDRESSED),
        (concerned && has_quotes, QUOTED),
        (concerned && has_roots, FOLLOWING),
        (matches!(among, Among::Members | Among::MembersOf(_)), MEMBERS),
    ];
    let mut union = "";
    for (_, part) in parts.into_iter().filter(|(is_asked_for, _)| *is_asked_for) {
        query = query.sql(std::mem::replace(&mut union, " UNION ")).sql(PART).sql(part);
    }
    if let Among::MembersOf(people) = among {
        query = query.sql(" AND m.user_id = ANY (").value::<Array<SqlUuid>, _>(people).sql(")");
    }
    query
        .sql(
            ") SELECT c.n::integer - 1, c.user_id, m.user_id IS NOT NULL, \
             coalesce(m.level_in_force, p.default_level, 'MENTIONS'), m.muted_until, \
             CASE WHEN c.root_seq IS NULL THEN coalesce(m.last_read_seq, 0) \
                 ELSE greatest(m.joined_seq, f.last_read_seq, 0) END, \
             coalesce(c.quoted_id = c.user_id, false), coalesce(f.is_following, false), \
             EXISTS (SELECT FROM blocks WHERE blocker_id = c.user_id AND blocked_id = c.author_id) \
                 OR EXISTS (SELECT FROM blocks WHERE blocker_id = c.author_id AND blocked_id = c.user_id), \
             coalesce(p.urgent_words, '{}'), \
             coalesce(p.is_push_enabled, true) AND EXISTS (SELECT FROM push_devices AS d WHERE d.user_id = c.user_id), \
             c.user_id = c.author_id AND EXISTS (SELECT FROM notifications AS n WHERE n.user_id = c.author_id \
                 AND n.conversation_id = c.conversation_id AND n.read_at IS NULL AND n.deleted_at IS NULL), \
             false FROM candidate AS c \
             LEFT JOIN conversation_members AS m \
                 ON m.conversation_id = c.conversation_id AND m.user_id = c.user_id AND m.left_at IS NULL \
             LEFT JOIN preferences AS p ON p.user_id = c.user_id \
             LEFT JOIN thread_followers AS f \
                 ON f.conversation_id = c.conversation_id AND f.root_seq = c.root_seq AND f.user_id = c.user_id",
        )
        .load(&mut conn)
        .await
}

/// Of these people, those who have been told of a message, whatever has become of it; of somebody's reactions to it, if
/// that is asked for.
pub(super) async fn told_of(
    conn: &mut Conn,
    (id, seq): (ConversationId, i32),
    reactions_of: Option<UserId>,
    people: &[UserId],
) -> QueryResult<Vec<UserId>> {
    use notifications as n;
    let about = n::table
        .filter(n::conversation_id.eq(id).and(n::message_seq.eq(seq)))
        .filter(n::user_id.eq_any(people))
        .select(n::user_id);
    match reactions_of {
        Some(actor) => about.filter(n::kind.eq(Kind::Reaction).and(n::actor_id.eq(actor))).load(conn).await,
        None => about.filter(n::kind.ne(Kind::Reaction)).load(conn).await,
    }
}

// Reading.

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
