//! Stored, gapless streams: one log for each conversation.
//!
//! A change takes the next `seq` of its conversation under the row lock of that conversation (`Writer`), so the order of
//! commits is the order of `seq`. After the commit its event goes through the `Hub` to every `Follower`. The hub is a
//! hint, the table is the truth: a follower that sees a hole, or is told that something was written elsewhere, reads the
//! table; so it does not matter in which order two commits reach the hub, or whether one never does.

mod event;
mod follow;
mod hub;
mod listen;
mod retain;
mod store;

pub use event::{Event, Kind, Writer};
pub use follow::{BATCH, Batch, Follower, REPLAYED_EVENTS, of_kinds, read, read_each};
pub use hub::Hub;
pub use listen::listen;
pub use retain::Retain;

use crate::db::Tx;
use crate::error::Result;

/// Writes what a `Writer` collected, and nothing more: whoever calls it puts the events into the outbox.
pub async fn insert(tx: &Tx, events: &[Event]) -> Result<()> {
    Ok(store::insert(tx, events).await?)
}

/// Writes what a `Writer` collected, as part of the transaction that holds the row lock; the events leave when it is
/// committed.
pub async fn append(tx: &mut Tx, events: Vec<Event>) -> Result<()> {
    store::insert(tx, &events).await?;
    tx.outbox().events.extend(events);
    Ok(())
}
