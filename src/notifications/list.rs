//! The list of one's notifications.

use serde::{Deserialize, Serialize};

use super::store::{self, Notification};
use super::{COUNTED, Kind};
use crate::app::App;
use crate::error::Result;
use crate::id::{ConversationId, NotificationId, UserId};
use crate::page::{Arguments, Cursor, Page};
use crate::viewer::Viewer;

/// Place in the list: an id carries its time.
#[derive(Debug, Serialize, Deserialize)]
pub struct NotificationCursor(NotificationId);

impl Cursor for NotificationCursor {
    const LIST: &str = "notifications";
}

impl NotificationCursor {
    pub fn of(notification: &Notification) -> Self {
        Self(notification.id)
    }

    pub(super) fn id(&self) -> NotificationId {
        self.0
    }
}

/// Which notifications.
#[derive(Clone, Debug, Default)]
pub struct NotificationFilter {
    pub is_read: Option<bool>,
    pub kinds: Option<Vec<Kind>>,
    pub is_urgent: Option<bool>,
    pub conversation_id: Option<ConversationId>,
}

/// A page of the viewer's, newest first: what is deleted or out of sight is not among them.
pub async fn notifications(
    app: &App,
    viewer: &Viewer,
    filter: &NotificationFilter,
    arguments: Arguments,
) -> Result<Page<Notification>> {
    let window = arguments.window()?;
    let (user, wanted) = (viewer.user_id, &window);
    let rows = app.db.read(async move |conn| store::page(conn, user, filter, wanted).await).await?;
    Ok(window.page(rows))
}

/// How many there are on all pages, up to one more than are counted.
pub async fn count(app: &App, viewer: &Viewer, filter: &NotificationFilter) -> Result<i32> {
    let user = viewer.user_id;
    let found = app.db.read(async move |conn| store::count(conn, user, filter).await).await?;
    Ok(found.min(COUNTED + 1) as i32)
}

/// How many of somebody's are unread, counted likewise.
pub async fn unread_count(app: &App, user: UserId) -> Result<i64> {
    let found = app.db.read(async move |conn| store::unread(conn, &[user]).await).await?;
    Ok(found.first().map_or(0, |(_, count)| *count))
}
