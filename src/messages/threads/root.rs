//! The message that a thread is under, for whoever wants to follow it or has read in it.

use crate::context::Scope;
use crate::conversations::{Seat, in_sight_by_id, seat_in};
use crate::db::Tx;
use crate::error::{Error, InputCode, Result};
use crate::id::MessageId;
use crate::messages::MessageById;
use crate::realtime::{Mark, Subject};
use crate::text::Fault;
use crate::viewer::Viewer;

/// A message that has a thread or may get one, and the viewer's seat in its conversation.
#[derive(Clone, Copy, Debug)]
pub struct Root {
    pub(super) seat: Seat,
    pub(super) seq: i32,
}

impl Root {
    /// The holder's other devices see the change too: in the thread, and in what waits in the conversation.
    pub(super) fn mark_changed(&self, tx: &mut Tx) {
        self.seat.mark_changed(tx);
        let subject = Subject::Thread(self.seat.sight().id(), self.seq);
        tx.outbox().marks.push((self.seat.holder(), Mark::Changed(subject)));
    }
}

/// The viewer's place at a message: *not found* for strangers, FORBIDDEN for readers of a public channel. A deleted
/// message keeps its thread.
pub async fn root(scope: &Scope, viewer: &Viewer, id: MessageId) -> Result<Root> {
    let missing = || Error::not_found("message");
    let message = scope.load::<MessageById>(id).await?.ok_or_else(missing)?;
    let sight = in_sight_by_id(scope, viewer.user_id, message.conversation_id).await?.ok_or_else(missing)?;
    let seat = seat_in(scope, viewer, sight.reference()).await?;
    if message.msg_no.is_none() {
        let fault = Fault::new(InputCode::NotAllowed, "It is in a thread itself, or was the server's");
        return Err(Error::bad_input(vec![fault.of("messageId")]));
    }
    Ok(Root { seat, seq: message.seq })
}
