//! Who listens where, and what waits to be told to whom.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tokio::time::Instant;

use super::listener::Listener;
use super::{GATHERED, Mark, Marked, Subject, Wanted};
use crate::clock;
use crate::db::Xid;
use crate::id::UserId;

#[derive(Default)]
pub(super) struct State {
    /// Transactions before this one have all been heard of.
    pub(super) horizon: Xid,
    /// When the last of them was heard.
    pub(super) at: clock::Instant,
    pub(super) people: HashMap<UserId, Person>,
    pub(super) listeners: HashMap<u64, Listener>,
    rooms: HashMap<Subject, Room>,
    /// Rooms that were marked, and listeners with marks, by when they are to be told.
    due_rooms: BTreeSet<(Instant, Subject)>,
    pub(super) due: BTreeSet<(Instant, u64)>,
    /// Who has to be looked for in the tables, and whose conversations.
    pub(super) unlooked: BTreeMap<u64, Wanted>,
    pub(super) unseated: BTreeMap<UserId, Wanted>,
    /// The last occasion to look something up.
    wanted: Wanted,
}

/// Up to where notifications have told all, and since when some of it waits in rooms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) horizon: Xid,
    pub(super) at: clock::Instant,
    pub(super) waiting: Option<Xid>,
}

#[derive(Default)]
pub(super) struct Person {
    pub(super) listeners: Vec<u64>,
    pub(super) rooms: HashSet<Subject>,
    /// Where they came or went since it is being looked up where they are: what is found may be older.
    pub(super) moved: HashMap<Subject, bool>,
}

/// The members of a conversation or a group who listen here; for the server's own list, everybody. What happens in it is
/// marked once for all of them.
#[derive(Default)]
struct Room {
    people: HashSet<UserId>,
    told: Option<Instant>,
    marked: Option<Marked>,
}

impl State {
    pub(super) fn mark(&mut self, user_id: UserId, mark: Mark, marked: Marked) {
        match mark {
            Mark::Changed(_) => {}
            Mark::Joined(place) => place.with().for_each(|place| self.moved(user_id, place, true)),
            Mark::Left(place) => place.with().for_each(|place| self.moved(user_id, place, false)),
        }
        let Some(person) = self.people.get(&user_id) else { return };
        let marked = Marked { is_new: matches!(mark, Mark::Joined(_)), ..marked };
        for id in &person.listeners {
            let Some(listener) = self.listeners.get_mut(id) else { continue };
            let due = match mark {
                // It changes twice in its life, and mostly together with others: there is nothing to gather.
                Mark::Changed(Subject::Notification(_)) => marked.due,
                Mark::Changed(subject) => listener.due(subject, marked.due),
                // Who comes or goes sees it at once.
                Mark::Joined(_) | Mark::Left(_) => marked.due,
            };
            listener.put(mark.subject(), Marked { due, ..marked });
            self.due.insert((due, *id));
        }
    }

    /// Marks something for all who are there.
    pub(super) fn mark_room(&mut self, id: Subject, marked: Marked) {
        // Who of a conversation follows the thread is found out when it is told, by the statement that shows it.
        if let Subject::Thread(place, _) = id {
            let people = self.rooms.get(&Subject::Conversation(place)).map(|room| room.people.clone());
            return people.into_iter().flatten().for_each(|user_id| self.mark(user_id, Mark::Changed(id), marked));
        }

        if let Subject::Rung(place) = id {
            return self.look_in(Subject::Conversation(place));
        }
        // What waits already was marked by an earlier transaction.
        let Some(room) = self.rooms.get_mut(&id).filter(|room| room.marked.is_none()) else { return };
        let due = room.told.map_or(marked.due, |told| marked.due.max(told + GATHERED));
        room.marked = Some(Marked { due, ..marked });
        self.due_rooms.insert((due, id));
    }

