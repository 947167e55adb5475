//! Standing in several conversations for several people at once: what `Here` is for one.

use std::collections::HashMap;

use futures_util::try_join;

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

/// What is locked, and for whom.
pub struct Held {
    conversations: Vec<ConversationId>,
    /// Who asked for what, each pair once.
    asks: Vec<(UserId, ConversationId)>,
}

/// Locks the conversations in which those who ask have seats: strangers do not get to hold a row, or to feel that somebody
/// does. As with `lock`, the lock is a statement of its own, and where everybody stands is read by the next one.
pub async fn hold(tx: &mut Tx, asks: &[(UserId, Reference)], busy: Busy) -> Result<Held> {
    let mut asks: Vec<_> = asks.iter().map(|(user, reference)| (*user, reference.id)).collect();
    asks.sort();
    asks.dedup();
    Ok(Held { conversations: store::lock_seated(tx, &asks, busy).await?, asks })
}

impl Held {
    /// Where everybody stands, as it is under the locks.
    pub async fn gather(self, tx: &Tx, now: Instant) -> Result<Gathering> {
        let (rooms, standings) = try_join!(store::by_ids(tx, &self.conversations), store::standings(tx, &self.asks))?;
        let room = |conversation: Conversation| {
            let log = Writer::after(conversation.id, conversation.last_seq);
            (conversation.id, Room { now: now.max(conversation.last_activity_at), log, conversation })
        };
        let standing = |(user, sight, standing): (UserId, Sight, Standing)| ((user, sight.id()), (sight, standing));
        Ok(Gathering {
            rooms: rooms.into_iter().map(room).collect(),
            standings: standings.into_iter().map(standing).collect(),
        })
    }
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
        try_join!(async { Ok(store::save_heads(tx, &changed).await?) }, log::insert(tx, &events))?;
        tx.outbox().events.extend(events);
        Ok(())
    }
}

impl Room {
    /// Appends an event about the message that it is itself.
    pub fn log_message(&mut self, kind: Kind, actor: UserId) -> Result<i32> {
        self.log.about_message(kind, actor, None, self.now)
    }
}
