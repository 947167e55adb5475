//! Lists of threads: those of a conversation, and those that somebody follows.

use serde::{Deserialize, Serialize};

use super::store::{self, Thread};
use crate::app::App;
use crate::clock::Instant;
use crate::conversations::{Reference, Sight};
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::page::{Arguments, Cursor, Millis, Page};
use crate::viewer::Viewer;

/// Place in the list of one conversation's threads: the position of the last reply, and of the message they are under.
#[derive(Debug, Serialize, Deserialize)]
pub struct ConversationThreadCursor(ConversationId, i32, i32);

/// Place in the list of the threads that somebody follows: when the last reply came, and the message they are under. A
/// thread without a reply stands behind all others.
#[derive(Debug, Serialize, Deserialize)]
pub struct FollowedThreadCursor(Millis, ConversationId, i32);

impl Cursor for ConversationThreadCursor {
    const LIST: &str = "threads";
}

impl Cursor for FollowedThreadCursor {
    const LIST: &str = "followedThreads";
}

impl ConversationThreadCursor {
    pub fn of(thread: &Thread) -> Self {
        Self(thread.conversation_id, thread.last_reply_seq.unwrap_or_default(), thread.root_seq)
    }

    pub(super) fn values(&self) -> (i32, i32) {
        (self.1, self.2)
    }
}

impl FollowedThreadCursor {
    pub fn of(thread: &Thread) -> Self {
        Self(thread.last_reply_at.unwrap_or_default().into(), thread.conversation_id, thread.root_seq)
    }

    pub(super) fn values(&self) -> (Instant, ConversationId, i32) {
        (self.0.into(), self.1, self.2)
    }
}

/// Which of the threads that somebody follows.
#[derive(Debug, Default)]
pub struct ThreadFilter {
    pub is_unread: Option<bool>,
    pub conversation: Option<Reference>,
}

/// The threads of a conversation, latest reply first.
pub async fn in_conversation(app: &App, sight: Sight, arguments: Arguments) -> Result<Page<Thread>> {
    let window = arguments.window_of(|cursor: &ConversationThreadCursor| cursor.0 == sight.id())?;
    let wanted = &window;
    let rows = app.db.read(async move |conn| store::of_conversation(conn, sight.id(), wanted).await).await?;
    Ok(window.page(rows))
}

/// The threads that the viewer follows where they are a member, latest reply first.
pub async fn followed(app: &App, viewer: &Viewer, filter: ThreadFilter, arguments: Arguments) -> Result<Page<Thread>> {
    let window = arguments.window()?;
    let (user_id, filter, wanted): (UserId, _, _) = (viewer.user_id, &filter, &window);
    let rows = app.db.read(async move |conn| store::followed(conn, user_id, filter, wanted).await).await?;
    Ok(window.page(rows))
}
