//! The lists of the conversations that somebody is in.

use serde::{Deserialize, Serialize};

use super::store::{self, State};
use crate::app::App;
use crate::clock::Instant;
use crate::conversations::{Conversation, Kind};
use crate::error::Result;
use crate::id::{ConversationId, GroupId};
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

/// All conversations that the viewer is in: channels by group, category and position, then direct ones, latest activity
/// first.
pub async fn sidebar(app: &App, viewer: &Viewer) -> Result<Vec<State>> {
    let user_id = viewer.user_id;
    app.db.read(async move |conn| store::sidebar(conn, user_id, SIDEBAR).await).await
}
