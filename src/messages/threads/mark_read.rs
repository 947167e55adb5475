//! Marking a thread read, by whoever has read it, follower or not.

use super::{Root, store};
use crate::app::App;
use crate::conversations::Action;
use crate::error::{Error, Result};
use crate::text::Fault;

/// Moves the position of one's own in a thread forward. One that is further on already stays. Beyond what the log held when
/// the seat was judged nothing can have been read.
pub async fn mark_thread_read(app: &App, root: Root, seq: Option<i32>) -> Result<()> {
    if seq.is_some_and(|seq| seq < 0) {
        return Err(Error::bad_input(vec![Fault::out_of_range(0, i32::MAX as usize).of("seq")]));
    }
    root.seat.may(Action::MarkRead).or_refuse()?;
    let head = root.seat.sight().as_of();
    let to = seq.map_or(head, |seq| seq.min(head));
    app.db.transaction(async move |tx| Ok(store::read_up_to(tx, root.seat.id(), root.seq, to).await?)).await
}
