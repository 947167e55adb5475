//! Tokens and challenges that nobody brought.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{COUNTED, store};
use crate::app::App;
use crate::jobs::{Failure, Job, Recurring};

#[derive(Default, Serialize, Deserialize)]
pub struct PurgeTokens {}

impl Job for PurgeTokens {
    const KIND: &'static str = "accounts.purge_tokens";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let now = app.clock.now();
        app.db.transaction(async move |tx| Ok(store::delete_expired(tx, now, now - COUNTED).await?)).await?;
        Ok(())
    }
}

impl Recurring for PurgeTokens {
    const EVERY: TimeDelta = TimeDelta::hours(1);
}
