//! Threads, and who has something to do with them.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::list::{ConversationThreadCursor, FollowedThreadCursor, ThreadFilter};
use crate::clock::Instant;
use crate::db::{Conn, Statement, among, insert_many};
use crate::id::{ConversationId, MemberId, UserId};
use crate::page::{Direction, Window};
use crate::recount::{Counter, Counters, Place};
use crate::schema::{conversation_members, messages, thread_followers, threads};

/// The replies under a message.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = threads)]
pub struct Thread {
    pub conversation_id: ConversationId,
    pub root_seq: i32,
    /// Deleted ones are left out.
    pub reply_count: i32,
    pub last_reply_seq: Option<i32>,
    pub last_reply_at: Option<Instant>,
}

impl Thread {
    /// Before the first reply.
    pub fn empty(conversation_id: ConversationId, root_seq: i32) -> Self {
        Self { conversation_id, root_seq, reply_count: 0, last_reply_seq: None, last_reply_at: None }
    }
}

/// How a member keeps a thread.
#[derive(Clone, Copy, Debug, Default, Queryable)]
pub struct ThreadState {
    pub is_following: bool,
    pub last_read_seq: i32,
    /// Replies of others behind their position, without deleted ones.
    pub unread_count: i32,
    /// Whether they have, or had, something to do with it: followed it, wrote in it, marked it read.
    pub is_kept: bool,
}

/// What somebody has to do with a thread.
pub(super) struct Follower {
    pub conversation_id: ConversationId,
    pub root_seq: i32,
    pub user_id: UserId,
    pub is_following: bool,
    pub last_read_seq: i32,
    /// Their newest reply that is not deleted.
    pub last_written_seq: Option<i32>,
}

pub(super) async fn threads(conn: &mut Conn, keys: &[(ConversationId, i32)]) -> QueryResult<Vec<Thread>> {
    threads::table
        .filter(among(threads::conversation_id, threads::root_seq, keys))
        .select(Thread::as_select())
        .load(conn)
        .await
}

// Writing.

insert_many! {
    AddReplies(Thread) into "threads" {
        conversation_id: ConversationId as SqlUuid,
        root_seq: i32 as Integer,
        reply_count: i32 as Integer,
        last_reply_seq: Option<i32> as Nullable<Integer>,
        last_reply_at: Option<Instant> as Nullable<Timestamptz>,
    } then " ON CONFLICT (conversation_id, root_seq) DO UPDATE SET \
        reply_count = threads.reply_count + excluded.reply_count, \
        last_reply_seq = excluded.last_reply_seq, last_reply_at = excluded.last_reply_at"
}

/// Adds to the counters of threads, each of which is there once.
pub(super) async fn add_replies(mut conn: &Conn, more: &[Thread]) -> QueryResult<()> {
    match more {
        [] => Ok(()),
        more => AddReplies::of(more).execute(&mut conn).await.map(drop),
    }
}

insert_many! {
    KeepFollowers(Follower) into "thread_followers" {
        conversation_id: ConversationId as SqlUuid,
        root_seq: i32 as Integer,
        user_id: UserId as SqlUuid,
        is_following: bool as Bool,
        last_read_seq: i32 as Integer,
        last_written_seq: Option<i32> as Nullable<Integer>,
    } then " ON CONFLICT (conversation_id, root_seq, user_id) DO UPDATE SET is_following = excluded.is_following, \
        last_read_seq = greatest(thread_followers.last_read_seq, excluded.last_read_seq), \
        last_written_seq = greatest(thread_followers.last_written_seq, excluded.last_written_seq) \
        WHERE NOT thread_followers.is_following OR excluded.last_written_seq IS NOT NULL"
}

/// Those who follow from now on, each there once, and how far they are at least.
pub(super) async fn keep_followers(mut conn: &Conn, followers: &[Follower]) -> QueryResult<()> {
    match followers {
        [] => Ok(()),
        followers => KeepFollowers::of(followers).execute(&mut conn).await.map(drop),
    }
}

/// Has the holder of a seat follow a thread; says whether that changes anything.
pub(super) async fn follow(conn: &mut Conn, seat: MemberId, root_seq: i32) -> QueryResult<bool> {
    Statement::<()>::new(
        "INSERT INTO thread_followers (conversation_id, user_id, root_seq, is_following, last_read_seq) \
         SELECT conversation_id, user_id, ",
    )
    .value::<Integer, _>(root_seq)
    .sql(", true, 0 FROM conversation_members WHERE left_at IS NULL AND id = ")
    .value::<SqlUuid, _>(seat)
    .sql(
        " ON CONFLICT (conversation_id, root_seq, user_id) DO UPDATE SET is_following = true \
         WHERE NOT thread_followers.is_following",
    )
    .execute(conn)
    .await
    .map(|rows| rows > 0)
}

