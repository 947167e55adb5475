//! Sessions that are long over.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::store;
use crate::app::App;
use crate::error::Result;
use crate::jobs::{Failure, Job, Recurring};
use crate::realtime::viewers::RESUMABLE;

/// How long a session is kept after it ended or its refresh token expired: until then a spent token is known for what it
/// is, and who resumes their own stream is told that a session ended.
const KEPT: TimeDelta = RESUMABLE;
/// In one transaction.
const AT_ONCE: i64 = 500;

#[derive(Default, Serialize, Deserialize)]
pub struct PurgeSessions {}

impl Job for PurgeSessions {
    const KIND: &'static str = "accounts.purge_sessions";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let before = app.clock.now() - KEPT;
        let purge = || app.db.transaction(async move |tx| Ok(store::delete_sessions_over(tx, before, AT_ONCE).await?));
        while purge().await? > 0 {}
        Ok(())
    }
}

impl Recurring for PurgeSessions {
    const EVERY: TimeDelta = TimeDelta::days(1);
}
