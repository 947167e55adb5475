//! Following a log: what came after a position, then what comes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::hub::{Ear, News};
use super::{Event, Hub, store};
use crate::db::Db;
use crate::error::{Code, Error, Result};
use crate::id::ConversationId;

/// Events that one resumed stream replays before it reports a gap instead.
pub const REPLAYED_EVENTS: i32 = 1_000;
/// Events of one delivery. With the longest messages a delivery of 100, shown twice, is more than an answer may hold: a
/// stream would fail there, and fail again wherever it resumed.
const BATCH: i64 = 25;
/// Before a stream under way asks a database again that did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A delivery: the next events in order and without a hole.
#[derive(Clone, Debug)]
pub struct Batch {
    pub events: Vec<Arc<Event>>,
    /// Position after this delivery: what to resume `after`.
    pub seq: i32,
    /// Whether nothing further waited when this was made.
    pub is_caught_up: bool,
    /// Whether events were left out before this delivery; it is empty then and stands at the log's head.
    pub has_gap: bool,
}

/// Follows one log.
pub struct Follower {
    db: Db,
    conversation_id: ConversationId,
    /// After this comes the next delivery.
    position: i32,
    ear: Ear,
    /// Whether the table may hold more than what was heard.
    must_look: bool,
    has_delivered: bool,
    /// Whether the last delivery said that nothing further waited. If it did not, and what waited turns out to be known
    /// already, an empty one says so: a client waits for it.
    said_caught_up: bool,
}

/// Up to `limit` events after a position, for those who ask instead of following.
pub async fn read(db: &Db, id: ConversationId, after: i32, limit: i64) -> Result<Batch> {
    db.read(async move |conn| {
        let head = store::head(conn, id).await?.unwrap_or(0);
        if after < 0 || head < after || head - after > REPLAYED_EVENTS {
            return Ok(gap(head));
        }
        if head == after {
            return Ok(Batch { events: Vec::new(), seq: head, is_caught_up: true, has_gap: false });
        }
        let events = store::after(conn, id, after, limit).await?;
        // A log that does not go on where `after` stands was cut off at its beginning.
        if limit > 0 && events.first().is_none_or(|first| first.seq != after + 1) {
            return Ok(gap(head));
        }
        let seq = events.last().map_or(after, |last| last.seq);
        let events = events.into_iter().map(Arc::new).collect();
        Ok(Batch { events, seq, is_caught_up: seq >= head, has_gap: false })
    })
    .await
}

fn gap(head: i32) -> Batch {
    Batch { events: Vec::new(), seq: head, is_caught_up: true, has_gap: true }
}

impl Follower {
    /// Follows from `after` on. Listens from this call on, so that nothing falls between the table and what
    /// is committed while it is read.
    pub fn new(db: Db, hub: &Hub, conversation_id: ConversationId, after: i32) -> Self {
        let ear = hub.listen_to(conversation_id);
        Self { db, conversation_id, position: after, ear, must_look: true, has_delivered: false, said_caught_up: false }
    }

    /// The next delivery; the first comes at once. A database that does not answer fails the first one; later ones wait
    /// for it.
    pub async fn next(&mut self) -> Result<Batch> {
        loop {
            if self.must_look {
                match self.look().await {
                    Ok(batch) => {
                        if !self.has_delivered || self.is_news(&batch) {
                            return Ok(self.deliver(batch));
                        }
                    }
                    Err(error) if self.has_delivered && matches!(error.code(), Code::Unavailable | Code::Timeout) => {
                        tokio::time::sleep(ASK_AGAIN).await;
                    }
                    Err(error) => return Err(error),
                }
            } else {
                let batch = self.hear().await?;
                if self.is_news(&batch) {
                    return Ok(self.deliver(batch));
                }
            }
        }
    }

    fn is_news(&self, batch: &Batch) -> bool {
        !batch.events.is_empty() || batch.has_gap || (batch.is_caught_up && !self.said_caught_up)
    }

    fn deliver(&mut self, batch: Batch) -> Batch {
        self.has_delivered = true;
        self.said_caught_up = batch.is_caught_up;
        batch
    }

    /// Reads on in the table.
    async fn look(&mut self) -> Result<Batch> {
        let mut batch = read(&self.db, self.conversation_id, self.position, BATCH).await?;
        self.position = batch.seq;
        self.must_look = !batch.is_caught_up;
        batch.is_caught_up &= batch.has_gap || self.ear.is_silent();
        Ok(batch)
    }

    /// Waits for the next event and takes those that came with it.
    async fn hear(&mut self) -> Result<Batch> {
        let mut position = self.position;
        let mut events = Vec::new();
        let mut news = match self.ear.next().await {
            Ok(news) => Some(news),
            Err(RecvError::Lagged(_)) => Some(News::Look),
            Err(RecvError::Closed) => return Err(Error::unavailable("the hub is gone")),
        };
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
            news = match self.ear.try_next() {
                Ok(news) => Some(news),
                Err(TryRecvError::Lagged(_)) => Some(News::Look),
                Err(TryRecvError::Empty | TryRecvError::Closed) => None,
            };
        }
        self.position = position;
        let is_caught_up = !self.must_look && self.ear.is_silent();
        Ok(Batch { events, seq: position, is_caught_up, has_gap: false })
    }
}
