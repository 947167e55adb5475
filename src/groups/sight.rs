//! May see a group.

use super::{GroupById, Member, StandingOf};
use crate::context::Scope;
use crate::error::Result;
use crate::id::GroupId;
use crate::viewer::Viewer;

/// Proof that whoever this is for may know of the group: a member; or it is public and they are not banned. What it shows
/// of its channels, and to guests of its members, is judged for each viewer.
#[derive(Clone, Copy, Debug)]
pub struct Sight(GroupId);

impl Sight {
    pub fn id(self) -> GroupId {
        self.0
    }

    /// Of a standing, which nobody has without it.
    pub(super) fn of_standing(id: GroupId) -> Self {
        Self(id)
    }

    /// Of a member, for themselves.
    pub fn of_its_member(member: &Member) -> Self {
        Self(member.group_id)
    }

    /// Of whoever sees one of its channels: those are shown to nobody but its members.
    pub fn through_its_channel(id: GroupId) -> Self {
        Self(id)
    }
}

/// The viewer's sight of a group; `None` out of sight. Looks up many at once.
pub async fn in_sight(scope: &Scope, viewer: &Viewer, id: GroupId) -> Result<Option<Sight>> {
    let Some(found) = scope.load::<StandingOf>((viewer.user_id, id)).await? else { return Ok(None) };
    // The group was read with it, and is mostly what is asked for next.
    scope.remember::<GroupById>(vec![(id, found.group.clone())]).await;
    Ok(Some(found.sight))
}
