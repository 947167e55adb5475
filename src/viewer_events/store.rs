//! What of somebody's rows was changed. Reads only.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::clock::Instant;
use crate::db::{Conn, Xid};
use crate::id::{ConversationId, GroupId, UserId};
use crate::schema::{conversation_members, group_members};

/// In which conversations these people are members.
pub(super) async fn seats(conn: &mut Conn, people: &[UserId]) -> QueryResult<Vec<(UserId, ConversationId)>> {
    use conversation_members as m;
    m::table
        .filter(m::user_id.eq_any(people).and(m::left_at.is_null()))
        .select((m::user_id, m::conversation_id))
        .load(conn)
        .await
}

/// In which groups they are.
pub(super) async fn memberships(conn: &mut Conn, people: &[UserId]) -> QueryResult<Vec<(UserId, GroupId)>> {
    use group_members as m;
    m::table
        .filter(m::user_id.eq_any(people).and(m::left_at.is_null()))
        .select((m::user_id, m::group_id))
        .load(conn)
        .await
}

/// Where the database stands: what its numbers of transactions are of, before which all are over, and from which on none
/// has begun.
pub(super) async fn moment(conn: &mut Conn) -> QueryResult<(i64, Xid, Xid)> {
    let (origin, xmin, xmax) = Standing.get_result(conn).await?;
    Ok((origin, Xid(xmin), Xid(xmax)))
}

/// A row that was changed.
#[derive(Queryable)]
pub(super) struct Changed {
    /// Which of those who were asked about it is of.
    pub ask: i32,
    pub kind: String,
    pub id: Uuid,
    /// Of a thread, the position of the message it is under.
    pub root_seq: Option<i32>,
    /// The transaction that wrote it last.
    pub xid: i64,
    pub at: Instant,
    /// Of a seat, the transaction that made it.
    pub joined_xid: Option<i64>,
}

/// Notifications of one person that are told one by one.
pub(super) const NOTIFICATIONS: i64 = 100;

/// What of these people was changed by each transaction and those after it.
pub(super) async fn changed_since(conn: &mut Conn, asks: &[(UserId, Xid)]) -> QueryResult<Vec<Changed>> {
    if asks.is_empty() {
        return Ok(Vec::new());
    }
    let (people, since) = asks.iter().map(|(user_id, since)| (*user_id, since.0)).unzip();
    // One more tells that there are more.
    ChangedSince { people, since, notifications: NOTIFICATIONS + 1 }.load(conn).await
}

/// diesel has no type for the numbers of transactions, and they fit into a bigint.
#[derive(QueryId)]
struct Standing;

impl Query for Standing {
    type SqlType = (BigInt, BigInt, BigInt);
}

impl QueryFragment<Pg> for Standing {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT hashtextextended(format('%s %s %s', system_identifier, timeline_id, oid), 0), \
                 pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint \
             FROM pg_current_snapshot() AS now, pg_control_system(), pg_control_checkpoint(), pg_database \
             WHERE datname = current_database()",
        );
        Ok(())
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for Standing {}

struct ChangedSince {
    people: Vec<UserId>,
    since: Vec<i64>,
    notifications: i64,
}

