//! What those who mail and push have to know, beside what there is to say.

use std::collections::HashMap;

use super::render::{Rendered, render};
use super::store;
use crate::accounts::preferences::{self, Preferences, is_quiet};
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
    /// Whether they want to be left alone now, but for what is urgent: by their quiet hours, or since they are BUSY on this
    /// server.
    pub is_quiet: bool,
    pub preferences: Preferences,
}

impl Recipient {
    /// Whether they want to be left alone by what came then, whenever it is looked at.
    pub fn is_quiet_about(&self, came_at: Instant) -> bool {
        self.is_quiet || is_quiet(&self.preferences, came_at)
    }
}

/// How notifications may reach these people now.
pub async fn recipients(app: &App, users: &[UserId]) -> Result<HashMap<UserId, Recipient>> {
    let now = app.clock.now();
    let all = preferences::preferences_of(app, users).await?;
    let recipient = |(user_id, preferences): (UserId, Preferences)| {
        let is_busy = app.realtime.presences.status(user_id) == PresenceStatus::Busy;
        let is_quiet = is_busy || is_quiet(&preferences, now);
        (user_id, Recipient { user_id, is_quiet, preferences })
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
