//! Who is here: counted by open sockets, told to those who look.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_graphql::Enum;
use chrono::TimeDelta;
use tokio::sync::Notify;

use super::EndedSessions;
use crate::clock::{Clock, Instant};
use crate::id::{SessionId, UserId};
use crate::viewer::Viewer;

/// How long somebody is still here after their last socket closed: a reload is no absence.
const LINGERS: TimeDelta = TimeDelta::seconds(30);
/// How long changes are gathered for one who looks: thousands who come at once are one delivery.
const GATHERED: Duration = Duration::from_millis(500);

/// How present a user is. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PresenceStatus {
    /// Here.
    #[default]
    Online,
    /// Connected, idle for a while.
    Away,
    /// Here, not to be disturbed: no notifications.
    Busy,
    /// Not connected, or not showing it.
    Offline,
}

/// Everybody who is connected to this server, and everybody who looks. A clone is the same.
#[derive(Clone)]
pub struct Presences {
    clock: Clock,
    ended_sessions: EndedSessions,
    state: Arc<Mutex<State>>,
    /// Rung when somebody's last socket has closed.
    left: Arc<Notify>,
}

#[derive(Default)]
struct State {
    people: HashMap<UserId, Person>,
    /// Who looks at whom.
    watched: HashMap<UserId, HashMap<u64, Arc<Changes>>>,
    watches: u64,
}

#[derive(Default)]
struct Person {
    /// Open sockets of each session.
    sockets: HashMap<SessionId, usize>,
    /// How present they say they are.
    chosen: PresenceStatus,
    /// `None` while a socket is open.
    left: Option<Leaving>,
}

/// Somebody's last socket has closed.
#[derive(Clone, Copy)]
struct Leaving {
    since: Instant,
    /// From then on they are gone.
    until: Instant,
}

/// Somebody who went away.
#[derive(Clone, Copy, Debug)]
pub struct Departed {
    pub user_id: UserId,
    /// When they were last here; `None` for those who did not show it.
    pub last_seen_at: Option<Instant>,
}

/// An open socket of somebody; they are here for as long as one is held.
pub struct Attendance {
    presences: Presences,
    viewer: Viewer,
}

/// A look at some people; ends when dropped.
pub struct Watch {
    presences: Presences,
    id: u64,
    /// Who looks.
    viewer: UserId,
    users: Vec<UserId>,
    changes: Arc<Changes>,
}

#[derive(Default)]
struct Changes {
    of: Mutex<HashSet<UserId>>,
    bell: Notify,
}

impl Presences {
    pub fn new(clock: Clock, ended_sessions: EndedSessions) -> Self {
        Self { clock, ended_sessions, state: Arc::default(), left: Arc::default() }
    }

    /// Counts a socket.
    pub fn attend(&self, viewer: Viewer) -> Attendance {
        let mut state = self.state();
        let before = state.status(viewer.user_id);
        let person = state.people.entry(viewer.user_id).or_default();
        *person.sockets.entry(viewer.session_id).or_default() += 1;
        person.left = None;
        state.tell_if_changed(viewer.user_id, before);
        Attendance { presences: self.clone(), viewer }
    }

    /// Says how present somebody wants to look. `false` where they have no open socket, which would hold it.
    pub fn choose(&self, user_id: UserId, status: PresenceStatus) -> bool {
        let mut state = self.state();
        let before = state.status(user_id);
        let Some(person) = state.people.get_mut(&user_id) else { return false };
        person.chosen = status;
        state.tell_if_changed(user_id, before);
        true
    }

    /// How present they are, before it is asked who wants to know.
    pub fn status(&self, user_id: UserId) -> PresenceStatus {
        self.state().status(user_id)
    }

    /// Everybody who is here and shows it.
    pub fn present(&self) -> Vec<(UserId, PresenceStatus)> {
        let state = self.state();
        let all = state.people.iter().map(|(id, person)| (*id, person.chosen));
        all.filter(|(_, status)| *status != PresenceStatus::Offline).collect()
    }

    /// Has those who look at these people look again, and these people at everybody they look at: what one sees of
    /// others may have changed too.
    pub fn tell_of(&self, users: impl IntoIterator<Item = UserId>) {
        let state = self.state();
        users.into_iter().for_each(|user| state.tell(user));
    }

    /// Looks at some people from now on.
    pub fn watch(&self, viewer: UserId, users: Vec<UserId>) -> Watch {
        let mut state = self.state();
        state.watches += 1;
        let (id, changes) = (state.watches, Arc::<Changes>::default());
        for user in users.iter().chain([&viewer]) {
            state.watched.entry(*user).or_default().insert(id, changes.clone());
        }
        Watch { presences: self.clone(), id, viewer, users, changes }
    }