/// Has the holder of a seat follow a thread no longer; says whether that changes anything.
pub(super) async fn unfollow(conn: &mut Conn, seat: MemberId, root_seq: i32) -> QueryResult<bool> {
    use conversation_members as m;
    use thread_followers as f;
    let holder = m::table.filter(m::id.eq(seat).and(m::left_at.is_null()));
    let own = f::table
        .filter(f::root_seq.eq(root_seq).and(f::is_following))
        .filter(f::conversation_id.nullable().eq(holder.select(m::conversation_id).single_value()))
        .filter(f::user_id.nullable().eq(holder.select(m::user_id).single_value()));
    diesel::update(own).set(f::is_following.eq(false)).execute(conn).await.map(|rows| rows > 0)
}

/// Moves the position of the holder of a seat in a thread, forward only, and says whether it has moved;
/// joining has moved it already.
pub(super) async fn read_up_to(conn: &mut Conn, seat: MemberId, root_seq: i32, to: i32) -> QueryResult<bool> {
    Statement::<()>::new(
        "INSERT INTO thread_followers (conversation_id, user_id, root_seq, is_following, last_read_seq) \
         SELECT conversation_id, user_id, ",
    )
    .value::<Integer, _>(root_seq)
    .sql(", false, ")
    .value::<Integer, _>(to)
    .sql(" FROM conversation_members WHERE left_at IS NULL AND id = ")
    .value::<SqlUuid, _>(seat)
    .sql(" AND joined_seq < ")
    .value::<Integer, _>(to)
    .sql(
        " ON CONFLICT (conversation_id, root_seq, user_id) DO UPDATE SET last_read_seq = excluded.last_read_seq \
         WHERE thread_followers.last_read_seq < excluded.last_read_seq",
    )
    .execute(conn)
    .await
    .map(|rows| rows > 0)
}

/// Takes a deleted reply out of its thread's counters. Only where it was the last one is another looked for, and none
/// after it.
pub(super) async fn uncount_reply(conn: &mut Conn, id: ConversationId, root: i32, seq: i32) -> QueryResult<()> {
    let thread = threads::table.find((id, root));
    let fewer = diesel::update(thread).set(threads::reply_count.eq(threads::reply_count - 1));
    let last_seq: Option<i32> = fewer.returning(threads::last_reply_seq).get_result(conn).await?;
    if last_seq != Some(seq) {
        return Ok(());
    }
    let last: Option<(i32, Instant)> = messages::table
        .filter(messages::conversation_id.eq(id).and(messages::thread_root_seq.eq(root)))
        .filter(messages::seq.lt(seq).and(messages::deleted_at.is_null()))
        .order(messages::seq.desc())
        .select((messages::seq, messages::created_at))
        .first(conn)
        .await
        .optional()?;
    let (last_reply_seq, last_reply_at) = last.unzip();
    diesel::update(thread)
        .set((threads::last_reply_seq.eq(last_reply_seq), threads::last_reply_at.eq(last_reply_at)))
        .execute(conn)
        .await
        .map(drop)
}

/// Somebody's deleted reply is not their newest any more. Where it was, the one before is.
pub(super) async fn forget_written(
    conn: &mut Conn,
    id: ConversationId,
    root: i32,
    author: UserId,
    seq: i32,
) -> QueryResult<()> {
    use thread_followers as f;
    let before = messages::table
        .filter(messages::conversation_id.eq(id).and(messages::thread_root_seq.eq(root)))
        .filter(messages::author_id.eq(author).and(messages::deleted_at.is_null()))
        .order(messages::seq.desc())
        .select(messages::seq)
        .limit(1)
        .single_value();
    diesel::update(f::table.find((id, root, author)).filter(f::last_written_seq.eq(seq)))
        .set(f::last_written_seq.eq(before))
        .execute(conn)
        .await
        .map(drop)
}

// Reading.

/// The columns of `Thread`.
type ThreadRow = (SqlUuid, Integer, Integer, Nullable<Integer>, Nullable<Timestamptz>);

