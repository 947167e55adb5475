//! Marking a thread read, by whoever has read it, follower or not.

use super::{Root, store};
use crate::app::App;
use crate::conversations::Action;
use crate::error::Result;
use crate::id::MessageId;
use crate::notifications;
use crate::text::{Fault, Wrong};

/// How far somebody has read in a thread, checked but for what only the database knows.
#[derive(Debug)]
pub struct MarkThreadReadDraft {
    /// What the thread is under.
    pub root: MessageId,
    /// `None` for everything.
    seq: Option<i32>,
}

impl MarkThreadReadDraft {
    pub fn from(message_id: &str, seq: Option<i32>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let root = wrong.note("messageId", MessageId::parse(message_id).ok_or_else(Fault::not_an_id));
        let is_position = seq.is_none_or(|seq| seq >= 0);
        let seq =
            wrong.note("seq", is_position.then_some(seq).ok_or_else(|| Fault::out_of_range(0, i32::MAX as usize)));
        wrong.finish(|| Some(Self { root: root?, seq: seq? }))
    }
}

/// Moves the position of one's own in a thread forward. One that is further on already stays. Beyond what the log held when
/// the seat was judged nothing can have been read.
pub async fn mark_thread_read(app: &App, root: Root, draft: MarkThreadReadDraft) -> Result<()> {
    root.seat.may(Action::MarkRead).or_refuse()?;
    let head = root.seat.sight().as_of();
    let to = draft.seq.map_or(head, |seq| seq.min(head));
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            if store::read_up_to(tx, root.seat.id(), root.seq, to).await? {
                root.mark_changed(tx);
                let (user_id, id) = (root.seat.holder(), root.seat.sight().id());
                notifications::have_read(tx, user_id, id, Some(root.seq), to, now).await?;
            }
            Ok(())
        })
        .await
}