    /// Marks for each what happened in their conversations, where it is to be told by now.
    pub(super) fn tell_rooms(&mut self, now: Instant) -> HashSet<u64> {
        let mut ready = HashSet::new();
        while let Some(&(due, id)) = self.due_rooms.first().filter(|(due, _)| *due <= now) {
            self.due_rooms.remove(&(due, id));
            let Some(room) = self.rooms.get_mut(&id) else { continue };
            let Some(marked) = room.marked.take() else { continue };
            room.told = Some(now);
            for listener in room.people.iter().filter_map(|user_id| self.people.get(user_id)).flat_map(|p| &p.listeners)
            {
                if let Some(listens) = self.listeners.get_mut(listener) {
                    listens.put(id, Marked { due: now, ..marked });
                    ready.insert(*listener);
                }
            }
        }
        ready
    }

    /// What was heard, for those of whom nothing may have been missed.
    pub(super) fn heard(&self) -> Heard {
        let waiting = self.due_rooms.iter().filter_map(|(_, id)| Some(self.rooms.get(id)?.marked?.since)).min();
        Heard { horizon: self.horizon, at: self.at, waiting }
    }

    /// A new occasion to look something up.
    pub(super) fn want(&mut self) -> Wanted {
        self.wanted.0 += 1;
        self.wanted
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        let (rooms, listeners) = (self.due_rooms.first(), self.due.first());
        rooms.map(|(due, _)| *due).into_iter().chain(listeners.map(|(due, _)| *due)).min()
    }

    /// Those who are there look at the tables: more was changed for them than can be said of each.
    fn look_in(&mut self, id: Subject) {
        let people = self.rooms.get(&id).into_iter().flat_map(|room| &room.people);
        let listeners = people.filter_map(|user_id| self.people.get(user_id)).flat_map(|person| &person.listeners);
        let listeners = listeners.copied().collect();
        self.look_for(listeners);
    }

    pub(super) fn look_everywhere(&mut self) {
        self.look_for(self.listeners.keys().copied().collect());
        let wanted = self.want();
        for (user_id, person) in &mut self.people {
            person.moved.clear();
            self.unseated.insert(*user_id, wanted);
        }
    }

    fn look_for(&mut self, listeners: Vec<u64>) {
        let (heard, wanted) = (self.heard(), self.want());
        for id in listeners {
            // Who is looked for already knows from where; what is being found for them may be older than this.
            if self.unlooked.insert(id, wanted).is_none()
                && let Some(listener) = self.listeners.get_mut(&id)
            {
                listener.look_from(heard);
            }
        }
    }

    pub(super) fn enter(&mut self, user_id: UserId, id: Subject) {
        if let Some(person) = self.people.get_mut(&user_id) {
            person.rooms.insert(id);
            self.rooms.entry(id).or_default().people.insert(user_id);
        }
    }

    pub(super) fn go(&mut self, user_id: UserId, id: Subject) {
        if let Some(person) = self.people.get_mut(&user_id) {
            person.rooms.remove(&id);
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.people.remove(&user_id);
        if room.people.is_empty() {
            if let Some(marked) = room.marked {
                self.due_rooms.remove(&(marked.due, id));
            }
            self.rooms.remove(&id);
        }
    }

    /// Somebody came or went, as was just heard.
    fn moved(&mut self, user_id: UserId, id: Subject, is_there: bool) {
        if self.unseated.contains_key(&user_id)
            && let Some(person) = self.people.get_mut(&user_id)
        {
            person.moved.insert(id, is_there);
        }
        if is_there { self.enter(user_id, id) } else { self.go(user_id, id) }
    }

    pub(super) fn leave(&mut self, id: u64) {
        let Some(listener) = self.listeners.remove(&id) else { return };
        self.unlooked.remove(&id);
        let user_id = listener.viewer.user_id;
        let Some(person) = self.people.get_mut(&user_id) else { return };
        person.listeners.retain(|listens| *listens != id);
        if person.listeners.is_empty() {
            let rooms = std::mem::take(&mut person.rooms);
            rooms.into_iter().for_each(|room| self.go(user_id, room));
            self.people.remove(&user_id);
            self.unseated.remove(&user_id);
        }
    }
}