/// A page of one conversation's threads, latest reply first, by an index of just that.
pub(super) async fn of_conversation(
    conn: &mut Conn,
    id: ConversationId,
    window: &Window<ConversationThreadCursor>,
) -> QueryResult<Vec<Thread>> {
    let sql = "SELECT conversation_id, root_seq, reply_count, last_reply_seq, last_reply_at FROM threads \
               WHERE conversation_id = ";
    let mut query = Statement::<ThreadRow>::new(sql).value::<SqlUuid, _>(id);
    for (operator, place) in [(") < (", &window.after), (") > (", &window.before)] {
        let Some((last, root)) = place.as_ref().map(ConversationThreadCursor::values) else { continue };
        query = query.sql(" AND (coalesce(last_reply_seq, 0), root_seq").sql(operator);
        query = query.value::<Integer, _>(last).sql(", ").value::<Integer, _>(root).sql(")");
    }
    let query = query.sql(match window.direction {
        Direction::Forward => " ORDER BY coalesce(last_reply_seq, 0) DESC, root_seq DESC LIMIT ",
        Direction::Backward => " ORDER BY coalesce(last_reply_seq, 0), root_seq LIMIT ",
    });
    query.value::<BigInt, _>(window.fetch()).load(conn).await
}

/// What somebody follows where they are a member; who it is comes next.
const FOLLOWED_BY: &str = " FROM thread_followers AS f \
    JOIN conversation_members AS m ON m.conversation_id = f.conversation_id AND m.user_id = f.user_id \
    LEFT JOIN threads AS t ON t.conversation_id = f.conversation_id AND t.root_seq = f.root_seq \
    WHERE m.left_at IS NULL AND f.is_following AND f.user_id = ";

/// Whether something is unread in it. That is looked for only where a reply came since.
const IS_UNREAD: &str = "(coalesce(t.last_reply_seq, 0) > greatest(f.last_read_seq, m.joined_seq) AND EXISTS \
    (SELECT FROM messages AS r WHERE r.conversation_id = f.conversation_id AND r.thread_root_seq = f.root_seq \
     AND r.seq > greatest(f.last_read_seq, m.joined_seq) AND r.author_id <> f.user_id AND r.deleted_at IS NULL))";

/// A page of the threads that somebody follows where they are a member, latest reply first. Times of replies are in no
/// index, so that writing them is cheap: what somebody follows is found by index, and sorted.
pub(super) async fn followed(
    conn: &mut Conn,
    user: UserId,
    filter: &ThreadFilter,
    window: &Window<FollowedThreadCursor>,
) -> QueryResult<Vec<Thread>> {
    let sql = "SELECT f.conversation_id, f.root_seq, coalesce(t.reply_count, 0), t.last_reply_seq, t.last_reply_at";
    let mut query = Statement::<ThreadRow>::new(sql).sql(FOLLOWED_BY).value::<SqlUuid, _>(user);
    if let Some(conversation) = filter.conversation {
        query = query.sql(" AND f.conversation_id = ").value::<SqlUuid, _>(conversation.id);
    }
    query = match filter.is_unread {
        Some(true) => query.sql(" AND ").sql(IS_UNREAD),
        Some(false) => query.sql(" AND NOT ").sql(IS_UNREAD),
        None => query,
    };
    for (operator, place) in [(") < (", &window.after), (") > (", &window.before)] {
        let Some((at, id, root)) = place.as_ref().map(FollowedThreadCursor::values) else { continue };
        query = query.sql(" AND (coalesce(t.last_reply_at, 'epoch'), f.conversation_id, f.root_seq").sql(operator);
        query = query.value::<Timestamptz, _>(at).sql(", ").value::<SqlUuid, _>(id);
        query = query.sql(", ").value::<Integer, _>(root).sql(")");
    }
    let query = query.sql(match window.direction {
        Direction::Forward => {
            " ORDER BY coalesce(t.last_reply_at, 'epoch') DESC, f.conversation_id DESC, f.root_seq DESC LIMIT "
        }
        Direction::Backward => " ORDER BY coalesce(t.last_reply_at, 'epoch'), f.conversation_id, f.root_seq LIMIT ",
    });
    query.value::<BigInt, _>(window.fetch()).load(conn).await
}

