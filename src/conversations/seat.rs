//! Is a member; and what a member changes of their own seat, without the lock that all else takes.

use super::{Action, Keeping, Reference, Sight, Standing, StandingOf, Verdict, may, store};
use crate::clock::Instant;
use crate::context::Scope;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{MemberId, UserId};
use crate::realtime::{Mark, Subject};
use crate::viewer::Viewer;

/// Proof that whoever this is for is a member of the conversation. Judged without its row's lock: for what passes and
/// leaves no trace, and for what is each member's own. Only this module makes one.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    sight: Sight,
    id: MemberId,
    holder: UserId,
    standing: Standing,
}

/// How far somebody has read: a position in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    pub seq: i32,
    /// Number of the last message outside of threads up to there.
    pub no: i32,
}

impl Seat {
    pub fn sight(&self) -> Sight {
        self.sight
    }

    pub fn id(&self) -> MemberId {
        self.id
    }

    pub fn holder(&self) -> UserId {
        self.holder
    }

    /// What is the holder's own in the conversation was changed: their other devices see it too.
    pub fn mark_changed(&self, tx: &mut Tx) {
        tx.outbox().marks.push((self.holder, Mark::Changed(Subject::Conversation(self.sight.id()))));
    }

    /// Whether its holder may do this, and why not.
    pub fn may(&self, action: Action) -> Verdict {
        may(action, &self.standing)
    }
}

/// The viewer's seat in a conversation: *not found* for strangers, FORBIDDEN for readers of a public channel.
pub async fn seat_in(scope: &Scope, viewer: &Viewer, reference: Reference) -> Result<Seat> {
    let found = scope.load::<StandingOf>((viewer.user_id, reference.id)).await?;
    let found = found.ok_or_else(|| Error::not_found("conversation"))?;
    let (sight, standing) = (found.sight, found.standing);
    if sight.reference() != reference {
        return Err(Error::not_found("conversation"));
    }
    let id = sight.seat().ok_or_else(|| Error::forbidden("Join first"))?;
    Ok(Seat { sight, id, holder: viewer.user_id, standing })
}

/// Moves the position of one's own seat, forward only; says whether it has moved.
///
/// It takes no lock of the conversation: marking read is as frequent as reading, and must not stand in line with those
/// who send. That is right because
/// - what is at and before a position that was once committed never changes: messages keep their `seq` and number for
///   good, so the two halves of `to` belong together whenever they are written;
/// - who sends, or writes in a `Chronicle`, moves their own position under the conversation's lock, to a `seq` that is
///   beyond all that was committed before. So `to` is behind it while the message is on its way, and if it is written
///   last, it finds the seat further on and leaves it: the row is looked at again after its own lock was waited for;
/// - joining moves to the head in the same way, and gives the seat a new id: one that was meant for the seat before, or
///   for one that has ended meanwhile, finds no row.
pub async fn read_up_to(tx: &mut Tx, seat: &Seat, to: Reached, now: Instant) -> Result<bool> {
    let has_moved = store::read_up_to(tx, seat.id(), to, now).await?;
    if has_moved {
        seat.mark_changed(tx);
    }
    Ok(has_moved)
}

/// Moves the position of one's own seat back; one that is further back already stays.
///
/// Without the conversation's lock too. But one's own messages behind the position are counted, and who sends moves their
/// position: so the seat is locked first, in a statement of its own. What its holder has sent until then is counted by the
/// next one, and what they send afterwards moves the position past it, and has nothing of theirs behind it.
pub async fn read_back_to(tx: &mut Tx, seat: &Seat, to: Reached) -> Result<()> {
    store::lock_seat(tx, seat.id()).await?;
    store::read_back_to(tx, seat.id(), to).await?;
    seat.mark_changed(tx);
    Ok(())
}

/// Changes how one's own seat is kept. It needs no lock: while the seat holds nobody else writes these columns, and only
/// what changes is written, so that two of one's own devices do not undo each other's changes.
pub async fn keep(tx: &mut Tx, seat: &Seat, keeping: &Keeping) -> Result<()> {
    store::keep(tx, seat.id(), keeping).await?;
    seat.mark_changed(tx);
    Ok(())
}
