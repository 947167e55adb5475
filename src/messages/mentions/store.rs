//! The mentions.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use futures_util::try_join;

use super::MentionKind;
use super::list::{MentionCursor, MentionFilter};
use crate::clock::Instant;
use crate::db::{Conn, Statement, among, insert_many};
use crate::id::{ConversationId, GroupId, UserId};
use crate::page::{Direction, Window};
use crate::schema::{broadcast_mentions, mentions};

/// Somebody who is mentioned by name.
pub(super) struct Mention {
    pub conversation_id: ConversationId,
    pub seq: i32,
    pub user_id: UserId,
    pub thread_root_seq: Option<i32>,
    pub author_id: UserId,
    pub created_at: Instant,
}

insert_many! {
    InsertMentions(Mention) into "mentions" {
        conversation_id: ConversationId as SqlUuid,
        seq: i32 as Integer,
        user_id: UserId as SqlUuid,
        thread_root_seq: Option<i32> as Nullable<Integer>,
        author_id: UserId as SqlUuid,
        created_at: Instant as Timestamptz,
    }
}

pub(super) async fn insert_mentions(mut conn: &Conn, mentions: &[Mention]) -> QueryResult<()> {
    match mentions {
        [] => Ok(()),
        mentions => InsertMentions::of(mentions).execute(&mut conn).await.map(drop),
    }
}

/// Everyone who is mentioned at once.
pub(super) struct BroadcastMention {
    pub conversation_id: ConversationId,
    pub seq: i32,
    pub kind: MentionKind,
    pub thread_root_seq: Option<i32>,
    pub author_id: UserId,
    pub created_at: Instant,
}

insert_many! {
    InsertBroadcasts(BroadcastMention) into "broadcast_mentions" {
        conversation_id: ConversationId as SqlUuid,
        seq: i32 as Integer,
        kind: MentionKind as Text,
        thread_root_seq: Option<i32> as Nullable<Integer>,
        author_id: UserId as SqlUuid,
        created_at: Instant as Timestamptz,
    }
}

pub(super) async fn insert_broadcast_mentions(mut conn: &Conn, mentions: &[BroadcastMention]) -> QueryResult<()> {
    match mentions {
        [] => Ok(()),
        mentions => InsertBroadcasts::of(mentions).execute(&mut conn).await.map(drop),
    }
}

/// All of a message's; says who was mentioned by name.
pub(super) async fn forget(conn: &Conn, id: ConversationId, seq: i32) -> QueryResult<Vec<UserId>> {
    let (mut first, mut second) = (conn, conn);
    let named = mentions::table.filter(mentions::conversation_id.eq(id).and(mentions::seq.eq(seq)));
    let everyone = broadcast_mentions::table
        .filter(broadcast_mentions::conversation_id.eq(id).and(broadcast_mentions::seq.eq(seq)));
    let named = diesel::delete(named).returning(mentions::user_id);
    let (named, _) = try_join!(named.get_results(&mut first), diesel::delete(everyone).execute(&mut second))?;
    Ok(named)
}

pub(super) async fn named_in(
    conn: &mut Conn,
    messages: &[(ConversationId, i32)],
) -> QueryResult<Vec<(ConversationId, i32, UserId)>> {
    mentions::table
        .filter(among(mentions::conversation_id, mentions::seq, messages))
        .select((mentions::conversation_id, mentions::seq, mentions::user_id))
        .load(conn)
        .await
}

pub(super) async fn broadcasts_in(
    conn: &mut Conn,
    messages: &[(ConversationId, i32)],
) -> QueryResult<Vec<(ConversationId, i32, MentionKind)>> {
    use broadcast_mentions as b;
    b::table
        .filter(among(b::conversation_id, b::seq, messages))
        .select((b::conversation_id, b::seq, b::kind))
        .load(conn)
        .await
}

// What is unread.

