//! Standing in several conversations for several people at once: what `Here` is for one.

use std::collections::{HashMap, HashSet};

use futures_util::try_join;
use serde::Serialize;

use super::store::{self, Viewpoint};
use super::{Conversation, Reference, Sight, Standing};
use crate::clock::Instant;
use crate::db::{Busy, Tx};
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::log::{Event, Kind, Writer};

/// Conversations whose rows this transaction holds, and where those who asked for them stand.
pub struct Gathering {
    rooms: HashMap<ConversationId, Room>,
    standings: HashMap<(UserId, ConversationId), (Sight, Standing)>,
}

/// A conversation whose row this transaction holds. What is changed on it is written by `save`.
pub struct Room {
    pub conversation: Conversation,
    /// When this happens: never before the last message. What happened since may be a little later.
    pub now: Instant,
    log: Writer,
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
/// does. Then looks where everybody stands. As with `lock`, that is a statement of its own: PostgreSQL begins it when the
/// lock was granted, so it sees what was committed until then. It need not be waited for in between: what is polled in
/// this order is sent in this order.
pub async fn gather(tx: &Tx, asks: &[(UserId, Reference)], busy: Busy, now: Instant) -> Result<Gathering> {
    let mut asks: Vec<_> = asks.iter().map(|(user, reference)| (*user, reference.id)).collect();
    asks.sort();
    asks.dedup();
    let (held, standings) = try_join!(store::lock_seated(tx, &asks, busy), store::standings(tx, &asks))?;
    let held: HashSet<ConversationId> = held.into_iter().collect();
    let mut gathering = Gathering { rooms: HashMap::new(), standings: HashMap::new() };
    for Viewpoint { user_id, conversation, sight, standing } in standings {
        if held.contains(&sight.id()) {
            gathering.rooms.entry(sight.id()).or_insert_with(|| Room::of(&conversation, now));
        }
        gathering.standings.insert((user_id, sight.id()), (sight, standing));
    }
    Ok(gathering)
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

    /// The conversations in which something happened, and the events: both to be written, and the events to be put into
    /// the outbox.
    pub fn changed(self) -> (Vec<Conversation>, Vec<Event>) {
        changed(self.rooms.into_values())
    }
}

pub(super) fn changed(rooms: impl Iterator<Item = Room>) -> (Vec<Conversation>, Vec<Event>) {
    let (mut changed, mut events) = (Vec::new(), Vec::new());
    for mut room in rooms {
        if room.conversation.last_seq < room.log.seq() {
            room.conversation.last_seq = room.log.seq();
            events.extend(room.log.take_events());
            changed.push(room.conversation);
        }
    }
    (changed, events)
}

/// Writes what has changed on rows that this transaction holds.
pub async fn save(tx: &Tx, changed: &[Conversation]) -> Result<()> {
    Ok(store::save(tx, changed).await?)
}

impl Room {
    pub(super) fn of(conversation: &Conversation, now: Instant) -> Self {
        let log = Writer::after(conversation.id, conversation.last_seq);
        Self { now: now.max(conversation.last_activity_at), log, conversation: conversation.clone() }
    }

    /// Appends an event about the message that it is itself.
    pub fn log_message(&mut self, kind: Kind, actor: UserId) -> Result<i32> {
        self.log.about_message(kind, actor, None, self.now)
    }

    /// Appends another event.
    pub(super) fn log(&mut self, kind: Kind, actor: UserId, payload: &impl Serialize) -> Result<i32> {
        self.log.with(kind, Some(actor), payload, self.now)
    }
}
