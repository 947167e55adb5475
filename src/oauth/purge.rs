//! Round trips from which nobody came back.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::store;
use crate::app::App;
use crate::jobs::{Failure, Job, Recurring};

#[derive(Default, Serialize, Deserialize)]
pub struct PurgeStates {}

impl Job for PurgeStates {
    const KIND: &'static str = "oauth.purge_states";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let now = app.clock.now();
        app.db.transaction(async move |tx| Ok(store::delete_expired_states(tx, now).await?)).await?;
        Ok(())
    }
}

impl Recurring for PurgeStates {
    const EVERY: TimeDelta = TimeDelta::hours(1);
}
