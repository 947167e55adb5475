//! The preferences.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use super::{DirectConversationPolicy, Theme};
use crate::db::Conn;
use crate::id::UserId;
use crate::schema::preferences;

/// How somebody wants things to be.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = preferences)]
pub struct Preferences {
    pub user_id: UserId,
    /// A BCP 47 tag.
    pub language: String,
    /// An IANA name.
    pub time_zone: String,
    pub theme: Theme,
    #[diesel(embed)]
    pub privacy: Privacy,
    pub version: i32,
}

/// What others learn of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = preferences)]
pub struct Privacy {
    /// How far they have read.
    pub shares_read_position: bool,
    /// That they type.
    pub shares_typing: bool,
    /// When they were last here.
    pub shares_last_seen: bool,
    /// Who may open a direct conversation with them.
    pub direct_conversations_from: DirectConversationPolicy,
}

/// Of these people, the preferences of those who have changed any.
pub(super) async fn of(conn: &mut Conn, users: &[UserId]) -> QueryResult<Vec<Preferences>> {
    preferences::table.filter(preferences::user_id.eq_any(users)).select(Preferences::as_select()).load(conn).await
}

/// Writes preferences, if the ones before them are of the version before theirs still.
pub(super) async fn save(conn: &mut Conn, changed: &Preferences) -> QueryResult<bool> {
    use diesel::query_dsl::methods::FilterDsl;
    use preferences as p;
    let written = diesel::insert_into(p::table)
        .values(changed)
        .on_conflict(p::user_id)
        .do_update()
        .set((
            p::language.eq(excluded(p::language)),
            p::time_zone.eq(excluded(p::time_zone)),
            p::theme.eq(excluded(p::theme)),
            p::shares_read_position.eq(excluded(p::shares_read_position)),
            p::shares_typing.eq(excluded(p::shares_typing)),
            p::shares_last_seen.eq(excluded(p::shares_last_seen)),
            p::direct_conversations_from.eq(excluded(p::direct_conversations_from)),
            p::version.eq(excluded(p::version)),
        ))
        .filter(p::version.eq(changed.version - 1))
        .execute(conn)
        .await?;
    Ok(written > 0)
}