/// Messages of others that mention the holder of the seat `m` behind their position, each once: those outside of threads,
/// which the position of the seat reads, and those in threads, which the one there does. Each part by its index: there is
/// no end to what somebody was mentioned in and has read.
const UNREAD: &str = "(SELECT count(*)::integer FROM (\
    SELECT x.seq FROM mentions AS x \
    WHERE x.user_id = m.user_id AND x.conversation_id = m.conversation_id AND x.thread_root_seq IS NULL \
        AND x.seq > m.last_read_seq AND x.author_id <> m.user_id \
    UNION SELECT x.seq FROM broadcast_mentions AS x \
    WHERE x.conversation_id = m.conversation_id AND x.thread_root_seq IS NULL \
        AND x.seq > m.last_read_seq AND x.author_id <> m.user_id \
    UNION SELECT x.seq FROM mentions AS x LEFT JOIN thread_followers AS f \
        ON f.conversation_id = x.conversation_id AND f.root_seq = x.thread_root_seq AND f.user_id = m.user_id \
    WHERE x.user_id = m.user_id AND x.conversation_id = m.conversation_id AND x.thread_root_seq IS NOT NULL \
        AND x.seq > m.joined_seq AND x.seq > coalesce(f.last_read_seq, 0) AND x.author_id <> m.user_id \
    UNION SELECT x.seq FROM broadcast_mentions AS x LEFT JOIN thread_followers AS f \
        ON f.conversation_id = x.conversation_id AND f.root_seq = x.thread_root_seq AND f.user_id = m.user_id \
    WHERE x.conversation_id = m.conversation_id AND x.thread_root_seq IS NOT NULL \
        AND x.seq > m.joined_seq AND x.seq > coalesce(f.last_read_seq, 0) AND x.author_id <> m.user_id\
    ) AS unread)";

/// How many of those there are for each of these seats that holds.
pub(super) async fn unread_in(
    conn: &mut Conn,
    seats: &[(ConversationId, UserId)],
) -> QueryResult<Vec<(ConversationId, UserId, i32)>> {
    let (conversations, users): (Vec<ConversationId>, Vec<UserId>) = seats.iter().copied().unzip();
    Statement::<(SqlUuid, SqlUuid, Integer)>::new("SELECT m.conversation_id, m.user_id, ")
        .sql(UNREAD)
        .sql(
            " FROM conversation_members AS m \
             WHERE m.left_at IS NULL AND (m.conversation_id, m.user_id) IN (SELECT * FROM unnest(",
        )
        .value::<Array<SqlUuid>, _>(conversations)
        .sql(", ")
        .value::<Array<SqlUuid>, _>(users)
        .sql("))")
        .load(conn)
        .await
}

/// The same for all seats of each of these people in the channels of each of these groups, where they have any.
pub(super) async fn unread_in_groups(
    conn: &mut Conn,
    pairs: &[(UserId, GroupId)],
) -> QueryResult<Vec<(UserId, GroupId, i64)>> {
    let (users, groups): (Vec<UserId>, Vec<GroupId>) = pairs.iter().copied().unzip();
    Statement::<(SqlUuid, SqlUuid, BigInt)>::new("SELECT m.user_id, c.group_id, sum(")
        .sql(UNREAD)
        .sql(
            ") FROM conversation_members AS m JOIN channels AS c ON c.conversation_id = m.conversation_id \
             WHERE m.left_at IS NULL AND (m.user_id, c.group_id) IN (SELECT * FROM unnest(",
        )
        .value::<Array<SqlUuid>, _>(users)
        .sql(", ")
        .value::<Array<SqlUuid>, _>(groups)
        .sql(")) GROUP BY m.user_id, c.group_id")
        .load(conn)
        .await
}

/// The same for all seats of each of these people together.
pub(super) async fn unread_of(conn: &mut Conn, users: &[UserId]) -> QueryResult<Vec<(UserId, i64)>> {
    Statement::<(SqlUuid, BigInt)>::new("SELECT m.user_id, sum(")
        .sql(UNREAD)
        .sql(") FROM conversation_members AS m WHERE m.left_at IS NULL AND m.user_id = ANY (")
        .value::<Array<SqlUuid>, _>(users.to_vec())
        .sql(") GROUP BY m.user_id")
        .load(conn)
        .await
}

// The list.

/// A message that mentions somebody.
#[derive(Clone, Debug, Queryable)]
pub struct Called {
    pub conversation_id: ConversationId,
    pub seq: i32,
    /// When it was sent.
    pub created_at: Instant,
    pub kind: MentionKind,
    pub is_read: bool,
}

/// A query of the columns of `Called`.
type Calling = Statement<(SqlUuid, Integer, Timestamptz, Text, Bool)>;

/// Whether the one with the seat `m` has read the mention `x`. Where they have none, nothing waits for them.
const IS_READ: &str = "coalesce(m.left_at IS NOT NULL OR x.seq <= CASE WHEN x.thread_root_seq IS NULL \
    THEN m.last_read_seq ELSE greatest(m.joined_seq, f.last_read_seq) END, true)";

