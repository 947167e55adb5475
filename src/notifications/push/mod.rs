//! Pushing what came.
//!
//! Each device has a job of its own, which brings it to where its owner's bell stands: it shows what is unread and was not
//! shown, and takes back what was shown and is read by now. So whatever happens twice, at once or after a crash ends in the
//! same; only what was on its way when a server died is pushed twice, under the same id. A service that does not answer
//! holds up its own devices alone.
//!
//! What is left out stays so: what came while somebody wanted to be left alone, or wanted no pushes. Whoever is here is told
//! in the app; what they have not read there after a while is pushed all the same, as nobody can know whether they look.

mod device;
mod store;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use device::TellDevice;

use crate::accounts::devices::devices_of;
use crate::app::App;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;
use crate::jobs::{Failure, Job};

/// People of one job, however many a transaction tells.
const AT_ONCE: usize = 1_000;

/// The bells of these people have changed.
#[derive(Serialize, Deserialize)]
pub struct TellDevices {
    users: Vec<UserId>,
}

/// Those among these people who have devices.
pub(super) async fn with_devices(tx: &Tx, people: BTreeSet<UserId>) -> Result<Vec<UserId>> {
    match people.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(store::with_devices(tx, people.into_iter().collect()).await?),
    }
}

/// Once this is committed, the devices of these people are told of it.
pub(super) fn tell_later(tx: &mut Tx, users: Vec<UserId>) {
    for users in users.chunks(AT_ONCE) {
        tx.enqueue(TellDevices { users: users.to_vec() });
    }
}

impl Job for TellDevices {
    const KIND: &str = "push";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let devices = &devices_of(app, &self.users).await?;
        if devices.is_empty() {
            return Ok(());
        }
        let enqueued = app.db.transaction(async move |tx| {
            for device in devices {
                TellDevice::of(device).enqueue(tx);
            }
            Ok(())
        });
        Ok(enqueued.await?)
    }
}
