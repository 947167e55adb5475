//! Pinning, and undoing it. Doing either again changes nothing.

use super::PINNED;
use super::store::{self, Pin};
use crate::app::App;
use crate::conversations::Action;
use crate::error::{Code, Error, Result};
use crate::id::MessageId;
use crate::messages::events::{MESSAGE_PINNED, MESSAGE_UNPINNED};
use crate::messages::lock::{Changed, deleted, lock};
use crate::viewer::Viewer;

/// Pins a message. What is pinned already stays so since when it is, and by whom.
pub async fn pin_message(app: &App, viewer: &Viewer, id: MessageId) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let (mut here, message) = lock(tx, viewer, id, now).await?;
            here.may(Action::Pin).or_refuse()?;
            if message.deleted_at.is_some() {
                return Err(deleted());
            }
            let sight = here.sight();
            let pin = Pin {
                conversation_id: message.conversation_id,
                seq: message.seq,
                pinned_seq: here.seq() + 1,
                pinned_at: here.now,
                pinned_by_id: viewer.user_id,
            };
            if !store::insert(tx, &pin).await? {
                return Ok(Changed { message, sight, seq: here.seq() });
            }
            if store::count(tx, sight.id()).await? > PINNED as i64 {
                let message = format!("At most {PINNED} messages are pinned in one conversation");
                return Err(Error::new(Code::FailedPrecondition, message).with("reason", "TOO_MANY"));
            }
            let seq = here.log_message(MESSAGE_PINNED, Some(message.seq))?;
            here.write(tx).await?;
            Ok(Changed { message, sight, seq })
        })
        .await
}

/// Unpins a message, whoever pinned it.
pub async fn unpin_message(app: &App, viewer: &Viewer, id: MessageId) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let (mut here, message) = lock(tx, viewer, id, now).await?;
            here.may(Action::Pin).or_refuse()?;
            let sight = here.sight();
            if !store::delete(tx, sight.id(), message.seq).await? {
                return Ok(Changed { message, sight, seq: here.seq() });
            }
            let seq = here.log_message(MESSAGE_UNPINNED, Some(message.seq))?;
            here.write(tx).await?;
            Ok(Changed { message, sight, seq })
        })
        .await
}