/// A page of the messages of others that mention somebody, newest first, each once: by name wherever they see it, with
/// everyone since they are a member. Each of the two lists is read by its index, and no further than the page goes.
pub(super) async fn calling(
    conn: &mut Conn,
    user: UserId,
    filter: &MentionFilter,
    window: &Window<MentionCursor>,
) -> QueryResult<Vec<Called>> {
    let kinds = filter.kinds.clone();
    let kinds = kinds.unwrap_or_else(|| vec![MentionKind::User, MentionKind::Everyone, MentionKind::Here]);
    let (order, of_part, of_conversation) = match window.direction {
        Direction::Forward => (
            " ORDER BY created_at DESC, conversation_id DESC, seq DESC",
            " ORDER BY x.created_at DESC, x.conversation_id DESC, x.seq DESC LIMIT ",
            " ORDER BY x.created_at DESC, x.seq DESC LIMIT ",
        ),
        Direction::Backward => (
            " ORDER BY created_at, conversation_id, seq",
            " ORDER BY x.created_at, x.conversation_id, x.seq LIMIT ",
            " ORDER BY x.created_at, x.seq LIMIT ",
        ),
    };
    let query = Calling::new(
        "SELECT DISTINCT ON (created_at, conversation_id, seq) conversation_id, seq, created_at, kind, is_read FROM (\
         (SELECT x.conversation_id, x.seq, x.created_at, 'USER' AS kind, ",
    )
    .sql(IS_READ)
    .sql(
        " AS is_read FROM mentions AS x \
         LEFT JOIN conversation_members AS m ON m.conversation_id = x.conversation_id AND m.user_id = x.user_id \
         LEFT JOIN channels AS c ON c.conversation_id = x.conversation_id \
         LEFT JOIN group_members AS g ON g.group_id = c.group_id AND g.user_id = x.user_id AND g.left_at IS NULL \
         LEFT JOIN thread_followers AS f ON f.conversation_id = x.conversation_id \
             AND f.root_seq = x.thread_root_seq AND f.user_id = x.user_id \
         WHERE x.author_id <> x.user_id \
             AND (m.departure IS NULL AND m.user_id IS NOT NULL \
                 OR c.visibility = 'PUBLIC' AND m.departure IS DISTINCT FROM 'BANNED' \
                     AND (c.group_id IS NULL OR g.role <> 'GUEST')) \
             AND 'USER' = ANY (",
    )
    .value::<Array<Text>, _>(kinds.clone())
    .sql(") AND x.user_id = ")
    .value::<SqlUuid, _>(user);
    let query = narrowed(query, filter, window).sql(of_part).value::<BigInt, _>(window.fetch());
    let query = query
        .sql(
            ") UNION ALL (SELECT x.* FROM conversation_members AS m CROSS JOIN LATERAL (\
             SELECT x.conversation_id, x.seq, x.created_at, x.kind, ",
        )
        .sql(IS_READ)
        .sql(
            " AS is_read FROM broadcast_mentions AS x \
             LEFT JOIN thread_followers AS f ON f.conversation_id = x.conversation_id \
                 AND f.root_seq = x.thread_root_seq AND f.user_id = m.user_id \
             WHERE x.conversation_id = m.conversation_id AND x.author_id <> m.user_id \
                 AND x.seq > least(m.joined_seq, m.last_read_seq) AND x.kind = ANY (",
        )
        .value::<Array<Text>, _>(kinds)
        .sql(")");
    // A message may be there twice, for everyone and for those who are here.
    let query = narrowed(query, filter, window).sql(of_conversation).value::<BigInt, _>(2 * window.fetch());
    query
        .sql(") AS x WHERE m.left_at IS NULL AND m.user_id = ")
        .value::<SqlUuid, _>(user)
        .sql(of_part)
        .value::<BigInt, _>(2 * window.fetch())
        .sql(")) AS found")
        .sql(order)
        // By name, if that is one of the ways.
        .sql(", array_position(ARRAY['USER', 'EVERYONE', 'HERE'], kind) LIMIT ")
        .value::<BigInt, _>(window.fetch())
        .load(conn)
        .await
}

/// What the filter and the page leave of the mentions `x`.
fn narrowed(mut query: Calling, filter: &MentionFilter, window: &Window<MentionCursor>) -> Calling {
    if let Some(conversation) = filter.conversation {
        query = query.sql(" AND x.conversation_id = ").value::<SqlUuid, _>(conversation.id);
    }
    query = match filter.is_read {
        Some(true) => query.sql(" AND ").sql(IS_READ),
        Some(false) => query.sql(" AND NOT ").sql(IS_READ),
        None => query,
    };
    for (operator, place) in [(") < (", &window.after), (") > (", &window.before)] {
        let Some((at, id, seq)) = place.as_ref().map(MentionCursor::values) else { continue };
        query = query.sql(" AND (x.created_at, x.conversation_id, x.seq").sql(operator);
        query = query.value::<Timestamptz, _>(at).sql(", ").value::<SqlUuid, _>(id);
        query = query.sql(", ").value::<Integer, _>(seq).sql(")");
    }
    query
}
