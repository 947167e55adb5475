//! May read.

use super::{Conversation, ConversationById, Departure, Kind, Member, MemberRole, Reference, StandingOf, Visibility};
use crate::context::Scope;
use crate::error::Result;
use crate::id::{ConversationId, GroupId, MemberId, UserId};
use crate::viewer::Viewer;

/// Proof that whoever this is for may read the conversation. Only this module makes one.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    reference: Reference,
    as_of: i32,
    /// The seat that gives it; `None` for a reader of a public channel.
    seat: Option<MemberId>,
    /// Of a reader, the group that gives it, where it is a group's channel.
    group: Option<GroupId>,
}

impl Sight {
    pub fn reference(&self) -> Reference {
        self.reference
    }

    /// The log's latest position when this was judged: whatever is read after it shows at least that, and an end of
    /// this sight stands behind it in the log.
    pub fn as_of(&self) -> i32 {
        self.as_of
    }

    /// Whether it is that of a member, who may write, follow and be told.
    pub fn is_of_member(&self) -> bool {
        self.seat.is_some()
    }

    /// The seat that gives it; `None` for a reader.
    pub(super) fn seat(&self) -> Option<MemberId> {
        self.seat
    }

    /// The group by which a reader sees it.
    pub(super) fn group(&self) -> Option<GroupId> {
        self.group
    }

    /// For showing what is read once the log has reached a position. It is no later judgement.
    pub fn shows_at_least(self, position: i32) -> Self {
        Self { as_of: self.as_of.max(position), ..self }
    }

    /// What everybody who sees the conversation sees of it.
    pub fn of_all(self) -> Self {
        Self { seat: None, group: None, ..self }
    }

    /// Of whoever creates a conversation: they are about to be seated.
    pub(super) fn of_founder(conversation: &Conversation) -> Self {
        let reference = Reference { kind: conversation.kind, id: conversation.id };
        Self { reference, as_of: conversation.last_seq, seat: None, group: None }
    }

    /// Of a member who is the viewer, in their conversation as it was read together with the seat.
    pub fn of_member(viewer: UserId, conversation: &Conversation, member: &Member) -> Option<Self> {
        let is_theirs = member.user_id == viewer && member.conversation_id == conversation.id && member.holds();
        let reference = Reference { kind: conversation.kind, id: conversation.id };
        is_theirs.then_some(Self { reference, as_of: conversation.last_seq, seat: Some(member.id), group: None })
    }

    /// The same conversation, judged later: what has become of a sight that a stream was opened with. A seat that has
    /// ended ends it, also where the channel stays visible.
    pub(super) fn continued(self, now: Option<Sight>) -> Option<Sight> {
        now.filter(|now| self.seat.is_none() || now.seat == self.seat)
    }

    pub fn id(&self) -> ConversationId {
        self.reference.id
    }
}

/// What decides sight.
pub(super) struct Place {
    pub kind: Kind,
    pub id: ConversationId,
    pub last_seq: i32,
    pub visibility: Option<Visibility>,
    /// The group whose channel it is.
    pub group: Option<GroupId>,
    /// The viewer's role in that group, if they are a member of it.
    pub group_role: Option<MemberRole>,
    /// The viewer's seat, if there ever was one, and how it ended.
    pub seat: Option<(MemberId, Option<Departure>)>,
}

/// A member; or the channel is public, the viewer is in its group if it has one, no guest there, and not banned.
pub(super) fn judge(place: &Place) -> Option<Sight> {
    let sees = match place.seat {
        Some((_, None)) => true,
        Some((_, Some(Departure::Banned))) => false,
        _ => place.visibility == Some(Visibility::Public) && is_at_home(place),
    };
    let reference = Reference { kind: place.kind, id: place.id };
    let seat = place.seat.filter(|(_, departure)| departure.is_none()).map(|(id, _)| id);
    let group = place.group.filter(|_| seat.is_none());
    sees.then_some(Sight { reference, as_of: place.last_seq, seat, group })
}

/// Whether public channels there are open to the viewer.
fn is_at_home(place: &Place) -> bool {
    place.group.is_none() || place.group_role.is_some_and(|role| role != MemberRole::Guest)
}

/// The viewer's sight of a conversation; `None` out of sight. Looks up many at once.
pub async fn in_sight(scope: &Scope, viewer: &Viewer, reference: Reference) -> Result<Option<Sight>> {
    let found = in_sight_by_id(scope, viewer.user_id, reference.id).await?;
    Ok(found.filter(|sight| sight.reference() == reference))
}

/// The same for a conversation that something of the database refers to.
pub async fn in_sight_by_id(scope: &Scope, user_id: UserId, id: ConversationId) -> Result<Option<Sight>> {
    let Some(found) = scope.load::<StandingOf>((user_id, id)).await? else { return Ok(None) };
    // The conversation was read with it, and is mostly what is asked for next.
    scope.remember::<ConversationById>(vec![(id, found.conversation.clone())]).await;
    Ok(Some(found.sight))
}
