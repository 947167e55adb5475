//! Telling of what was written, once it is committed: those who listen by marks, whoever mails and pushes by a job.

use serde::{Deserialize, Serialize};

use super::store::Key;
use crate::app::App;
use crate::db::Tx;
use crate::jobs::{Failure, Job};
use crate::realtime::{Mark, Subject};

/// Rows of one transaction that are marked one by one. Of more, the client is told to look.
const MARKED: usize = 100;
/// Rows of one job at most.
const OF_ONE_JOB: usize = 1_000;

/// Notifications that came, and others that were read or are not in the bell any more, by one transaction. Once for all
/// of them, however many people they are of.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Deliver {
    /// Those of people who want no mails and no pushes are left out.
    #[serde(default)]
    pub came: Vec<Key>,
    #[serde(default)]
    pub gone: Vec<Key>,
}

impl Job for Deliver {
    const KIND: &'static str = "notifications.deliver";

    /// What reaches people outside begins here. By now it may have been read, or be out of their sight: `render` says what
    /// there still is to say, and `recipients` to whom.
    async fn run(self, _app: &App) -> Result<(), Failure> {
        Ok(())
    }
}

/// These were read, or are not in the bell any more: each of those who have them hears of it.
pub(super) fn gone(tx: &mut Tx, keys: Vec<Key>) {
    mark_gone(tx, &keys);
    deliver_later(tx, Vec::new(), keys);
}

pub(super) fn mark_gone(tx: &mut Tx, keys: &[Key]) {
    let is_one_by_one = keys.len() <= MARKED;
    for &(user_id, id) in keys {
        let subject = match is_one_by_one {
            true => Subject::Notification(id),
            false => Subject::Notifications,
        };
        tx.outbox().marks.push((user_id, Mark::Changed(subject)));
    }
}

/// The one place from which mails and pushes learn that something came or has gone.
pub(super) fn deliver_later(tx: &mut Tx, mut came: Vec<Key>, mut gone: Vec<Key>) {
    while !came.is_empty() || !gone.is_empty() {
        let rest = came.split_off(came.len().min(OF_ONE_JOB));
        let room = OF_ONE_JOB - came.len();
        let still_gone = gone.split_off(gone.len().min(room));
        tx.enqueue(Deliver { came, gone });
        (came, gone) = (rest, still_gone);
    }
}
