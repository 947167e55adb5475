//! Pins: messages that are to be found again, up to a hundred in a conversation. A deleted one is none of them.

pub mod graphql;
mod list;
mod loaders;
mod pin;
mod store;

pub use list::{PinCursor, pins};
pub use loaders::PinOf;
pub use pin::{pin_message, unpin_message};
pub use store::Pin;

use super::Message;
use crate::db::Tx;
use crate::error::Result;

/// Pinned messages of one conversation.
pub const PINNED: usize = 100;

/// A deleted message is not pinned.
pub(super) async fn forget(tx: &Tx, message: &Message) -> Result<()> {
    store::delete(tx, message.conversation_id, message.seq).await?;
    Ok(())
}
