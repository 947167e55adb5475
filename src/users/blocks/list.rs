//! Whom somebody has blocked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::store;
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::UserId;
use crate::page::{Arguments, Cursor, Millis, Page};
use crate::users::User;
use crate::viewer::Viewer;

/// Place in one's list of blocked people: since when, and who.
#[derive(Debug, Serialize, Deserialize)]
pub struct BlockCursor(Millis, UserId);

impl Cursor for BlockCursor {
    const LIST: &str = "blockedUsers";
}

impl BlockCursor {
    pub(super) fn values(&self) -> (Instant, UserId) {
        (self.0.into(), self.1)
    }
}

/// Those whom the viewer has blocked, newest first. Who is gone needs no block, and is left out.
pub async fn blocked_users(app: &App, viewer: &Viewer, arguments: Arguments) -> Result<Page<(BlockCursor, Arc<User>)>> {
    let window = arguments.window()?;
    let (user_id, wanted) = (viewer.user_id, &window);
    let rows = app.db.read(async move |conn| store::blocked_by(conn, user_id, wanted).await).await?;
    let cursor = |user: &User, since: Instant| BlockCursor(since.into(), user.id);
    Ok(window.page(rows).map(|(user, since)| (cursor(&user, since), Arc::new(user))))
}
