//! May read.

use super::{Conversation, Departure, Kind, Reference, SightOf, Visibility};
use crate::context::Ask;
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::viewer::Viewer;

/// Proof that whoever this is for may read the conversation. Only this module makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sight(Reference);

impl Sight {
    pub fn reference(&self) -> Reference {
        self.0
    }

    /// Of whoever creates a conversation: they are about to be seated.
    pub(super) fn of_founder(conversation: &Conversation) -> Self {
        Self(Reference { kind: conversation.kind, id: conversation.id })
    }

    pub fn id(&self) -> ConversationId {
        self.0.id
    }
}

/// What decides sight.
pub(super) struct Place {
    pub kind: Kind,
    pub id: ConversationId,
    pub visibility: Option<Visibility>,
    /// How the viewer's seat ended, if there was one: `Some(None)` is a seat that holds.
    pub seat: Option<Option<Departure>>,
}

/// A member; or the channel is public and the viewer is not banned from it.
pub(super) fn judge(place: &Place) -> Option<Sight> {
    let sees = match place.seat {
        Some(None) => true,
        Some(Some(Departure::Banned)) => false,
        _ => place.visibility == Some(Visibility::Public),
    };
    sees.then_some(Sight(Reference { kind: place.kind, id: place.id }))
}

/// The viewer's sight of a conversation; `None` out of sight. Looks up many at once.
pub async fn in_sight(ask: &(impl Ask + Sync), viewer: &Viewer, reference: Reference) -> Result<Option<Sight>> {
    let found = ask.load::<SightOf>((viewer.user_id, reference.id)).await?;
    Ok(found.map(|sight| *sight).filter(|sight| sight.reference() == reference))
}

/// The same for a conversation that something of the database refers to.
pub async fn in_sight_by_id(ask: &(impl Ask + Sync), user_id: UserId, id: ConversationId) -> Result<Option<Sight>> {
    Ok(ask.load::<SightOf>((user_id, id)).await?.map(|sight| *sight))
}
