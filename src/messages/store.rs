//! Messages and their revisions.

use diesel::QueryResult;
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::Kind;
use super::history::{MessageCursor, Timeline};
use crate::clock::Instant;
use crate::conversations::Reference;
use crate::db::{Conn, among, insert_many};
use crate::id::{ConversationId, MessageId, UserId};
use crate::page::{Direction, Window};
use crate::recount::{Counter, Counters, Place};
use crate::schema::{conversation_members, conversations, message_revisions, messages, thread_followers};

/// A message.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = messages)]
pub struct Message {
    pub conversation_id: ConversationId,
    /// Position in the log.
    pub seq: i32,
    pub id: MessageId,
    pub author_id: UserId,
    pub kind: Kind,
    /// Its number among those outside of threads.
    pub msg_no: Option<i32>,
    pub thread_root_seq: Option<i32>,
    pub reply_to_seq: Option<i32>,
    pub client_key: Option<String>,
    pub input_digest: Option<Vec<u8>>,
    /// `None` for a deleted one.
    pub content: Option<String>,
    pub version: i32,
    pub created_at: Instant,
    pub edited_at: Option<Instant>,
    pub deleted_at: Option<Instant>,
    pub deleted_by_id: Option<UserId>,
}

insert_many! {
    Insert(Message) into "messages" {
        conversation_id: ConversationId as SqlUuid,
        seq: i32 as Integer,
        id: MessageId as SqlUuid,
        author_id: UserId as SqlUuid,
        kind: Kind as Text,
        msg_no: Option<i32> as Nullable<Integer>,
        thread_root_seq: Option<i32> as Nullable<Integer>,
        reply_to_seq: Option<i32> as Nullable<Integer>,
        client_key: Option<String> as Nullable<Text>,
        input_digest: Option<Vec<u8>> as Nullable<Binary>,
        content: Option<String> as Nullable<Text>,
        version: i32 as Integer,
        created_at: Instant as Timestamptz,
        edited_at: Option<Instant> as Nullable<Timestamptz>,
        deleted_at: Option<Instant> as Nullable<Timestamptz>,
        deleted_by_id: Option<UserId> as Nullable<SqlUuid>,
    }
}

pub(super) async fn insert<'a>(mut conn: &Conn, new: impl IntoIterator<Item = &'a Message> + Clone) -> QueryResult<()> {
    Insert::of(new).execute(&mut conn).await.map(drop)
}

/// Content, version and times of a changed message.
pub(super) async fn save(conn: &mut Conn, message: &Message) -> QueryResult<()> {
    diesel::update(messages::table.find((message.conversation_id, message.seq)))
        .set((
            messages::content.eq(&message.content),
            messages::version.eq(message.version),
            messages::edited_at.eq(message.edited_at),
            messages::deleted_at.eq(message.deleted_at),
            messages::deleted_by_id.eq(message.deleted_by_id),
        ))
        .execute(conn)
        .await
        .map(drop)
}

pub(super) async fn keep_revision(
    conn: &mut Conn,
    message: &Message,
    content: &str,
    now: Instant,
    by: UserId,
) -> QueryResult<()> {
    let row = (
        message_revisions::conversation_id.eq(message.conversation_id),
        message_revisions::seq.eq(message.seq),
        message_revisions::version.eq(message.version),
        message_revisions::content.eq(content),
        message_revisions::replaced_at.eq(now),
        message_revisions::replaced_by_id.eq(by),
    );
    diesel::insert_into(message_revisions::table).values(row).execute(conn).await.map(drop)
}

/// Messages of somebody in a conversation that were sent under a key, tombstones too: by the index of those keys.
pub(super) async fn keyed_by(
    conn: &mut Conn,
    id: ConversationId,
    author: UserId,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    messages::table
        .filter(messages::conversation_id.eq(id).and(messages::author_id.eq(author)))
        .filter(messages::client_key.is_not_null())
        .order(messages::client_key)
        .limit(limit)
        .select(Message::as_select())
        .load(conn)
        .await
}

/// Forgets what a message said, and under which key it was sent.
pub(super) async fn forget(conn: &mut Conn, id: ConversationId, seq: i32) -> QueryResult<()> {
    use message_revisions as r;
    diesel::delete(r::table.filter(r::conversation_id.eq(id).and(r::seq.eq(seq)))).execute(conn).await?;
    let key = (messages::client_key.eq(None::<String>), messages::input_digest.eq(None::<Vec<u8>>));
    diesel::update(messages::table.find((id, seq))).set(key).execute(conn).await.map(drop)
}

/// What was sent under these keys, each of one sender in one conversation.
pub(super) async fn sent_under(mut conn: &Conn, keys: &[(ConversationId, UserId, &str)]) -> QueryResult<Vec<Message>> {
    SentUnder::of(keys).load(&mut conn).await
}

