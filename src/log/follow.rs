//! Following a log: what came after a position, then what comes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::hub::{Ear, News};
use super::{Event, Hub, Kind, store};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::ConversationId;

/// Events that one resumed stream replays before it reports a gap instead.
pub const REPLAYED_EVENTS: i32 = 1_000;
/// Events of one batch. With the longest messages a delivery of 100, shown twice, is more than an answer may hold: a
/// stream would fail there, and fail again wherever it resumed.
pub const BATCH: i64 = 25;
/// Before a stream under way asks a database again that did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The next events of a log, in order and without a hole.
#[derive(Clone, Debug)]
pub struct Batch {
    pub events: Vec<Arc<Event>>,
    /// Position before them.
    pub after: i32,
    /// Position after them: what to resume `after`.
    pub seq: i32,
    /// Whether nothing further waited when this was made.
    pub is_caught_up: bool,
    /// Whether events were left out before this batch; it is empty then and stands at the log's head.
    pub has_gap: bool,
}

/// Follows one log, for as long as it is asked: while the database does not answer it waits.
pub struct Follower {
    db: Db,
    conversation_id: ConversationId,
    /// After this comes the next batch.
    position: i32,
    ear: Ear,
    /// Whether the table may hold more than what was heard.
    must_look: bool,
    /// Whether the last batch said that nothing further waited. If it did not, and what waited turns out to be known
    /// already, an empty one says so: a client waits for it.
    said_caught_up: bool,
}

/// Up to `limit` events after a position, for those who ask instead of following.
pub async fn read(db: &Db, id: ConversationId, after: i32, limit: i64) -> Result<Batch> {
    db.read(async move |conn| {
        let head = store::head(conn, id).await?.unwrap_or(0);
        if is_out_of_reach(after, head) {
            return Ok(gap(after, head));
        }
        if head == after {
            return Ok(Batch { events: Vec::new(), after, seq: head, is_caught_up: true, has_gap: false });
        }
        let events = store::after(conn, id, after, limit).await?;
        Ok(batch(after, head, limit, events))
    })
    .await
}

/// The same of many logs, each after its own position, by two statements for all.
pub async fn read_each(db: &Db, positions: &[(ConversationId, i32)], limit: i64) -> Result<Vec<Batch>> {
    db.read(async move |conn| {
        let ids: Vec<_> = positions.iter().map(|(id, _)| *id).collect();
        let heads: HashMap<_, _> = store::heads(conn, &ids).await?.into_iter().collect();
        let mut events: HashMap<ConversationId, Vec<Event>> = HashMap::new();
        for event in store::after_each(conn, positions, limit).await? {
            events.entry(event.conversation_id).or_default().push(event);
        }
        let batches = positions.iter().map(|&(id, after)| {
            let head = heads.get(&id).copied().unwrap_or(0);
            match after {
                _ if is_out_of_reach(after, head) => gap(after, head),
                _ => batch(after, head, limit, events.remove(&id).unwrap_or_default()),
            }
        });
        Ok(batches.collect())
    })
    .await
}

/// Whether a log cannot be replayed from there.
fn is_out_of_reach(after: i32, head: i32) -> bool {
    after < 0 || head < after || head - after > REPLAYED_EVENTS
}

/// The first events after a position that is within reach.
fn batch(after: i32, head: i32, limit: i64, mut events: Vec<Event>) -> Batch {
    // What came after the head was read is left for the next one.
    events.retain(|event| event.seq <= head);
    // A log that does not go on where `after` stands was cut off at its beginning.
    if limit > 0 && after < head && events.first().is_none_or(|first| first.seq != after + 1) {
        return gap(after, head);
    }
    let seq = events.last().map_or(after, |last| last.seq);
    let events = events.into_iter().map(Arc::new).collect();
    Batch { events, after, seq, is_caught_up: seq >= head, has_gap: false }
}

/// The events of some kinds after a position: no more than one who follows may be behind.
pub async fn of_kinds(db: &Db, id: ConversationId, after: i32, kinds: &[Kind]) -> Result<Vec<Arc<Event>>> {
    let kinds: Vec<i16> = kinds.iter().map(|kind| kind.0).collect();
    let found = db.read(async move |conn| store::of_kinds(conn, id, after, &kinds, REPLAYED_EVENTS).await).await?;
    Ok(found.into_iter().map(Arc::new).collect())
}

fn gap(after: i32, head: i32) -> Batch {
    Batch { events: Vec::new(), after, seq: head, is_caught_up: true, has_gap: true }
}

impl Batch {
    /// Whether it says anything, to one who was told or not that nothing further waits.
    pub fn is_news(&self, said_caught_up: bool) -> bool {
        !self.events.is_empty() || self.has_gap || (self.is_caught_up && !said_caught_up)
    }

    /// What of it stands beyond a position within it.
    pub fn beyond(&self, position: i32) -> Self {
        let events = self.events.iter().filter(|event| event.seq > position).cloned().collect();
        Self { events, after: position, ..*self }
    }

    /// What of it stands up to a position within it.
    pub fn up_to(&self, position: i32) -> Self {
        let events = self.events.iter().filter(|event| event.seq <= position).cloned().collect();
        Self { events, seq: position, ..*self }
    }
}

impl Follower {
    /// Follows from `after` on. Listens from this call on, so that nothing falls between the table and what
    /// is committed while it is read.
    pub fn new(db: Db, hub: &Hub, conversation_id: ConversationId, after: i32) -> Self {
        let ear = hub.listen_to(conversation_id);
        Self { db, conversation_id, position: after, ear, must_look: true, said_caught_up: true }
    }

    /// What comes next.
    pub async fn next(&mut self) -> Result<Batch> {
        loop {
            let batch = match self.must_look {
                true => self.look().await,
                false => self.hear().await,
            };
            match batch {
                Ok(batch) if batch.is_news(self.said_caught_up) => {
                    self.said_caught_up = batch.is_caught_up;
                    return Ok(batch);
                }
                Ok(_) => {}
                Err(error) if error.passes() => tokio::time::sleep(ASK_AGAIN).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether nothing was said since that did not come yet.
    pub fn is_caught_up(&mut self) -> bool {
        !self.must_look && self.ear.is_silent_beyond(self.position)
    }

    /// Reads on in the table.
    async fn look(&mut self) -> Result<Batch> {
        let mut batch = read(&self.db, self.conversation_id, self.position, BATCH).await?;
        self.position = batch.seq;
        self.must_look = !batch.is_caught_up;
        batch.is_caught_up &= batch.has_gap || self.ear.is_silent_beyond(self.position);
        Ok(batch)
    }

    /// Waits for the next event and takes those that came with it.
    async fn hear(&mut self) -> Result<Batch> {
        let after = self.position;
        let mut position = after;
        let mut events = Vec::new();
        let mut news = Some(self.ear.next().await.ok_or_else(|| Error::internal("the hub is gone"))?);
        while let Some(heard) = news.take() {
            match heard {
                // Heard twice: it was in the table already.
                News::Event(event) if event.seq <= position => {}
                News::Event(event) if event.seq == position + 1 => {
                    position = event.seq;
                    events.push(event);
                }
                // A hole: an earlier commit has not reached the hub yet.
                News::Event(_) | News::Look => {
                    self.must_look = true;
                    break;
                }
            }
            if events.len() >= BATCH as usize {
                break;
            }
            news = self.ear.try_next();
        }
        self.position = position;
        let is_caught_up = self.is_caught_up();
        Ok(Batch { events, after, seq: position, is_caught_up, has_gap: false })
    }
}
