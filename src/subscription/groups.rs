//! One task that hears for many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio_util::task::AbortOnDropHandle;

use super::{Shape, SourceEvent};
use crate::answer::Answer;
use crate::id::ConversationId;

/// What is kept for a member that is busy. One further behind catches up by itself.
const KEPT: usize = 64;

/// What a group hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// All of a conversation's log.
    Log(ConversationId),
    /// What of it may end somebody's sight.
    Ends(ConversationId),
    /// What passes in a conversation.
    Signals(ConversationId),
}

/// Of a topic, what is shown in the same words; or the bare events, for those who are shown them each by themselves.
type Key = (Topic, Option<Shape>);

/// The groups of this server. A clone is the same.
#[derive(Clone, Default)]
pub struct Groups(Arc<Mutex<HashMap<Key, Weak<Group>>>>);

/// What the members of a group hear.
pub struct Heard {
    pub event: SourceEvent,
    /// What all of them are shown of it; without it each has to be shown it by themselves.
    pub answer: Option<Answer>,
}

/// A task and those it works for; both end with the last of them.
struct Group {
    key: Key,
    groups: Groups,
    live: Arc<Mutex<Option<Live>>>,
    _task: AbortOnDropHandle<()>,
}

struct Live {
    members: broadcast::Sender<Arc<Heard>>,
    /// Where the next event begins.
    position: i32,
}

/// Where the task of a group speaks. It is over when this is dropped.
pub struct Outlet(Arc<Mutex<Option<Live>>>);

/// A membership; given up when dropped.
pub struct Tail {
    heard: broadcast::Receiver<Arc<Heard>>,
    /// What was looked at and left for later.
    next: Option<Result<Arc<Heard>, Behind>>,
    joined_at: i32,
    _group: Arc<Group>,
}

/// A member did not keep up, or the task is over: catch up and join again.
#[derive(Clone, Copy, Debug)]
pub struct Behind;

impl Groups {
    /// Joins those who hear of a topic in this shape. If there is nobody yet, `work` begins for all who will, at position
    /// `from`.
    pub fn join<W>(&self, topic: Topic, shape: Option<Shape>, from: i32, work: impl FnOnce(Outlet) -> W) -> Tail
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let key = (topic, shape);
        // Given back after the lock: the last of a group takes it when it goes.
        let known: Option<Arc<Group>>;
        let mut groups = self.groups();
        known = groups.get(&key).and_then(Weak::upgrade);
        if let Some(tail) = known.as_ref().and_then(Group::join) {
            return tail;
        }
        let (members, heard) = broadcast::channel(KEPT);
        let live = Arc::new(Mutex::new(Some(Live { members, position: from })));
        let task = AbortOnDropHandle::new(tokio::spawn(work(Outlet(live.clone()))));
        let group = Arc::new(Group { key: key.clone(), groups: self.clone(), live, _task: task });
        groups.insert(key, Arc::downgrade(&group));
        Tail { heard, next: None, joined_at: from, _group: group }
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<Key, Weak<Group>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// `None` where the task is over.
    fn join(self: &Arc<Self>) -> Option<Tail> {
        let live = lock(&self.live);
        let Live { members, position } = live.as_ref()?;
        Some(Tail { heard: members.subscribe(), next: None, joined_at: *position, _group: self.clone() })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = self.groups.groups();
        // Another may have taken its place.
        if groups.get(&self.key).is_some_and(|group| group.strong_count() == 0) {
            groups.remove(&self.key);
        }
    }
}

impl Outlet {
    /// Lets all members hear what stands up to a position; it goes on from where the last one ended.
    pub fn send(&self, position: i32, heard: Heard) {
        if let Some(live) = lock(&self.0).as_mut() {
            // Nobody there any more is no error: the group is just going.
            let _ = live.members.send(Arc::new(heard));
            live.position = position;
        }
    }

    /// Up to here nobody has to hear anything.
    pub fn pass(&self, position: i32) {
        if let Some(live) = lock(&self.0).as_mut() {
            live.position = position;
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        *lock(&self.0) = None;
    }
}

impl Tail {
    /// From here on this member hears everything.
    pub fn joined_at(&self) -> i32 {
        self.joined_at
    }

    /// What comes next.
    pub async fn next(&mut self) -> Result<Arc<Heard>, Behind> {
        match self.next.take() {
            Some(next) => next,
            None => self.heard.recv().await.map_err(|_| Behind),
        }
    }

    /// Passes over what waits and is known already. Whether something else waits.
    pub fn skip(&mut self, is_known: impl Fn(&Heard) -> bool) -> bool {
        loop {
            match &self.next {
                Some(Ok(heard)) if is_known(heard) => {}
                Some(_) => return true,
                None => {}
            }
            self.next = match self.heard.try_recv() {
                Ok(heard) => Some(Ok(heard)),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => Some(Err(Behind)),
            };
            if self.next.is_none() {
                return false;
            }
        }
    }
}

fn lock(live: &Mutex<Option<Live>>) -> MutexGuard<'_, Option<Live>> {
    live.lock().unwrap_or_else(PoisonError::into_inner)
}
