//! The messages that mention somebody.

use serde::{Deserialize, Serialize};

use super::MentionKind;
use super::store::{self, Called};
use crate::app::App;
use crate::clock::Instant;
use crate::conversations::Reference;
use crate::error::Result;
use crate::id::ConversationId;
use crate::page::{Arguments, Cursor, Millis, Page};
use crate::viewer::Viewer;

/// Place in the list of one's mentions: when the message was sent, and where.
#[derive(Debug, Serialize, Deserialize)]
pub struct MentionCursor(Millis, ConversationId, i32);

impl Cursor for MentionCursor {
    const LIST: &str = "mentions";
}

impl MentionCursor {
    pub fn of(called: &Called) -> Self {
        Self(called.created_at.into(), called.conversation_id, called.seq)
    }

    pub(super) fn values(&self) -> (Instant, ConversationId, i32) {
        (self.0.into(), self.1, self.2)
    }
}

/// Which mentions of somebody.
#[derive(Debug, Default)]
pub struct MentionFilter {
    pub is_read: Option<bool>,
    pub kinds: Option<Vec<MentionKind>>,
    pub conversation: Option<Reference>,
}

/// The messages of others that mention the viewer, newest first. By name, wherever they see it; with everyone, since they
/// are a member.
pub async fn mentions(app: &App, viewer: &Viewer, filter: MentionFilter, arguments: Arguments) -> Result<Page<Called>> {
    let window = arguments.window()?;
    let (user_id, filter, wanted) = (viewer.user_id, &filter, &window);
    let rows = app.db.read(async move |conn| store::calling(conn, user_id, filter, wanted).await).await?;
    Ok(window.page(rows))
}
