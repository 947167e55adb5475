//! Is a member.

use super::{Action, Reference, Sight, Standing, StandingOf, Verdict, may};
use crate::context::Scope;
use crate::error::{Error, Result};
use crate::id::MemberId;
use crate::viewer::Viewer;

/// Proof that whoever this is for is a member of the conversation. Judged without its row's lock: for what passes and
/// leaves no trace, and for what is each member's own. Only this module makes one.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    sight: Sight,
    id: MemberId,
    standing: Standing,
}

impl Seat {
    pub fn sight(&self) -> Sight {
        self.sight
    }

    pub fn id(&self) -> MemberId {
        self.id
    }

    /// Whether its holder may do this, and why not.
    pub fn may(&self, action: Action) -> Verdict {
        may(action, &self.standing)
    }
}

/// The viewer's seat in a conversation: *not found* for strangers, FORBIDDEN for readers of a public channel.
pub async fn seat_in(scope: &Scope, viewer: &Viewer, reference: Reference) -> Result<Seat> {
    let found = scope.load::<StandingOf>((viewer.user_id, reference.id)).await?;
    let (sight, standing) = found.map(|found| *found).ok_or_else(|| Error::not_found("conversation"))?;
    if sight.reference() != reference {
        return Err(Error::not_found("conversation"));
    }
    let id = sight.seat().ok_or_else(|| Error::forbidden("Join first"))?;
    Ok(Seat { sight, id, standing })
}