impl QueryId for ChangedSince {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for ChangedSince {
    type SqlType = (Integer, Text, SqlUuid, Nullable<Integer>, BigInt, Timestamptz, Nullable<BigInt>);
}

impl QueryFragment<Pg> for ChangedSince {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // A row from another database, restored here, may name a transaction that is still to come: it is no change.
        out.push_sql(
            "WITH ask AS MATERIALIZED (SELECT user_id, since::text::xid8 AS since, number::integer - 1 AS number FROM unnest(",
        );
        out.push_bind_param::<Array<SqlUuid>, _>(&self.people)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.since)?;
        out.push_sql(
            ") WITH ORDINALITY AS ask (user_id, since, number)), \
             changed AS ( \
                 SELECT number, since, 'conversation' AS kind, c.id, NULL::integer AS root_seq, \
                     greatest(m.changed_xid, CASE WHEN m.left_at IS NULL THEN greatest(c.changed_xid, ( \
                         SELECT g.changed_xid FROM channels AS h JOIN group_members AS g USING (group_id) \
                         WHERE h.conversation_id = c.id AND g.user_id = m.user_id AND g.left_at IS NULL), ( \
                         SELECT f.changed_xid FROM thread_followers AS f \
                         WHERE (f.user_id, f.conversation_id) = (m.user_id, m.conversation_id) \
                         ORDER BY f.changed_xid DESC LIMIT 1)) END) AS changed_xid, \
                     CASE WHEN m.left_at IS NULL \
                         THEN greatest(c.last_activity_at, c.updated_at, m.joined_at, m.last_read_at) \
                         ELSE m.left_at END AS at, \
                     m.joined_xid \
                 FROM ask JOIN conversation_members AS m USING (user_id) JOIN conversations AS c ON c.id = m.conversation_id \
                 UNION ALL SELECT number, since, 'thread', f.conversation_id, f.root_seq, \
                     greatest(f.changed_xid, t.changed_xid), coalesce(t.last_reply_at, m.joined_at), NULL \
                 FROM ask JOIN conversation_members AS m USING (user_id) \
                 JOIN thread_followers AS f ON f.user_id = m.user_id AND f.conversation_id = m.conversation_id \
                 LEFT JOIN threads AS t ON t.conversation_id = f.conversation_id AND t.root_seq = f.root_seq \
                 WHERE m.left_at IS NULL \
                 UNION ALL SELECT number, since, 'group', g.id, NULL, \
                     greatest(m.changed_xid, CASE WHEN m.left_at IS NULL THEN g.changed_xid END), \
                     coalesce(m.left_at, greatest(g.updated_at, m.joined_at)), NULL \
                 FROM ask JOIN group_members AS m USING (user_id) JOIN groups AS g ON g.id = m.group_id \
                 UNION ALL SELECT number, since, 'channel list', l.id, NULL, l.changed_xid, l.changed_at, NULL \
                 FROM ask JOIN channel_lists AS l ON l.id = '00000000-0000-0000-0000-000000000000' \
                     OR l.id IN (SELECT group_id FROM group_members AS m WHERE m.user_id = ask.user_id AND m.left_at IS NULL) \
                 UNION ALL SELECT number, since, 'session', s.id, NULL, s.changed_xid, s.ended_at, NULL \
                 FROM ask JOIN sessions AS s USING (user_id) WHERE s.ended_at IS NOT NULL \
                 UNION ALL SELECT number, since, 'notification', n.id, NULL, n.changed_xid, \
                     coalesce(n.deleted_at, n.read_at, n.created_at), NULL \
                 FROM ask CROSS JOIN LATERAL (SELECT * FROM notifications AS n \
                     WHERE n.user_id = ask.user_id AND n.changed_xid >= ask.since \
                         AND n.changed_xid < pg_snapshot_xmax(pg_current_snapshot()) ORDER BY n.changed_xid DESC LIMIT ",
        );
        out.push_bind_param::<BigInt, _>(&self.notifications)?;
        out.push_sql(
            ") AS n \
                 UNION ALL SELECT number, since, 'viewer', u.id, NULL, \
                     greatest(u.changed_xid, a.changed_xid, p.changed_xid), u.updated_at, NULL \
                 FROM ask JOIN users AS u ON u.id = ask.user_id LEFT JOIN accounts AS a ON a.user_id = u.id \
                 LEFT JOIN preferences AS p ON p.user_id = u.id) \
             SELECT number, kind, id, root_seq, changed_xid::text::bigint, at, joined_xid::text::bigint FROM changed \
             WHERE changed_xid >= since AND changed_xid < pg_snapshot_xmax(pg_current_snapshot())",
        );
        Ok(())
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for ChangedSince {}