/// How many of the threads that these people follow have something unread; nobody for whom that is none.
pub(super) async fn unread(conn: &mut Conn, users: &[UserId]) -> QueryResult<Vec<(UserId, i64)>> {
    let query = Statement::<(SqlUuid, BigInt)>::new("SELECT f.user_id, count(*)").sql(FOLLOWED_BY).sql("ANY (");
    let query = query.value::<Array<SqlUuid>, _>(users.to_vec()).sql(") AND ").sql(IS_UNREAD);
    query.sql(" GROUP BY f.user_id").load(conn).await
}

/// How these people keep these threads, as far as they are members.
pub(super) async fn states(
    conn: &mut Conn,
    keys: &[(ConversationId, i32, UserId)],
) -> QueryResult<Vec<(ConversationId, i32, UserId, ThreadState)>> {
    let conversations: Vec<ConversationId> = keys.iter().map(|key| key.0).collect();
    let roots: Vec<i32> = keys.iter().map(|key| key.1).collect();
    let users: Vec<UserId> = keys.iter().map(|key| key.2).collect();
    Statement::<(SqlUuid, Integer, SqlUuid, (Bool, Integer, Integer, Bool))>::new(
        "SELECT ask.conversation_id, ask.root_seq, ask.user_id, coalesce(f.is_following, false), here.seq, \
         CASE WHEN t.last_reply_seq > here.seq THEN (SELECT count(*)::integer FROM messages AS r \
             WHERE r.conversation_id = ask.conversation_id AND r.thread_root_seq = ask.root_seq \
             AND r.seq > here.seq AND r.author_id <> ask.user_id AND r.deleted_at IS NULL) ELSE 0 END, \
         f.user_id IS NOT NULL FROM unnest(",
    )
    .value::<Array<SqlUuid>, _>(conversations)
    .sql(", ")
    .value::<Array<Integer>, _>(roots)
    .sql(", ")
    .value::<Array<SqlUuid>, _>(users)
    .sql(
        ") AS ask (conversation_id, root_seq, user_id) \
         JOIN conversation_members AS m ON m.conversation_id = ask.conversation_id AND m.user_id = ask.user_id \
         LEFT JOIN thread_followers AS f ON f.conversation_id = ask.conversation_id AND f.root_seq = ask.root_seq \
             AND f.user_id = ask.user_id \
         LEFT JOIN threads AS t ON t.conversation_id = ask.conversation_id AND t.root_seq = ask.root_seq \
         CROSS JOIN LATERAL (SELECT greatest(f.last_read_seq, m.joined_seq)) AS here (seq) \
         WHERE m.left_at IS NULL",
    )
    .load(conn)
    .await
}

/// Who wrote in these threads, last one first, up to `limit` of each: by the index, and no further than it goes.
pub(super) async fn participants(
    conn: &mut Conn,
    keys: &[(ConversationId, i32)],
    limit: i64,
) -> QueryResult<Vec<(ConversationId, i32, UserId)>> {
    let (conversations, roots): (Vec<ConversationId>, Vec<i32>) = keys.iter().copied().unzip();
    Statement::<(SqlUuid, Integer, SqlUuid)>::new(
        "SELECT ask.conversation_id, ask.root_seq, found.user_id FROM unnest(",
    )
    .value::<Array<SqlUuid>, _>(conversations)
    .sql(", ")
    .value::<Array<Integer>, _>(roots)
    .sql(
        ") AS ask (conversation_id, root_seq) CROSS JOIN LATERAL (SELECT user_id, last_written_seq \
             FROM thread_followers AS f WHERE f.conversation_id = ask.conversation_id AND f.root_seq = ask.root_seq \
             AND f.last_written_seq IS NOT NULL ORDER BY f.last_written_seq DESC LIMIT ",
    )
    .value::<BigInt, _>(limit)
    .sql(") AS found ORDER BY found.last_written_seq DESC")
    .load(conn)
    .await
}

/// Counters of replies in threads.
pub struct ReplyCount;

impl Counter for ReplyCount {
    const KIND: &'static str = "recount.replies";

    fn counters(after: &Place) -> Counters {
        Counters::new(
            "SELECT t.conversation_id, t.root_seq, '', t.reply_count::bigint, (SELECT count(*) FROM messages AS m \
             WHERE m.conversation_id = t.conversation_id AND m.thread_root_seq = t.root_seq AND m.deleted_at IS NULL) \
             FROM threads AS t WHERE (t.conversation_id, t.root_seq) > (",
        )
        .value::<SqlUuid, _>(after.0)
        .sql(", ")
        .value::<Integer, _>(after.1)
        .sql(") ORDER BY t.conversation_id, t.root_seq LIMIT ")
    }
}
