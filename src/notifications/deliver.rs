//! Telling of what was written, once it is committed: those who listen by marks, devices by a job. Mails need none: who is
//! due one is looked for from time to time (`digests`).

use std::collections::BTreeSet;

use super::push;
use super::store::Key;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;
use crate::realtime::{Mark, Subject};

/// Rows of one transaction that are marked one by one. Of more, the client is told to look.
const MARKED: usize = 100;

/// What was read, or is not in the bell any more.
pub struct Gone {
    keys: Vec<Key>,
    /// Whose devices may show it.
    devices_of: Vec<UserId>,
}

impl Gone {
    pub(super) async fn of(tx: &Tx, keys: Vec<Key>) -> Result<Self> {
        let people: BTreeSet<UserId> = keys.iter().map(|(user_id, _)| *user_id).collect();
        let devices_of = push::with_devices(tx, people).await?;
        Ok(Self { keys, devices_of })
    }

    /// Each of those who had it hears of it.
    pub(super) fn tell(self, tx: &mut Tx) {
        let is_one_by_one = self.keys.len() <= MARKED;
        for (user_id, id) in self.keys {
            let subject = match is_one_by_one {
                true => Subject::Notification(id),
                false => Subject::Notifications,
            };
            tx.outbox().marks.push((user_id, Mark::Changed(subject)));
        }
        push::tell_later(tx, self.devices_of);
    }
}

/// These were read, or are not in the bell any more.
pub(super) async fn gone(tx: &mut Tx, keys: Vec<Key>) -> Result<()> {
    Gone::of(tx, keys).await?.tell(tx);
    Ok(())
}
