//! Who listens to what concerns them on this server, and what they are still to be told.
//!
//! Marks, not events: a mark says that something of somebody may be different now, and what it is like is looked up when
//! they are told. So several marks of one subject are one, what waits for a client that does not read is bounded by what
//! there is, and steps in between may be skipped.
//!
//! Marks come from the notifications of transactions alone, this server's own too, in the order of their commits. Each
//! carries a number before which all transactions were over: their notifications had been sent, so have been heard here.
//! Up to that number, or up to what still waits, a delivery may say that all was told. What may have been missed, as while
//! the listening connection is down, is looked for in the tables: until that is done, a delivery says that all was told up to
//! where it had been before, or up to the last look. However often something may have been missed, each look gets further.

mod cursor;
mod listener;
mod state;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

pub use cursor::{Moment, Position, RESUMABLE};
use listener::Listener;
pub use listener::{Batch, Due};
use state::State;

use crate::answer::Answer;
use crate::clock;
use crate::db::Xid;
use crate::id::{ConversationId, GroupId, NotificationId, SessionId, UserId};
use crate::subscription::Show;
use crate::viewer::Viewer;

/// For so long changes of one subject are gathered, once it has been told of.
const GATHERED: Duration = Duration::from_secs(1);
/// Before one is served again whom the database could not be asked for.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Rows that one stream replays before it reports a gap instead.
pub const REPLAYED: usize = 1_000;

/// What may be different for somebody. It is named here; what it is like now, `viewer_events` looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// Their account, profile or preferences.
    Viewer,
    /// A session of theirs, which has ended.
    Session(SessionId),
    /// A conversation that they are, or were, a member of.
    Conversation(ConversationId),
    /// A group, in the same way.
    Group(GroupId),
    /// The channels and categories of a group, or of the server.
    ChannelList(Option<GroupId>),
    /// A thread, by the position of the message it is under.
    Thread(ConversationId, i32),
    /// A notification of theirs: it came, was read, or is not in the bell any more.
    Notification(NotificationId),
    /// More notifications of theirs than are worth telling one by one.
    Notifications,
    /// So many members of a conversation were told of something that each looks at the tables. Nobody is told of this itself.
    Rung(ConversationId),
}

impl Subject {
    /// What else those hear of who are there.
    fn with(self) -> impl Iterator<Item = Self> {
        let list = match self {
            Self::Group(id) => Some(Self::ChannelList(Some(id))),
            _ => None,
        };
        [self].into_iter().chain(list)
    }
}

/// That something may be different for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mark {
    /// Whatever it is.
    Changed(Subject),
    /// They became a member of it.
    Joined(Subject),
    /// They are one no longer.
    Left(Subject),
}

/// A row of somebody's that was changed, as the tables have it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub subject: Subject,
    pub changed: Xid,
    pub at: clock::Instant,
    /// Of a conversation: since when they are a member, or were.
    pub joined: Option<Xid>,
}

/// What a notification tells.
pub struct News {
    /// All transactions before this one were over when it was sent.
    pub since: Xid,
    pub at: clock::Instant,
    /// What is different for all who are there.
    pub changed: Vec<Subject>,
    pub marks: Vec<(Mark, Vec<UserId>)>,
}

/// Somebody of whom it has to be looked up what was changed.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    listener: u64,
    pub user_id: UserId,
    /// Since when; `None` for nothing before now.
    pub after: Option<Position>,
    /// What it is done for.
    wanted: Wanted,
    /// Whether it is known where they are members, so that what comes after this is heard.
    is_seated: bool,
}

/// Of whom it has to be looked up where they are members.
#[derive(Clone, Debug)]
pub struct Seating {
    pub people: Vec<UserId>,
    /// What each of them is looked up for.
    wanted: Vec<Wanted>,
}

/// Names an occasion to look something up. What is found answers it, and none that came since: what that is about may be
/// newer than what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wanted(u64);

/// What a look found.
pub enum Found {
    Rows(Vec<Row>),
    /// It cannot be resumed from there.
    Gap,
}

/// Everybody who listens. A clone is the same.
#[derive(Clone, Default)]
pub struct Viewers(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Rung when somebody may have to be told something, or sooner than before.
    bell: Notify,
}

/// Since when something waits to be told.
#[derive(Clone, Copy, Debug)]
struct Marked {
    /// Its transaction is this one or a later one.
    since: Xid,
    at: clock::Instant,
    /// Whether they became a member.
    is_new: bool,
    due: Instant,
}

/// A place among those who listen; given up when dropped.
pub struct Listening {
    id: u64,
    viewers: Viewers,
    answers: mpsc::Receiver<Answer>,
}

impl Mark {
    fn subject(self) -> Subject {
        match self {
            Self::Changed(subject) | Self::Joined(subject) | Self::Left(subject) => subject,
        }
    }
}

impl Viewers {
    /// Listens from now on. What is to be told is looked up, and shown, by whoever asks for `take`.
    pub fn listen(&self, viewer: Viewer, after: Option<Position>, show: Arc<Show>) -> Listening {
        // One delivery at a time: what comes meanwhile waits as marks.
        let (sender, answers) = mpsc::channel(1);
        let mut state = self.state();
        let wanted = state.want();
        let Wanted(id) = wanted;
        if !state.people.contains_key(&viewer.user_id) {
            state.unseated.insert(viewer.user_id, wanted);
        }
        state.people.entry(viewer.user_id).or_default().listeners.push(id);
        state.listeners.insert(id, Listener::new(viewer, after, show, sender));
        state.unlooked.insert(id, wanted);
        drop(state);
        self.0.bell.notify_one();
        Listening { id, viewers: self.clone(), answers }
    }

