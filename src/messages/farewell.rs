//! Erasing what somebody has written who is gone for good.

use super::delete::bury;
use super::store;
use crate::app::App;
use crate::clock::Instant;
use crate::conversations::Here;
use crate::error::Result;
use crate::id::{ConversationId, UserId};

/// In one transaction, which holds the conversation.
const AT_ONCE: i64 = 20;

/// Erases some of the messages of somebody in a conversation, and says whether there may be more. Unlike of those that are
/// deleted, nothing is kept of them but that they were there: what they said before they were edited or deleted goes too.
pub async fn erase(app: &App, gone: UserId, id: ConversationId, now: Instant) -> Result<bool> {
    app.db
        .transaction(async move |tx| {
            // By the key under which it was sent, which is erased with it: so what is done is not found again.
            let mut here = Here::in_absence(tx, gone, id, now).await?;
            let written = store::keyed_by(tx, id, gone, AT_ONCE).await?;
            let is_all = written.len() < AT_ONCE as usize;
            for mut message in written {
                if let Some(content) = message.content.take() {
                    bury(tx, &mut here, &mut message, &content).await?;
                }
                store::forget(tx, id, message.seq).await?;
            }
            here.write(tx).await?;
            Ok(!is_all)
        })
        .await
}