/// One key after the other, by the index (`OFFSET 0` keeps it so): PostgreSQL, which cannot know how few keys there are,
/// and may have made its plan while the table was small, would read all of it otherwise.
struct SentUnder<'a> {
    conversations: Vec<ConversationId>,
    authors: Vec<UserId>,
    keys: Vec<&'a str>,
    message: AsSelect<Message, Pg>,
}

impl<'a> SentUnder<'a> {
    fn of(keys: &[(ConversationId, UserId, &'a str)]) -> Self {
        let (conversations, (authors, keys)) = keys.iter().map(|&(id, author, key)| (id, (author, key))).unzip();
        Self { conversations, authors, keys, message: Message::as_select() }
    }
}

impl QueryId for SentUnder<'_> {
    type QueryId = SentUnder<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for SentUnder<'_> {
    type SqlType = SqlTypeOf<AsSelect<Message, Pg>>;
}

impl QueryFragment<Pg> for SentUnder<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.message.walk_ast(out.reborrow())?;
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.conversations)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.authors)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.keys)?;
        out.push_sql(
            ") AS ask (conversation_id, author_id, client_key) CROSS JOIN LATERAL \
             (SELECT * FROM messages AS m WHERE m.conversation_id = ask.conversation_id \
              AND m.author_id = ask.author_id AND m.client_key = ask.client_key OFFSET 0) AS messages",
        );
        Ok(())
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for SentUnder<'_> {}

pub(super) async fn by_ids(mut conn: &Conn, ids: &[MessageId]) -> QueryResult<Vec<Message>> {
    messages::table.filter(messages::id.eq_any(ids)).select(Message::as_select()).load(&mut conn).await
}

/// Of these messages, those of one conversation.
pub(super) async fn of_conversation(
    conn: &mut Conn,
    id: ConversationId,
    ids: &[MessageId],
) -> QueryResult<Vec<Message>> {
    messages::table
        .filter(messages::id.eq_any(ids).and(messages::conversation_id.eq(id)))
        .select(Message::as_select())
        .load(conn)
        .await
}

/// Which conversation a message is in.
pub(super) async fn place_of(conn: &mut Conn, id: MessageId) -> QueryResult<Option<Reference>> {
    let found = messages::table
        .inner_join(conversations::table.on(conversations::id.eq(messages::conversation_id)))
        .filter(messages::id.eq(id))
        .select((conversations::kind, conversations::id))
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(|(kind, id)| Reference { kind, id }))
}

pub(super) async fn at(mut conn: &Conn, keys: &[(ConversationId, i32)]) -> QueryResult<Vec<Message>> {
    messages::table
        .filter(among(messages::conversation_id, messages::seq, keys))
        .select(Message::as_select())
        .load(&mut conn)
        .await
}

/// Messages of one timeline.
fn timeline(id: ConversationId, timeline: Timeline) -> messages::BoxedQuery<'static, Pg> {
    let query = messages::table.filter(messages::conversation_id.eq(id)).into_boxed();
    match timeline {
        Timeline::Conversation => query.filter(messages::thread_root_seq.is_null()),
        Timeline::Thread(root) => query.filter(messages::thread_root_seq.eq(root)),
    }
}

pub(super) async fn page(
    conn: &mut Conn,
    id: ConversationId,
    which: Timeline,
    window: &Window<MessageCursor>,
) -> QueryResult<Vec<Message>> {
    let mut query = timeline(id, which).limit(window.fetch());
    if let Some(after) = &window.after {
        query = query.filter(messages::seq.gt(after.seq()));
    }
    if let Some(before) = &window.before {
        query = query.filter(messages::seq.lt(before.seq()));
    }
    query = match window.direction {
        Direction::Forward => query.order(messages::seq.asc()),
        Direction::Backward => query.order(messages::seq.desc()),
    };
    query.select(Message::as_select()).load(conn).await
}

/// A page of the tombstones outside of threads, by an index of nothing else, which is in the order of their numbers.
pub(super) async fn deleted(
    conn: &mut Conn,
    id: ConversationId,
    window: &Window<MessageCursor>,
) -> QueryResult<Vec<Message>> {
    let after = number_up_to(conn, id, window.after.as_ref().map(MessageCursor::seq)).await?;
    let before = number_up_to(conn, id, window.before.as_ref().map(|before| before.seq().saturating_sub(1))).await?;
    let mut query = messages::table
        .filter(messages::conversation_id.eq(id).and(messages::deleted_at.is_not_null()))
        .filter(messages::msg_no.gt(after.unwrap_or_default()))
        .limit(window.fetch())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(messages::msg_no.le(before));
    }
    query = match window.direction {
        Direction::Forward => query.order(messages::msg_no.asc()),
        Direction::Backward => query.order(messages::msg_no.desc()),
    };
    query.select(Message::as_select()).load(conn).await
}

