//! The pinned messages of a conversation.

use serde::{Deserialize, Serialize};

use super::store::{self, Pin};
use crate::app::App;
use crate::conversations::Sight;
use crate::error::Result;
use crate::id::ConversationId;
use crate::messages::Message;
use crate::page::{Arguments, Cursor, Page};

/// Place in the list of one conversation's pins: the position in the log at which the message was pinned.
#[derive(Debug, Serialize, Deserialize)]
pub struct PinCursor(ConversationId, i32);

impl Cursor for PinCursor {
    const LIST: &str = "pins";
}

impl PinCursor {
    pub fn of(pin: &Pin) -> Self {
        Self(pin.conversation_id, pin.pinned_seq)
    }

    pub(super) fn pinned_seq(&self) -> i32 {
        self.1
    }
}

/// A page of what is pinned, last pinned first, and how many there are on all pages.
pub async fn pins(app: &App, sight: Sight, arguments: Arguments) -> Result<(Page<(Pin, Message)>, i64)> {
    let window = arguments.window_of(|cursor: &PinCursor| cursor.0 == sight.id())?;
    let wanted = &window;
    let found = app.db.read(async move |conn| {
        let count = store::count(conn, sight.id()).await?;
        Ok((store::page(conn, sight.id(), wanted).await?, count))
    });
    let (rows, count) = found.await?;
    Ok((window.page(rows), count))
}
