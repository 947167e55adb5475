//! How somebody wants things to be, and what others learn of them. Who has changed nothing has no row, and is a newcomer
//! who shares. Who is gone has one, by which nothing is shared: what they kept to themselves stays with them.

pub mod graphql;
mod loaders;
mod notifications;
mod quiet;
mod store;
mod unsubscribe;
mod update;

use std::collections::HashMap;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

pub use loaders::{PreferencesOf, PrivacyOf};
pub use notifications::{NotificationInput, QuietHoursInput};
pub use quiet::is_quiet;
pub use store::{NotificationPreferences, Preferences, Privacy};
pub use unsubscribe::unsubscribe;
pub use update::{PreferencesDraft, PreferencesInput, PrivacyInput, update_preferences};

use crate::app::App;
use crate::db::{Tx, text_enum};
use crate::error::Result;
use crate::id::UserId;

/// Look of the clients.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// As the device has it.
    System,
}
text_enum!(Theme);

/// Who may open a direct conversation with someone. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum DirectConversationPolicy {
    /// Everyone on the server.
    Everyone,
    /// Those who share a group or a conversation with them.
    Shared,
    /// Nobody; those there are stay.
    Nobody,
}
text_enum!(DirectConversationPolicy);

/// For what to notify. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum NotificationLevel {
    /// Every message.
    All,
    /// Mentions, replies and followed threads; also direct messages, and reactions to one's own.
    Mentions,
    /// Nothing.
    None,
}
text_enum!(NotificationLevel);

impl Preferences {
    /// Of somebody who is gone.
    fn of_somebody_gone(user_id: UserId) -> Self {
        let privacy = Privacy {
            shares_read_position: false,
            shares_typing: false,
            shares_last_seen: false,
            direct_conversations_from: DirectConversationPolicy::Nobody,
        };
        Self { privacy, ..Self::of_newcomer(user_id) }
    }

    /// Of somebody who has changed nothing.
    fn of_newcomer(user_id: UserId) -> Self {
        Self {
            user_id,
            language: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            theme: Theme::System,
            privacy: Privacy {
                shares_read_position: true,
                shares_typing: true,
                shares_last_seen: true,
                direct_conversations_from: DirectConversationPolicy::Everyone,
            },
            version: 1,
            notifications: NotificationPreferences {
                is_email_enabled: true,
                is_push_enabled: true,
                default_level: NotificationLevel::Mentions,
                shows_previews: true,
                quiet_start: None,
                quiet_end: None,
                urgent_words: Vec::new(),
            },
        }
    }
}

/// The preferences of each of these people, whether they have ever changed any or not.
pub async fn preferences_of(app: &App, users: &[UserId]) -> Result<HashMap<UserId, Preferences>> {
    let found = app.db.read(async move |conn| store::of(conn, users).await).await?;
    Ok(with_newcomers(users, found))
}

/// What others learn of somebody, whether they have ever said so or not.
pub async fn privacy(app: &App, user: UserId) -> Result<Privacy> {
    let found = app.db.read(async move |conn| store::of(conn, &[user]).await).await?;
    Ok(found.into_iter().next().unwrap_or_else(|| Preferences::of_newcomer(user)).privacy)
}

/// The same of several people, as part of a transaction.
pub async fn privacies(tx: &mut Tx, users: &[UserId]) -> Result<HashMap<UserId, Privacy>> {
    let all = with_newcomers(users, store::of(tx, users).await?);
    Ok(all.into_iter().map(|(user, preferences)| (user, preferences.privacy)).collect())
}

/// The preferences of all of these people, of whom those have changed any who were found.
fn with_newcomers(users: &[UserId], found: Vec<Preferences>) -> HashMap<UserId, Preferences> {
    let mut all: HashMap<_, _> = users.iter().map(|&user| (user, Preferences::of_newcomer(user))).collect();
    all.extend(found.into_iter().map(|preferences| (preferences.user_id, preferences)));
    all
}

/// Forgets the preferences of somebody who is gone, and shows others nothing of them from now on.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    store::delete(tx, user).await?;
    store::save(tx, &Preferences::of_somebody_gone(user)).await?;
    Ok(())
}