/// The number of the last message outside of threads up to a position, if there is one to ask for; 0 before the first.
async fn number_up_to(conn: &mut Conn, id: ConversationId, seq: Option<i32>) -> QueryResult<Option<i32>> {
    let Some(seq) = seq else { return Ok(None) };
    let found: Option<Option<i32>> = timeline(id, Timeline::Conversation)
        .filter(messages::seq.le(seq).and(messages::msg_no.is_not_null()))
        .order(messages::seq.desc())
        .select(messages::msg_no)
        .first(conn)
        .await
        .optional()?;
    Ok(Some(found.flatten().unwrap_or_default()))
}

/// Those before a position, nearest first.
pub(super) async fn older(
    conn: &mut Conn,
    id: ConversationId,
    which: Timeline,
    seq: i32,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    timeline(id, which)
        .filter(messages::seq.lt(seq))
        .order(messages::seq.desc())
        .limit(limit)
        .select(Message::as_select())
        .load(conn)
        .await
}

/// Those at and after a position.
pub(super) async fn from(
    conn: &mut Conn,
    id: ConversationId,
    which: Timeline,
    seq: i32,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    timeline(id, which)
        .filter(messages::seq.ge(seq))
        .order(messages::seq.asc())
        .limit(limit)
        .select(Message::as_select())
        .load(conn)
        .await
}

pub(super) async fn seq_in(
    conn: &mut Conn,
    id: ConversationId,
    which: Timeline,
    message: MessageId,
) -> QueryResult<Option<i32>> {
    timeline(id, which).filter(messages::id.eq(message)).select(messages::seq).first(conn).await.optional()
}

pub(super) async fn first_from(
    conn: &mut Conn,
    id: ConversationId,
    which: Timeline,
    seq: i32,
) -> QueryResult<Option<i32>> {
    timeline(id, which)
        .filter(messages::seq.ge(seq))
        .order(messages::seq.asc())
        .select(messages::seq)
        .first(conn)
        .await
        .optional()
}

/// Times never run backwards along `seq`, so the first in time is the first in the log.
pub(super) async fn first_since(
    conn: &mut Conn,
    id: ConversationId,
    which: Timeline,
    instant: Instant,
) -> QueryResult<Option<i32>> {
    timeline(id, which)
        .filter(messages::created_at.ge(instant))
        .order((messages::created_at.asc(), messages::seq.asc()))
        .select(messages::seq)
        .first(conn)
        .await
        .optional()
}

/// The first message of others after somebody's position, in the conversation or in the thread, that is not deleted.
pub(super) async fn first_unread(
    conn: &mut Conn,
    id: ConversationId,
    which: Timeline,
    user: UserId,
) -> QueryResult<Option<i32>> {
    use conversation_members as m;
    use thread_followers as f;
    let seat = m::table.find((id, user)).filter(m::left_at.is_null());
    let behind = messages::seq.nullable();
    let query = timeline(id, which);
    let query = match which {
        Timeline::Conversation => query.filter(behind.gt(seat.select(m::last_read_seq).single_value())),
        Timeline::Thread(root) => {
            let has_read = f::table.find((id, root, user)).filter(f::last_read_seq.ge(messages::seq));
            query
                .filter(behind.gt(seat.select(m::joined_seq).single_value()))
                .filter(diesel::dsl::not(diesel::dsl::exists(has_read)))
        }
    };
    query
        .filter(messages::author_id.ne(user).and(messages::deleted_at.is_null()))
        .filter(messages::kind.eq(Kind::Standard))
        .order(messages::seq.asc())
        .select(messages::seq)
        .first(conn)
        .await
        .optional()
}

pub(super) async fn newest(conn: &mut Conn, id: ConversationId, which: Timeline) -> QueryResult<Option<i32>> {
    timeline(id, which).order(messages::seq.desc()).select(messages::seq).first(conn).await.optional()
}

/// The newest message outside of threads before a position that is not deleted.
pub(super) async fn newest_before(conn: &mut Conn, id: ConversationId, seq: i32) -> QueryResult<Option<i32>> {
    timeline(id, Timeline::Conversation)
        .filter(messages::seq.lt(seq))
        .filter(messages::deleted_at.is_null())
        .order(messages::seq.desc())
        .select(messages::seq)
        .first(conn)
        .await
        .optional()
}

/// Counters of messages outside of threads: the number of the latest.
pub struct MessageCount;

impl Counter for MessageCount {
    const KIND: &'static str = "recount.messages";

    fn counters(after: &Place) -> Counters {
        Counters::new(
            "SELECT c.id, 0, '', c.last_msg_no::bigint, coalesce((SELECT m.msg_no FROM messages AS m \
             WHERE m.conversation_id = c.id AND m.thread_root_seq IS NULL AND m.msg_no IS NOT NULL \
             ORDER BY m.seq DESC LIMIT 1), 0)::bigint FROM conversations AS c WHERE c.id > ",
        )
        .value::<SqlUuid, _>(after.0)
        .sql(" ORDER BY c.id LIMIT ")
    }
}
