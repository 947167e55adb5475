//! What those who mail and push have to know, beside what there is to say.

use std::collections::HashMap;

use super::render::{Rendered, render};
use super::store;
use crate::accounts::preferences::{self, is_quiet};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::UserId;
use crate::realtime::PresenceStatus;

/// Notifications of one digest at most.
const DIGEST: i64 = 100;

/// How notifications may reach somebody at this moment.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub user_id: UserId,
    pub is_email_enabled: bool,
    pub is_push_enabled: bool,
    /// Whether they may be shown what was written, beside who wrote.
    pub shows_previews: bool,
    /// Whether they want to be left alone now, but for what is urgent: by their quiet hours, or since they are BUSY on this
    /// server.
    pub is_quiet: bool,
    pub language: String,
    pub time_zone: String,
}

/// How notifications may reach these people now.
pub async fn recipients(app: &App, users: &[UserId]) -> Result<HashMap<UserId, Recipient>> {
    let now = app.clock.now();
    let all = preferences::preferences_of(app, users).await?;
    let recipient = |(user_id, preferences): (UserId, preferences::Preferences)| {
        let is_busy = app.realtime.presences.status(user_id) == PresenceStatus::Busy;
        let recipient = Recipient {
            user_id,
            is_email_enabled: preferences.notifications.is_email_enabled,
            is_push_enabled: preferences.notifications.is_push_enabled,
            shows_previews: preferences.notifications.shows_previews,
            is_quiet: is_busy || is_quiet(&preferences, now),
            language: preferences.language,
            time_zone: preferences.time_zone,
        };
        (user_id, recipient)
    };
    Ok(all.into_iter().map(recipient).collect())
}

/// What came to somebody since an instant and is still unread, oldest first: the first hundred. Where they were mailed up
/// to is for whoever mails to remember.
pub async fn unread_since(app: &App, user: UserId, since: Instant) -> Result<Vec<Rendered>> {
    let found = app.db.read(async move |conn| store::unread_since(conn, user, since, DIGEST).await).await?;
    let keys: Vec<_> = found.iter().map(|found| (found.user_id, found.id)).collect();
    render(app, &keys).await
}
