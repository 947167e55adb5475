//! One task that hears for many.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio_util::task::AbortOnDropHandle;

use super::{Shape, SourceEvent};
use crate::answer::Answer;
use crate::id::ConversationId;

/// What is kept for a member that is busy. One further behind catches up by itself.
const KEPT: usize = 64;
/// Of it, the bytes of what was shown, and the newest whatever its size. Answers may be large, and who never reads could
/// have that many kept in each of a thousand groups.
const KEPT_BYTES: usize = 1024 * 1024;

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

/// What the members of a group are told.
pub struct Told {
    pub event: SourceEvent,
    answer: Mutex<Option<Answer>>,
}

/// A task and those it works for; both end with the last of them.
struct Group {
    key: Key,
    groups: Groups,
    /// `None` once the task is over.
    wire: Arc<Mutex<Option<Wire>>>,
    _task: AbortOnDropHandle<()>,
}

/// Between the task of a group and its members.
struct Wire {
    members: broadcast::Sender<Arc<Told>>,
    /// Where the next event begins.
    position: i32,
    /// What may still wait for some of them.
    kept: VecDeque<Weak<Told>>,
}

/// Where the task of a group speaks. It is over when this is dropped.
pub struct Outlet(Arc<Mutex<Option<Wire>>>);

/// A membership; given up when dropped.
pub struct Tail {
    told: broadcast::Receiver<Arc<Told>>,
    /// What was looked at and left for later.
    next: Option<Result<Arc<Told>, Behind>>,
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
        let (members, told) = broadcast::channel(KEPT);
        let wire = Arc::new(Mutex::new(Some(Wire { members, position: from, kept: VecDeque::new() })));
        let task = AbortOnDropHandle::new(tokio::spawn(work(Outlet(wire.clone()))));
        let group = Arc::new(Group { key: key.clone(), groups: self.clone(), wire, _task: task });
        groups.insert(key, Arc::downgrade(&group));
        Tail { told, next: None, joined_at: from, _group: group }
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<Key, Weak<Group>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// `None` where the task is over.
    fn join(self: &Arc<Self>) -> Option<Tail> {
        let wire = lock(&self.wire);
        let Wire { members, position, .. } = wire.as_ref()?;
        Some(Tail { told: members.subscribe(), next: None, joined_at: *position, _group: self.clone() })
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

impl Told {
    pub fn new(event: SourceEvent, answer: Option<Answer>) -> Self {
        Self { event, answer: Mutex::new(answer) }
    }

    /// What all of them are shown of it; without it, or where it was too much to keep, each has to be shown it by
    /// themselves.
    pub fn answer(&self) -> Option<Answer> {
        self.kept_answer().clone()
    }

    fn kept_answer(&self) -> MutexGuard<'_, Option<Answer>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wire {
    /// Lets go of the oldest answers that are too much to keep.
    fn keep(&mut self, newest: &Arc<Told>) {
        self.kept.retain(|told| told.strong_count() > 0);
        let mut bytes = 0;
        let older = self.kept.iter().rev().filter_map(Weak::upgrade);
        for told in std::iter::once(newest.clone()).chain(older) {
            let mut answer = told.kept_answer();
            bytes += answer.as_ref().map_or(0, Answer::size);
            if bytes > KEPT_BYTES && !Arc::ptr_eq(&told, newest) {
                *answer = None;
            }
        }
        self.kept.push_back(Arc::downgrade(newest));
    }
}

impl Outlet {
    /// Tells all members what stands up to a position; it goes on from where the last one ended.
    pub fn send(&self, position: i32, told: Told) {
        if let Some(wire) = lock(&self.0).as_mut() {
            let told = Arc::new(told);
            // Nobody there any more is no error: the group is just going.
            let _ = wire.members.send(told.clone());
            wire.position = position;
            wire.keep(&told);
        }
    }

    /// Up to here nobody has to be told of anything.
    pub fn pass(&self, position: i32) {
        if let Some(wire) = lock(&self.0).as_mut() {
            wire.position = position;
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        *lock(&self.0) = None;
    }
}

impl Tail {
    /// From here on this member is told everything.
    pub fn joined_at(&self) -> i32 {
        self.joined_at
    }

    /// What comes next.
    pub async fn next(&mut self) -> Result<Arc<Told>, Behind> {
        match self.next.take() {
            Some(next) => next,
            None => self.told.recv().await.map_err(|_| Behind),
        }
    }

    /// Whether something waits.
    pub fn has_more(&mut self) -> bool {
        self.skip(|_| false)
    }

    /// Passes over what waits and is known already. Whether something else waits.
    pub fn skip(&mut self, is_known: impl Fn(&Told) -> bool) -> bool {
        loop {
            match &self.next {
                Some(Ok(told)) if is_known(told) => {}
                Some(_) => return true,
                None => {}
            }
            self.next = match self.told.try_recv() {
                Ok(told) => Some(Ok(told)),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => Some(Err(Behind)),
            };
            if self.next.is_none() {
                return false;
            }
        }
    }
}

fn lock(wire: &Mutex<Option<Wire>>) -> MutexGuard<'_, Option<Wire>> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

    use super::*;
    use crate::id::ConversationId;

    /// Joins a group whose task tells what it is given, and ends with the one who gives.
    fn join(groups: &Groups, from: i32) -> (Tail, UnboundedSender<(i32, usize)>) {
        let (gives, mut given): (_, UnboundedReceiver<(i32, usize)>) = unbounded_channel();
        let topic = Topic::Log(ConversationId(uuid::Uuid::nil()));
        let tail = groups.join(topic, None, from, |outlet| async move {
            while let Some((position, size)) = given.recv().await {
                let answer = Answer::Executed(vec![0; size].into());
                outlet.send(position, Told::new(Arc::new(position), Some(answer)));
            }
        });
        (tail, gives)
    }

    fn count(groups: &Groups) -> usize {
        groups.groups().len()
    }

    #[tokio::test]
    async fn who_comes_later_begins_where_the_group_stands() {
        let groups = Groups::default();
        let (mut first, task) = join(&groups, 7);
        assert_eq!(first.joined_at(), 7);
        task.send((9, 0)).unwrap();
        first.next().await.unwrap();
        let (second, _) = join(&groups, 3);
        assert_eq!((second.joined_at(), count(&groups)), (9, 1));
        drop(first);
        assert_eq!(count(&groups), 1);
        drop(second);
        assert_eq!(count(&groups), 0);
    }

    /// Its members are still there, and come again one by one.
    #[tokio::test]
    async fn a_group_whose_task_is_over_is_replaced() {
        let groups = Groups::default();
        let (mut stays, task) = join(&groups, 1);
        drop(task);
        stays.next().await.map(drop).unwrap_err();
        let (mut comes, task) = join(&groups, 2);
        assert_eq!(comes.joined_at(), 2);
        // What replaced it stays when it goes.
        drop(stays);
        assert_eq!(count(&groups), 1);
        task.send((3, 0)).unwrap();
        comes.next().await.unwrap();
    }

    #[tokio::test]
    async fn who_is_too_far_behind_is_told_so() {
        let groups = Groups::default();
        let (mut slow, task) = join(&groups, 0);
        let (mut quick, _) = join(&groups, 0);
        for position in 1..=KEPT as i32 + 1 {
            task.send((position, 0)).unwrap();
            quick.next().await.unwrap();
        }
        slow.next().await.map(drop).unwrap_err();
    }

    #[tokio::test]
    async fn large_answers_do_not_pile_up_for_who_does_not_read() {
        let groups = Groups::default();
        let (mut slow, task) = join(&groups, 0);
        let (mut quick, _) = join(&groups, 0);
        for position in 1..=4 {
            task.send((position, KEPT_BYTES / 2)).unwrap();
            assert!(quick.next().await.unwrap().answer().is_some());
        }
        let mut kept = Vec::new();
        while slow.has_more() {
            kept.push(slow.next().await.unwrap().answer().is_some());
        }
        assert_eq!(kept, [false, false, true, true]);
        // The newest is for those who keep up.
        task.send((5, 2 * KEPT_BYTES)).unwrap();
        assert!(slow.next().await.unwrap().answer().is_some());
    }
}
