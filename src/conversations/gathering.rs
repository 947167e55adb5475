//! Standing in several conversations for several people at once: what `Here` is for one.

use std::collections::HashMap;

use super::store;
use super::{Conversation, Reference, Sight, Standing};
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::log::{self, Kind, Writer};

/// Conversations whose rows this transaction holds, and where those who asked for them stand.
pub struct Gathering {
    rooms: HashMap<ConversationId, Room>,
    standings: HashMap<(UserId, ConversationId), (Sight, Standing)>,
}

/// A conversation whose row this transaction holds. What is changed on it is written by `Gathering::write`, together
/// with the events.
pub struct Room {
    pub conversation: Conversation,
    /// When this happens: never before what happened last.
    pub now: Instant,
    log: Writer,
}

/// What becomes of a conversation that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Waited for. Of several conversations this could wait for another one that waits for us.
    Wait,
    /// Passed over.
    PassOver,
}

/// Where somebody who asked stands.
pub enum Place {
    /// They do not see it, or it is not there.
    OutOfSight,
    /// Judged under the lock where they have a seat. Without one there is nothing that the lock would have to keep.
    Seen(Sight, Standing),
    /// They have a seat, and somebody else holds the row.
    Busy,
}

/// Locks the conversations in which those who ask have seats: strangers do not get to hold a row, or to feel that somebody
/// does. As with `lock`, the lock is a statement of its own, and where everybody stands is read by the next one.
pub async fn gather(tx: &mut Tx, asks: &[(UserId, Reference)], now: Instant, busy: Busy) -> Result<Gathering> {
    let mut pairs: Vec<_> = asks.iter().map(|(user, reference)| (*user, reference.id)).collect();
    pairs.sort();
    pairs.dedup();
    let held = store::lock_seated(tx, &pairs, busy).await?;
    let rooms = store::by_ids(tx, &held).await?;
    let standings = store::standings(tx, &pairs).await?;
    let room = |conversation: Conversation| {
        let log = Writer::after(conversation.id, conversation.last_seq);
        (conversation.id, Room { now: now.max(conversation.last_activity_at), log, conversation })
    };
    Ok(Gathering {
        rooms: rooms.into_iter().map(room).collect(),
        standings: standings
            .into_iter()
            .map(|(user, sight, standing)| ((user, sight.id()), (sight, standing)))
            .collect(),
    })
}

impl Gathering {
    pub fn place(&self, user: UserId, reference: Reference) -> Place {
        let found = self.standings.get(&(user, reference.id)).filter(|(sight, _)| sight.reference() == reference);
        match found {
            None => Place::OutOfSight,
            Some((_, standing)) if standing.seat_role.is_some() && !self.rooms.contains_key(&reference.id) => {
                Place::Busy
            }
            Some((sight, standing)) => Place::Seen(*sight, *standing),
        }
    }

    /// The conversation, if this transaction holds it.
    pub fn room(&mut self, id: ConversationId) -> Option<&mut Room> {
        self.rooms.get_mut(&id)
    }

    /// Writes the rows and the events; followers hear of them when the transaction is committed.
    pub async fn write(self, tx: &mut Tx) -> Result<()> {
        let (mut changed, mut events) = (Vec::new(), Vec::new());
        for mut room in self.rooms.into_values() {
            if room.conversation.last_seq < room.log.seq() {
                room.conversation.last_seq = room.log.seq();
                events.extend(room.log.take_events());
                changed.push(room.conversation);
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        store::save_heads(tx, &changed).await?;
        log::append(tx, events).await
    }
}

impl Room {
    /// Appends an event about the message that it is itself.
    pub fn log_message(&mut self, kind: Kind, actor: UserId) -> Result<i32> {
        self.log.about_message(kind, actor, None, self.now)
    }
}
