//! Telling of what was written, once it is committed: those who listen by marks, whoever mails and pushes by a job.

use super::store::Key;
use crate::db::Tx;
use crate::realtime::{Mark, Subject};

/// Rows of one transaction that are marked one by one. Of more, the client is told to look.
const MARKED: usize = 100;

/// These were read, or are not in the bell any more: each of those who have them hears of it.
pub(super) fn read(tx: &mut Tx, keys: &[Key]) {
    let is_one_by_one = keys.len() <= MARKED;
    for &(user_id, id) in keys {
        let subject = match is_one_by_one {
            true => Subject::Notification(id),
            false => Subject::Notifications,
        };
        tx.outbox().marks.push((user_id, Mark::Changed(subject)));
    }
    if !keys.is_empty() {
        deliver_later(tx, keys.to_vec());
    }
}

/// These came.
pub(super) fn rung(tx: &mut Tx, keys: Vec<Key>) {
    if !keys.is_empty() {
        deliver_later(tx, keys);
    }
}

/// The one place from which mails and pushes learn that something has come or has been read.
fn deliver_later(_tx: &mut Tx, _keys: Vec<Key>) {}