    /// Marks what a notification tells of.
    pub fn hear(&self, news: News) {
        let (now, mut state) = (Instant::now(), self.state());
        state.horizon = state.horizon.max(news.since);
        state.at = state.at.max(news.at);
        let marked = Marked { since: news.since, at: news.at, is_new: false, due: now };
        // First who comes and goes: what else the transaction did is for those who are members now.
        for (mark, people) in news.marks {
            people.into_iter().for_each(|user_id| state.mark(user_id, mark, marked));
        }
        news.changed.into_iter().for_each(|subject| state.mark_room(subject, marked));
        drop(state);
        self.0.bell.notify_one();
    }

    /// Something may have been missed: nobody is told that they know all before the tables were looked at.
    pub fn look_everywhere(&self) {
        self.state().look_everywhere();
        self.0.bell.notify_one();
    }

    /// Those of whom it is not known yet where they are members.
    pub fn unseated(&self) -> Seating {
        let (people, wanted) = self.state().unseated.iter().map(|(id, wanted)| (*id, *wanted)).unzip();
        Seating { people, wanted }
    }

    /// Where they are members, or were when it was looked up.
    pub fn seat(&self, seating: Seating, seats: impl IntoIterator<Item = (UserId, Subject)>) {
        let mut state = self.state();
        let mut found: HashMap<UserId, HashSet<Subject>> = HashMap::new();
        for (user_id, place) in seats {
            found.entry(user_id).or_default().extend(place.with());
        }
        for (user_id, wanted) in seating.people.into_iter().zip(seating.wanted) {
            if state.unseated.get(&user_id) != Some(&wanted) {
                continue;
            }
            state.unseated.remove(&user_id);
            let Some(person) = state.people.get_mut(&user_id) else { continue };
            let mut rooms = found.remove(&user_id).unwrap_or_default();
            rooms.insert(Subject::ChannelList(None));
            for (id, is_there) in std::mem::take(&mut person.moved) {
                if is_there {
                    rooms.insert(id)
                } else {
                    rooms.remove(&id)
                };
            }
            let gone: Vec<_> = person.rooms.difference(&rooms).copied().collect();
            gone.into_iter().for_each(|id| state.go(user_id, id));
            rooms.into_iter().for_each(|id| state.enter(user_id, id));
        }
    }

    /// Who has to be looked for in the tables.
    pub fn looks(&self) -> Vec<Look> {
        let state = self.state();
        let looks = state.unlooked.iter().filter_map(|(id, wanted)| {
            let listener = state.listeners.get(id)?;
            let user_id = listener.viewer.user_id;
            let is_seated = !state.unseated.contains_key(&user_id);
            Some(Look { listener: *id, user_id, after: listener.after(), wanted: *wanted, is_seated })
        });
        looks.collect()
    }

    /// What was found for somebody, in tables that are at least as new as this moment. It is all up to there; what came since
    /// is heard by those of whom it was known where they are, unless there has been another occasion to look.
    pub fn looked(&self, look: Look, moment: Moment, found: Found) {
        let (now, mut state) = (Instant::now(), self.state());
        let Some(listener) = state.listeners.get_mut(&look.listener) else { return };
        listener.take_in(look.after, moment, found, now);
        if look.is_seated && state.unlooked.get(&look.listener) == Some(&look.wanted) {
            state.unlooked.remove(&look.listener);
        }
        state.due.insert((now, look.listener));
    }

    /// Those to whom something is to be said now, each with what it is about.
    pub fn take(&self) -> Vec<Due> {
        let (now, mut state) = (Instant::now(), self.state());
        let mut ready = state.tell_rooms(now);
        while let Some(&(due, id)) = state.due.first().filter(|(due, _)| *due <= now) {
            state.due.remove(&(due, id));
            ready.insert(id);
        }
        let heard = state.heard();
        let State { listeners, unlooked, .. } = &mut *state;
        let take = |id| {
            let heard = (!unlooked.contains_key(&id)).then_some(heard);
            listeners.get_mut(&id)?.take(id, now, heard)
        };
        ready.into_iter().filter_map(take).collect()
    }

    /// What could not be looked up waits again.
    pub fn put_back(&self, id: u64, batch: &Batch) {
        let (due, mut state) = (Instant::now() + TRY_AGAIN, self.state());
        let Some(listener) = state.listeners.get_mut(&id) else { return };
        listener.put_back(batch, due);
        state.due.insert((due, id));
        drop(state);
        self.0.bell.notify_one();
    }

    /// Waits until there is something to look for, or to be told.
    pub async fn until_due(&self) {
        loop {
            // Before the look, so that what comes after it is not missed.
            let rung = self.0.bell.notified();
            let next = {
                let state = self.state();
                if !state.unlooked.is_empty() || !state.unseated.is_empty() {
                    return;
                }
                state.next_due()
            };
            match next {
                Some(due) => tokio::select! {
                    () = tokio::time::sleep_until(due) => return,
                    () = rung => {}
                },
                None => rung.await,
            }
        }
    }

    fn ready(&self, id: u64) {
        self.state().due.insert((Instant::now(), id));
        self.0.bell.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    /// What this one is shown next. May be dropped while it waits.
    pub async fn next(&mut self) -> Option<Answer> {
        let answer = self.answers.recv().await;
        // There is room for the next one.
        self.viewers.ready(self.id);
        answer
    }

    /// Up to where all has been told; `None` before the first delivery.
    pub fn position(&self) -> Option<Position> {
        let state = self.viewers.state();
        let heard = (!state.unlooked.contains_key(&self.id)).then(|| state.heard());
        state.listeners.get(&self.id)?.position(heard)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.viewers.state().leave(self.id);
    }
}
