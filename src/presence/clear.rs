//! Custom statuses whose time has come. Whoever reads one judges that by itself, so this only tidies up, and tells those
//! who look.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::store;
use crate::app::App;
use crate::error::Result;
use crate::jobs::{Failure, Job, Recurring};

/// In one transaction.
const AT_ONCE: i64 = 500;

#[derive(Default, Serialize, Deserialize)]
pub struct ClearStatuses {}

impl Job for ClearStatuses {
    const KIND: &'static str = "presence.clear_statuses";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let now = app.clock.now();
        let clear = || {
            app.db.transaction(async move |tx| {
                let people = store::clear_statuses(tx, now, AT_ONCE).await?;
                let count = people.len();
                tx.outbox().presences.extend(people);
                Ok(count)
            })
        };
        while clear().await? > 0 {}
        Ok(())
    }
}

impl Recurring for ClearStatuses {
    const EVERY: TimeDelta = TimeDelta::minutes(5);
}
