//! What of messages stands in the log. The subject is the message; there is no payload but where one is named.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::log::Kind;

/// A message was sent; the event's `seq` is the message's.
pub const MESSAGE_SENT: Kind = Kind(1);
/// A message's content was changed.
pub const MESSAGE_EDITED: Kind = Kind(2);
/// A message was deleted.
pub const MESSAGE_DELETED: Kind = Kind(3);
/// The actor reacted. Payload: `Reaction`.
pub const REACTION_ADDED: Kind = Kind(4);
/// A reaction was taken back. Payload: `Reaction`.
pub const REACTION_REMOVED: Kind = Kind(5);
/// A message was pinned.
pub const MESSAGE_PINNED: Kind = Kind(6);
/// A message was unpinned.
pub const MESSAGE_UNPINNED: Kind = Kind(7);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reaction {
    pub emoji: String,
    /// Whose it is.
    #[serde(rename = "user")]
    pub user_id: UserId,
}
