//! How long notifications are kept.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{KEPT, delete};
use crate::app::App;
use crate::error::Result;
use crate::jobs::{Failure, Job, Recurring};

/// Forgets notifications that are older than `KEPT`.
#[derive(Default, Serialize, Deserialize)]
pub struct Expire {}

impl Job for Expire {
    const KIND: &'static str = "notifications.expire";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let before = app.clock.now() - KEPT;
        let expire = || app.db.transaction(async move |tx| delete::expire(tx, before).await);
        while expire().await? {}
        Ok(())
    }
}

impl Recurring for Expire {
    const EVERY: TimeDelta = TimeDelta::days(1);
}
