//! What became of what was imported.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use crate::db::{Conn, insert_many};
use crate::id::{ConversationId, UserId};
use crate::schema::{import_channels, import_lines, import_people, import_sources, users};

/// The source of this name, made at the first call.
pub(super) async fn source(conn: &mut Conn, name: &str) -> QueryResult<i32> {
    diesel::insert_into(import_sources::table)
        .values(import_sources::name.eq(name))
        .on_conflict(import_sources::name)
        .do_nothing()
        .execute(conn)
        .await?;
    import_sources::table.filter(import_sources::name.eq(name)).select(import_sources::id).first(conn).await
}

/// A channel that has been made, and the last line of it that was taken.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = import_channels)]
pub(super) struct ChannelRow {
    pub name: String,
    pub conversation_id: ConversationId,
    pub last_line: i32,
}

pub(super) async fn channels(conn: &mut Conn, source: i32) -> QueryResult<Vec<ChannelRow>> {
    import_channels::table
        .filter(import_channels::source_id.eq(source))
        .select(ChannelRow::as_select())
        .load(conn)
        .await
}

pub(super) async fn last_line(conn: &mut Conn, source: i32, channel: &str) -> QueryResult<Option<i32>> {
    import_channels::table.find((source, channel)).select(import_channels::last_line).first(conn).await.optional()
}

/// Notes how far a channel has been read; violates `import_channels_pkey` for a new one that somebody else has made.
pub(super) async fn insert_channel(
    conn: &mut Conn,
    source: i32,
    channel: &str,
    id: ConversationId,
    last_line: i32,
) -> QueryResult<()> {
    let row = (
        import_channels::source_id.eq(source),
        import_channels::name.eq(channel),
        import_channels::conversation_id.eq(id),
        import_channels::last_line.eq(last_line),
    );
    diesel::insert_into(import_channels::table).values(row).execute(conn).await.map(drop)
}

pub(super) async fn set_last_line(conn: &mut Conn, source: i32, channel: &str, last_line: i32) -> QueryResult<()> {
    diesel::update(import_channels::table.find((source, channel)))
        .set(import_channels::last_line.eq(last_line))
        .execute(conn)
        .await
        .map(drop)
}

/// The people of a source: nick, user and handle.
pub(super) async fn people(conn: &mut Conn, source: i32) -> QueryResult<Vec<(String, UserId, String)>> {
    import_people::table
        .inner_join(users::table.on(users::id.eq(import_people::user_id)))
        .filter(import_people::source_id.eq(source))
        .select((import_people::nick, users::id, users::username))
        .load(conn)
        .await
}

pub(super) struct PersonRow {
    pub source_id: i32,
    pub nick: String,
    pub user_id: UserId,
}

insert_many! {
    InsertPeople(PersonRow) into "import_people" {
        source_id: i32 as Integer,
        nick: String as Text,
        user_id: UserId as SqlUuid,
    }
}

pub(super) async fn insert_people(conn: &mut Conn, people: &[PersonRow]) -> QueryResult<()> {
    InsertPeople::of(people).execute(conn).await.map(drop)
}

/// The message that a line became.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = import_lines)]
pub(super) struct LineRow {
    pub conversation_id: ConversationId,
    pub line: i32,
    pub seq: i32,
    pub thread_root_seq: Option<i32>,
}

insert_many! {
    InsertLines(LineRow) into "import_lines" {
        conversation_id: ConversationId as SqlUuid,
        line: i32 as Integer,
        seq: i32 as Integer,
        thread_root_seq: Option<i32> as Nullable<Integer>,
    }
}

pub(super) async fn insert_lines(conn: &mut Conn, lines: &[LineRow]) -> QueryResult<()> {
    InsertLines::of(lines).execute(conn).await.map(drop)
}

/// Of these lines, those that became messages.
pub(super) async fn lines(conn: &mut Conn, id: ConversationId, lines: &[i32]) -> QueryResult<Vec<LineRow>> {
    import_lines::table
        .filter(import_lines::conversation_id.eq(id).and(import_lines::line.eq_any(lines)))
        .select(LineRow::as_select())
        .load(conn)
        .await
}
