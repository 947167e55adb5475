//! Reactions: any emoji of Unicode, up to fifty different ones to a message.
//!
//! How many used each is kept beside who did, so that a page of messages costs the same whether ten or ten thousand
//! reacted. Nothing of a deleted message's is kept.

pub mod graphql;
mod loaders;
mod react;
mod reactors;
mod store;

pub use loaders::{ReactionsOf, ReactionsTo, ReactorsOf};
pub use react::{ReactionDraft, add_reaction, remove_reaction};
pub use reactors::{ReactorCursor, Reactors};
pub use store::{ReactionCount, ReactionGroup, Reactor};

use super::Message;
use crate::db::Tx;
use crate::error::Result;

/// Different emoji that people react to one message with.
pub const KINDS: usize = 50;

/// Nobody has reacted to a deleted message.
pub(super) async fn forget(tx: &Tx, message: &Message) -> Result<()> {
    Ok(store::forget(tx, message.conversation_id, message.seq).await?)
}
