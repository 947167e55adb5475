//! What passes in a conversation and is kept nowhere: who types, who has read how far.
//!
//! Signals are gathered for a moment and leave together, the latest of each kind and person alone: however many people
//! type, whoever listens gets ten deliveries a second at most. Who listens too slowly misses some; they pass anyway.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::clock::Instant;
use crate::id::{ConversationId, MemberId, MessageId, UserId};

/// How long signals are gathered.
const GATHERED: Duration = Duration::from_millis(100);
/// Signals of one delivery; what is more follows in the next.
const DELIVERED: usize = 100;
/// How much longer a repeated signal has to be shown to be worth a delivery: some clients say with every key that their
/// user types.
const REPEATS: TimeDelta = TimeDelta::seconds(2);
/// Deliveries kept for a listener that is busy.
const KEPT: usize = 16;

/// Something that passed.
#[derive(Clone, Debug)]
pub struct Signal {
    pub user_id: UserId,
    pub at: Instant,
    pub passing: Passing,
    /// Who stands in a block with them, either way: they are not told. Looked up once for all listeners.
    pub hidden_from: Arc<HashSet<UserId>>,
}

/// What it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// They type, until then unless they say so again; `None` when they are done.
    Typing { thread_root: Option<MessageId>, until: Option<Instant> },
    /// They have read further.
    Reading { member_id: MemberId },
}

/// Of two signals with the same one, the later counts: of somebody's typing in one place, or of their reading.
type Key = (UserId, Option<Option<MessageId>>);

/// The topics of conversations that somebody listens to. A clone is the same.
#[derive(Clone, Default)]
pub struct Signals(Arc<Mutex<HashMap<ConversationId, Topic>>>);

struct Topic {
    listeners: broadcast::Sender<Arc<[Signal]>>,
    /// What waits to leave; while something does, a task is about to send it.
    gathered: HashMap<Key, Signal>,
    /// Who is shown typing, until when.
    typing: HashMap<Key, Instant>,
}

/// A place at a topic; gives it up when dropped.
pub struct Listening {
    /// `None` only while it is dropped.
    deliveries: Option<broadcast::Receiver<Arc<[Signal]>>>,
    conversation_id: ConversationId,
    signals: Signals,
}

impl Signal {
    fn key(&self) -> Key {
        match self.passing {
            Passing::Typing { thread_root, .. } => (self.user_id, Some(thread_root)),
            Passing::Reading { .. } => (self.user_id, None),
        }
    }

    /// Whether this one is told: nobody hears of themselves, or of whom they stand in a block with.
    pub fn is_for(&self, user_id: UserId) -> bool {
        self.user_id != user_id && !self.hidden_from.contains(&user_id)
    }
}

impl Signals {
    /// Whether anybody would hear a signal.
    pub fn is_heard(&self, id: ConversationId) -> bool {
        self.topics().contains_key(&id)
    }

    /// Lets something pass, unless that is what is shown already. Answers with what is shown then.
    pub fn send(&self, id: ConversationId, signal: Signal) -> Passing {
        let mut topics = self.topics();
        let Some(topic) = topics.get_mut(&id) else { return signal.passing };
        if let Some(shown) = topic.shows(&signal) {
            return shown;
        }
        let (is_first, passing) = (topic.gathered.is_empty(), signal.passing);
        topic.gathered.insert(signal.key(), signal);
        if is_first {
            let signals = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(GATHERED).await;
                signals.deliver(id);
            });
        }
        passing
    }

    pub fn listen(&self, conversation_id: ConversationId) -> Listening {
        let mut topics = self.topics();
        let topic = topics.entry(conversation_id).or_insert_with(|| Topic {
            listeners: broadcast::Sender::new(KEPT),
            gathered: HashMap::new(),
            typing: HashMap::new(),
        });
        Listening { deliveries: Some(topic.listeners.subscribe()), conversation_id, signals: self.clone() }
    }

    fn deliver(&self, id: ConversationId) {
        let mut topics = self.topics();
        let Some(topic) = topics.get_mut(&id) else { return };
        let mut gathered: Vec<Signal> = topic.gathered.drain().map(|(_, signal)| signal).collect();
        gathered.sort_by_key(|signal| signal.at);
        for part in gathered.chunks(DELIVERED) {
            // Nobody there any more is no error: the topic goes with its last listener.
            let _ = topic.listeners.send(part.into());
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<ConversationId, Topic>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Topic {
    /// What is shown of somebody's typing, where a signal would hardly change it; otherwise it is shown from now on.
    fn shows(&mut self, signal: &Signal) -> Option<Passing> {
        let Passing::Typing { thread_root, until } = signal.passing else { return None };
        let shown = self.typing.get(&signal.key()).copied().filter(|until| signal.at < *until);
        let is_the_same = match (shown, until) {
            (None, None) => true,
            // Nor much less: the clock was set back, and those who listen have seen it fade.
            (Some(shown), Some(until)) => (until - shown).abs() < REPEATS,
            _ => false,
        };
        if is_the_same {
            return Some(Passing::Typing { thread_root, until: shown });
        }
        match until {
            Some(until) => self.typing.insert(signal.key(), until),
            None => self.typing.remove(&signal.key()),
        };
        // Each time the map has doubled, those that have faded are dropped.
        if self.typing.len().is_power_of_two() {
            self.typing.retain(|_, until| signal.at < *until);
        }
        None
    }
}

impl Listening {
    /// What passed, for everybody here; `None` when nothing will any more.
    pub async fn next(&mut self) -> Option<Arc<[Signal]>> {
        let deliveries = self.deliveries.as_mut()?;
        loop {
            match deliveries.recv().await {
                Ok(signals) => return Some(signals),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Under the lock, so that of two who go at once the second one sees that it is the last.
        let mut topics = self.signals.topics();
        self.deliveries = None;
        if topics.get(&self.conversation_id).is_some_and(|topic| topic.listeners.receiver_count() == 0) {
            topics.remove(&self.conversation_id);
        }
    }
}
