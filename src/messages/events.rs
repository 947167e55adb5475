//! What of messages stands in the log. The subject is the message; there is no payload.

use crate::log::Kind;

/// A message was sent; the event's `seq` is the message's.
pub const MESSAGE_SENT: Kind = Kind(1);
/// A message's content was changed.
pub const MESSAGE_EDITED: Kind = Kind(2);
/// A message was deleted.
pub const MESSAGE_DELETED: Kind = Kind(3);
