//! What of conversations and their members stands in the log.

use serde::{Deserialize, Serialize};

use super::Departure;
use crate::id::{MemberId, UserId};
use crate::log::Kind;

/// Someone became a member. Payload: `MemberJoined`.
pub const MEMBER_JOINED: Kind = Kind(10);
/// Someone is no longer a member. Payload: `MemberLeft`.
pub const MEMBER_LEFT: Kind = Kind(11);

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
