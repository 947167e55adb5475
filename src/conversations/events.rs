//! What of conversations and their members stands in the log.

use serde::{Deserialize, Serialize};

use super::{Departure, MemberRole};
use crate::id::{MemberId, UserId};
use crate::log::Kind;

/// Someone became a member. Payload: `MemberJoined`.
pub const MEMBER_JOINED: Kind = Kind(10);
/// Someone is no longer a member. Payload: `MemberLeft`.
pub const MEMBER_LEFT: Kind = Kind(11);
/// Somebody's role changed. Payload: `MemberUpdated`.
pub const MEMBER_UPDATED: Kind = Kind(12);
/// Settings changed. Payload: `ConversationUpdated`.
pub const CONVERSATION_UPDATED: Kind = Kind(13);
/// It was archived. Payload: `Nothing`.
pub const CONVERSATION_ARCHIVED: Kind = Kind(14);
/// It was opened again. Payload: `Nothing`.
pub const CONVERSATION_UNARCHIVED: Kind = Kind(15);

/// Somebody who followed a group's public channel without a seat has lost sight of it: they left the group, or are a guest
/// there now. It ends their streams, and is shown to nobody: `seq` goes on past it. Payload: `SightLost`.
pub const SIGHT_LOST: Kind = Kind(30);

/// Where a change of who can see it stands among the changed fields.
pub const VISIBILITY: &str = "visibility";

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MemberJoined {
    #[serde(rename = "member")]
    pub member_id: MemberId,
    #[serde(rename = "user")]
    pub user_id: UserId,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MemberLeft {
    #[serde(rename = "member")]
    pub member_id: MemberId,
    #[serde(rename = "user")]
    pub user_id: UserId,
    pub reason: Departure,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SightLost {
    #[serde(rename = "user")]
    pub user_id: UserId,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MemberUpdated {
    #[serde(rename = "member")]
    pub member_id: MemberId,
    #[serde(rename = "user")]
    pub user_id: UserId,
    #[serde(rename = "previousRole")]
    pub previous_role: MemberRole,
    pub role: MemberRole,
}

/// Which settings changed, by their names in the API. What they are now stands with the conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConversationUpdated {
    #[serde(rename = "changedFields")]
    pub changed_fields: Vec<String>,
}

/// That it happened says all.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Nothing {}