    /// Waits until somebody has to go.
    pub async fn departure(&self) {
        loop {
            // Before the look, so that who leaves after it is not missed.
            let left = self.left.notified();
            let now = self.clock.now();
            let next = {
                let state = self.state();
                let leaving = state.people.values().filter_map(|person| person.left);
                leaving.min_by_key(|leaving| (!leaving.is_over(now), leaving.until))
            };
            match next {
                Some(next) if next.is_over(now) => return,
                Some(Leaving { until: gone, .. }) => tokio::select! {
                    () = self.clock.reach(gone) => {}
                    () = left => {}
                },
                None => left.await,
            }
        }
    }

    /// Everybody who is here and shows it, with when they were last here: now, or when their last socket closed.
    pub fn seen(&self) -> Vec<(UserId, Instant)> {
        let now = self.clock.now();
        let state = self.state();
        let shown = state.people.iter().filter(|(_, person)| person.chosen != PresenceStatus::Offline);
        shown.map(|(id, person)| (*id, person.left.map_or(now, |leaving| leaving.since))).collect()
    }

    /// Those who have to go by now; they stay until `take_leave`, so that what is kept of them can be written first.
    pub fn departing(&self) -> Vec<Departed> {
        let now = self.clock.now();
        let state = self.state();
        let gone = state.people.iter().filter_map(|(id, person)| Some((*id, person, person.left?)));
        gone.filter(|(_, _, leaving)| leaving.is_over(now))
            .map(|(user_id, person, leaving)| Departed {
                user_id,
                last_seen_at: Some(leaving.since).filter(|_| person.chosen != PresenceStatus::Offline),
            })
            .collect()
    }

    /// Lets them go, but for those who have come back meanwhile.
    pub fn take_leave(&self, departed: &[Departed]) {
        let now = self.clock.now();
        let mut state = self.state();
        for Departed { user_id, .. } in departed {
            if state.people.get(user_id).and_then(|person| person.left).is_some_and(|leaving| leaving.is_over(now)) {
                state.people.remove(user_id);
                state.tell(*user_id);
            }
        }
    }

    fn leave(&self, viewer: Viewer) {
        let now = self.clock.now();
        // Who signs out goes at once: that is no reload.
        let lingers = match self.ended_sessions.contains(viewer.session_id) {
            true => TimeDelta::zero(),
            false => LINGERS,
        };
        let mut state = self.state();
        let Some(person) = state.people.get_mut(&viewer.user_id) else { return };
        if let Some(sockets) = person.sockets.get_mut(&viewer.session_id) {
            *sockets -= 1;
            if *sockets == 0 {
                person.sockets.remove(&viewer.session_id);
            }
        }
        if person.sockets.is_empty() {
            person.left = Some(Leaving { since: now, until: now + lingers });
            self.left.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn status(&self, user_id: UserId) -> PresenceStatus {
        self.people.get(&user_id).map_or(PresenceStatus::Offline, |person| person.chosen)
    }

    fn tell_if_changed(&self, user_id: UserId, before: PresenceStatus) {
        if self.status(user_id) != before {
            self.tell(user_id);
        }
    }

    fn tell(&self, user_id: UserId) {
        for changes in self.watched.get(&user_id).into_iter().flat_map(HashMap::values) {
            changes.of().insert(user_id);
            changes.bell.notify_one();
        }
    }
}

impl Leaving {
    /// Whether they are gone; so is who left later than it is: the clock was set back, by nobody knows how much.
    fn is_over(&self, now: Instant) -> bool {
        self.until <= now || now < self.since
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.presences.leave(self.viewer);
    }
}

impl Watch {
    pub fn users(&self) -> &[UserId] {
        &self.users
    }

    /// Waits for changes, gathers what comes with them, and says whom to look at again: everybody where it is the one who
    /// looks that has changed. May be dropped while it waits: nothing is taken before it is answered.
    pub async fn changes(&self) -> Vec<UserId> {
        while self.changes.of().is_empty() {
            self.changes.bell.notified().await;
        }
        tokio::time::sleep(GATHERED).await;
        let changed = std::mem::take(&mut *self.changes.of());
        match changed.contains(&self.viewer) {
            true => self.users.clone(),
            false => changed.into_iter().collect(),
        }
    }
}

impl Changes {
    fn of(&self) -> MutexGuard<'_, HashSet<UserId>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.presences.state();
        for user in self.users.iter().chain([&self.viewer]) {
            if let Some(watches) = state.watched.get_mut(user) {
                watches.remove(&self.id);
                if watches.is_empty() {
                    state.watched.remove(user);
                }
            }
        }
    }
}
