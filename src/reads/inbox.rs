//! The lists of the conversations that somebody is in.

use serde::{Deserialize, Serialize};

use super::store::{self, State};
use crate::app::App;
use crate::clock::Instant;
use crate::conversations::{Conversation, Kind};
use crate::error::Result;
use crate::id::{ConversationId, GroupId, UserId};
use crate::page::{Arguments, Cursor, Millis, Page};
use crate::viewer::Viewer;

/// Conversations in a sidebar at most.
const SIDEBAR: i64 = 1_000;

/// Which conversations of the inbox.
#[derive(Debug, Default)]
pub struct InboxFilter {
    pub kinds: Option<Vec<Kind>>,
    pub group: Option<GroupId>,
    pub is_unread: Option<bool>,
    pub is_favorite: Option<bool>,
    pub is_hidden: bool,
    pub is_archived: bool,
}

/// Place in the inbox: when something was last written, and id.
#[derive(Debug, Serialize, Deserialize)]
pub struct InboxCursor(Millis, ConversationId);

impl Cursor for InboxCursor {
    const LIST: &str = "inbox";
}

impl InboxCursor {
    pub fn of(conversation: &Conversation) -> Self {
        Self(conversation.last_activity_at.into(), conversation.id)
    }

    pub(super) fn values(&self) -> (Instant, ConversationId) {
        (self.0.into(), self.1)
    }
}

/// The conversations that the viewer is a member of, latest activity first.
pub async fn inbox(app: &App, viewer: &Viewer, filter: InboxFilter, arguments: Arguments) -> Result<Page<State>> {
    let window = arguments.window()?;
    let (user_id, filter, wanted) = (viewer.user_id, &filter, &window);
    let rows = app.db.read(async move |conn| store::inbox(conn, user_id, filter, wanted).await).await?;
    Ok(window.page(rows))
}

/// All conversations that the viewer is in, by group, category and position.
pub async fn sidebar(app: &App, viewer: &Viewer) -> Result<Vec<State>> {
    let user_id = viewer.user_id;
    app.db.read(async move |conn| store::sidebar(conn, user_id, SIDEBAR).await).await
}

/// In how many conversations something is unread, for a badge. What the inbox does not show, archived or hidden, is left
/// out like what is muted: nobody could find what the number is about.
pub async fn unread_conversations(app: &App, user_id: UserId) -> Result<i32> {
    let now = app.clock.now();
    let count = app.db.read(async move |conn| store::unread_conversations(conn, user_id, now).await).await?;
    Ok(i32::try_from(count).unwrap_or(i32::MAX))
}
