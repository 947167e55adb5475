//! Marking unread: back to just before a message.

use super::mark_read::place_of;
use super::store;
use crate::app::App;
use crate::conversations::{self, Action, Seat};
use crate::error::Result;
use crate::id::MessageId;

/// Moves the position of one's own seat back to just before a message of its conversation. What is unread already stays
/// so, and all that stands before it: the position does not move forward. Others are told nothing, since nobody has read
/// further.
pub async fn mark_unread(app: &App, seat: Seat, message: MessageId) -> Result<()> {
    seat.may(Action::MarkRead).or_refuse()?;
    let id = seat.sight().id();
    app.db
        .transaction(async move |tx| {
            let seq = place_of(tx, id, message).await?;
            let to = store::position(tx, id, Some(seq - 1)).await?;
            conversations::read_back_to(tx, &seat, to).await
        })
        .await
}
