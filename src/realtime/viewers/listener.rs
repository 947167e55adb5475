//! One who listens.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::{OwnedPermit, Sender};
use tokio::time::Instant;

use super::state::Heard;
use super::{Found, GATHERED, Marked, Moment, Position, Subject};
use crate::answer::Answer;
use crate::clock;
use crate::db::Xid;
use crate::log::BATCH;
use crate::subscription::Show;
use crate::viewer::Viewer;

pub(super) struct Listener {
    pub viewer: Viewer,
    show: Arc<Show>,
    answers: Sender<Answer>,
    /// From where the client asked to be told; `None` for nothing before now.
    asked: Option<Position>,
    /// Up to where all was found in the tables, or heard when they had to be looked at again; and in which database.
    known: Option<Moment>,
    marks: HashMap<Subject, Marked>,
    /// When what was told, as far as that makes a difference.
    told: HashMap<Subject, Instant>,
    has_gap: bool,
    /// The first delivery is owed, whatever it says.
    has_begun: bool,
}

/// Somebody to whom something is to be said.
pub struct Due {
    pub listener: u64,
    pub show: Arc<Show>,
    /// Where the answer goes.
    pub place: OwnedPermit<Answer>,
    pub batch: Batch,
}

/// What is to be said to somebody.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What may be different, since when, and whether they became a member there.
    pub changes: Vec<(Subject, clock::Instant, bool)>,
    /// The first transaction of it.
    since: Xid,
    /// Once it is said, all before this is.
    pub position: Position,
    pub is_caught_up: bool,
    pub has_gap: bool,
}

impl Batch {
    /// In answer to one who asks, and does not listen.
    pub fn answering(changes: Vec<(Subject, clock::Instant, bool)>, position: Position, is_caught_up: bool) -> Self {
        Self { changes, since: Xid::default(), position, is_caught_up, has_gap: false }
    }

    /// It cannot be resumed from where it was asked to: here it goes on.
    pub fn gap(position: Position) -> Self {
        Self { has_gap: true, ..Self::answering(Vec::new(), position, true) }
    }
}

impl Listener {
    pub fn new(viewer: Viewer, asked: Option<Position>, show: Arc<Show>, answers: Sender<Answer>) -> Self {
        Self {
            viewer,
            show,
            answers,
            asked,
            known: None,
            marks: HashMap::new(),
            told: HashMap::new(),
            has_gap: false,
            has_begun: false,
        }
    }

    /// When a change of this may be told.
    pub fn due(&self, subject: Subject, now: Instant) -> Instant {
        self.told.get(&subject).map_or(now, |told| now.max(*told + GATHERED))
    }

    pub fn put(&mut self, subject: Subject, marked: Marked) {
        // Its own end is said by the stream that ends with it.
        if subject == Subject::Session(self.viewer.session_id) {
            return;
        }
        let waits = self.marks.entry(subject).or_insert(marked);
        waits.since = waits.since.min(marked.since);
        waits.due = waits.due.min(marked.due);
        waits.at = waits.at.max(marked.at);
        waits.is_new |= marked.is_new;
    }

    /// From where the tables are to be looked at next; `None` for nothing before now.
    pub fn after(&self) -> Option<Position> {
        self.known.map(Position::at).or(self.asked)
    }

    /// Something may have been missed, of what comes after all that was heard.
    pub fn look_from(&mut self, heard: Heard) {
        self.known = self.known.map(|known| self.told(known, Some(heard)));
    }

    /// What the tables have.
    pub fn take_in(&mut self, after: Option<Position>, moment: Moment, found: Found, now: Instant) {
        self.known = Some(moment);
        let since = after.and_then(|after| after.resumes(moment));
        match found {
            Found::Gap => self.has_gap = true,
            Found::Rows(rows) => {
                for row in rows {
                    let is_new = row.joined.is_some() && row.joined >= since;
                    self.put(row.subject, Marked { since: row.changed, at: row.at, is_new, due: now });
                }
            }
        }
    }

    /// What is to be said now, if anything is known and there is room for it.
    pub fn take(&mut self, id: u64, now: Instant, heard: Option<Heard>) -> Option<Due> {
        let known = self.known?;
        let due = self.marks.iter().filter(|(_, marked)| marked.due <= now);
        let mut due: Vec<(Subject, Marked)> = due.map(|(subject, marked)| (*subject, *marked)).collect();
        if due.is_empty() && self.has_begun && !self.has_gap {
            return None;
        }
        let place = self.answers.clone().try_reserve_owned().ok()?;
        // In the order of their transactions, so that the position goes along.
        due.sort_by_key(|(subject, marked)| (marked.since, *subject));
        // What follows a gap is for those who have fetched everything anew.
        due.truncate(if self.has_gap { 0 } else { BATCH as usize });
        self.told.retain(|_, told| now - *told < GATHERED);
        for (subject, _) in &due {
            self.marks.remove(subject);
            self.told.insert(*subject, now);
        }
        self.has_begun = true;
        let since = due.first().map(|(_, marked)| marked.since).unwrap_or_default();
        let batch = Batch {
            changes: due.into_iter().map(|(subject, marked)| (subject, marked.at, marked.is_new)).collect(),
            since,
            position: Position::at(self.told(known, heard)),
            is_caught_up: self.marks.is_empty(),
            has_gap: std::mem::take(&mut self.has_gap),
        };
        Some(Due { listener: id, show: self.show.clone(), place, batch })
    }

    /// What could not be said is to be said later.
    pub fn put_back(&mut self, batch: &Batch, due: Instant) {
        self.has_begun = false;
        self.has_gap |= batch.has_gap;
        for &(subject, at, is_new) in &batch.changes {
            self.put(subject, Marked { since: batch.since, at, is_new, due });
        }
    }

    /// Up to where all has been told: as was heard, if nothing may have been missed, or else as the tables said.
    pub fn position(&self, heard: Option<Heard>) -> Option<Position> {
        match self.known {
            Some(known) => Some(Position::at(self.told(known, heard))),
            None => self.asked,
        }
    }

    fn told(&self, known: Moment, heard: Option<Heard>) -> Moment {
        let marked = self.marks.values().map(|marked| marked.since).min();
        let waiting = heard.and_then(|heard| heard.waiting);
        let all = heard.map_or(known.xmin, |heard| known.xmin.max(heard.horizon));
        let xmin = [waiting, marked].into_iter().flatten().fold(all, Xid::min);
        Moment { xmin, at: heard.map_or(known.at, |heard| known.at.max(heard.at)), ..known }
    }
}
