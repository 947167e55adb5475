//! The preferences.

use chrono::NaiveTime;
use diesel::QueryResult;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use super::{DirectConversationPolicy, NotificationLevel, Theme};
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
    #[diesel(embed)]
    pub notifications: NotificationPreferences,
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

/// How notifications reach somebody.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = preferences)]
pub struct NotificationPreferences {
    /// By mail, while away.
    pub is_email_enabled: bool,
    /// By push to registered devices.
    pub is_push_enabled: bool,
    /// For what, where a conversation says nothing else.
    pub default_level: NotificationLevel,
    /// Mails and pushes show what was written.
    pub shows_previews: bool,
    /// Of the day in their time zone: the first silent minute, and the first that is none any more. Both or neither.
    pub quiet_start: Option<NaiveTime>,
    pub quiet_end: Option<NaiveTime>,
    /// What makes a direct message or a mention urgent, folded.
    pub urgent_words: Vec<String>,
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
            p::is_email_enabled.eq(excluded(p::is_email_enabled)),
            p::is_push_enabled.eq(excluded(p::is_push_enabled)),
            p::default_level.eq(excluded(p::default_level)),
            p::shows_previews.eq(excluded(p::shows_previews)),
            p::quiet_start.eq(excluded(p::quiet_start)),
            p::quiet_end.eq(excluded(p::quiet_end)),
            p::urgent_words.eq(excluded(p::urgent_words)),
        ))
        .filter(p::version.eq(changed.version - 1))
        .execute(conn)
        .await?;
    Ok(written > 0)
}

pub(super) async fn delete(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::delete(preferences::table.find(user)).execute(conn).await.map(drop)
}
