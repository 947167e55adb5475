//! How long the log is kept. What is said and what holds is in tables of its own: the log is for those who were away, and
//! who was away for longer is told of a gap.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::error::Result;
use crate::id::ConversationId;
use crate::jobs::{Failure, Job, Recurring};

/// Conversations that are looked at in one statement.
const CONVERSATIONS: i64 = 50;
/// Events of each that are deleted by it.
const EVENTS: i64 = 500;

/// Deletes events that are older than `LOG_RETENTION_DAYS`, of each conversation the oldest first, in small transactions:
/// whenever it ends, what is left of a log is its end without a hole. The latest event of each stays.
#[derive(Default, Serialize, Deserialize)]
pub struct Retain {}

impl Job for Retain {
    const KIND: &'static str = "log.retain";
    /// What one run leaves is left to the next.
    const TIME_LIMIT: Duration = Duration::from_secs(15 * 60);

    async fn run(self, app: &App) -> Result<(), Failure> {
        let before = app.clock.now() - app.config.data.log_retention;
        let mut after = ConversationId(Uuid::nil());
        loop {
            let ids =
                app.db.read(async move |conn| store::conversations_after(conn, after, CONVERSATIONS).await).await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            let ids = &ids;
            let delete =
                || app.db.transaction(async move |tx| Ok(store::delete_before(tx, ids, before, EVENTS).await?));
            while delete().await? > 0 {}
        }
    }
}

impl Recurring for Retain {
    const EVERY: TimeDelta = TimeDelta::hours(6);
}
