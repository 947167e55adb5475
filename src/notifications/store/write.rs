//! What is written, read and deleted.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::{Key, UNREAD};
use crate::clock::Instant;
use crate::db::{Conn, Statement, insert_many};
use crate::id::{ConversationId, GroupId, NotificationId, UserId};
use crate::notifications::Kind;
use crate::schema::notifications;

/// A notification to be.
#[derive(Clone, Debug)]
pub(in crate::notifications) struct New {
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

pub(in crate::notifications) async fn insert(mut conn: &Conn, new: &[&New]) -> QueryResult<()> {
    match new {
        [] => Ok(()),
        new => Insert::of(new.iter().copied()).execute(&mut conn).await.map(drop),
    }
}

/// Whether somebody was told of it, whatever has become of it.
pub(in crate::notifications) async fn is_there(conn: &mut Conn, (user, id): Key) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(notifications::table.find((user, id)))).get_result(conn).await
}

/// How far somebody has read, in a conversation or in a thread of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::notifications) struct HasRead {
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

fn reading(now: Instant) -> Statement<(SqlUuid, SqlUuid)> {
    Statement::new("UPDATE notifications AS old SET read_at = ").value::<Timestamptz, _>(now).sql(THESE)
}

fn deleting(now: Instant) -> Statement<(SqlUuid, SqlUuid)> {
    Statement::new("UPDATE notifications AS old SET deleted_at = ").value::<Timestamptz, _>(now).sql(THESE)
}

/// Whoever has read so far has read what is about it; says which that were.
pub(in crate::notifications) async fn read_up_to(
    mut conn: &Conn,
    read: &[HasRead],
    now: Instant,
) -> QueryResult<Vec<Key>> {
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
pub(in crate::notifications) async fn read_these(
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
pub(in crate::notifications) async fn read_until(
    conn: &mut Conn,
    user: UserId,
    until: Instant,
    now: Instant,
) -> QueryResult<Vec<Key>> {
    let these = reading(now).sql(" WHERE n.user_id = ").value::<SqlUuid, _>(user);
    let these = these.sql(" AND n.created_at <= ").value::<Timestamptz, _>(until);
    these.sql(UNREAD).sql(LOCKED).load(conn).await
}

/// Reads all of somebody's about a conversation.
pub(in crate::notifications) async fn read_about(
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
pub(in crate::notifications) async fn delete(
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
pub(in crate::notifications) async fn withdraw_message(
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
pub(in crate::notifications) async fn withdraw_reaction(
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
pub(in crate::notifications) async fn withdraw_from(
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
pub(in crate::notifications) async fn expire(conn: &mut Conn, before: Instant, limit: i64) -> QueryResult<usize> {
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
pub(in crate::notifications) async fn forget(conn: &mut Conn, user: UserId, limit: i64) -> QueryResult<usize> {
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
