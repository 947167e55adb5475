//! Standing at one message to change something of it.

use super::{Message, store};
use crate::clock::Instant;
use crate::conversations::{self, Here, Sight};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::MessageId;
use crate::viewer::Viewer;

/// A message after its change, and the position of its conversation's latest event.
pub struct Changed {
    pub message: Message,
    pub sight: Sight,
    pub seq: i32,
}

/// A message and its conversation, locked; *not found* for strangers. Read again under the lock.
pub(super) async fn lock(tx: &mut Tx, viewer: &Viewer, id: MessageId, now: Instant) -> Result<(Here, Message)> {
    let missing = || Error::not_found("message");
    let place = store::place_of(tx, id).await?.ok_or_else(missing)?;
    let here = conversations::lock(tx, viewer, place, now).await.map_err(|error| match error.code() {
        Code::NotFound => missing(),
        _ => error,
    })?;
    let message = store::of_conversation(tx, place.id, &[id]).await?.pop().ok_or_else(missing)?;
    Ok((here, message))
}

/// Nothing is done any more to a message of which a tombstone is left.
pub(super) fn deleted() -> Error {
    Error::new(Code::FailedPrecondition, "The message was deleted").with("reason", "DELETED")
}
