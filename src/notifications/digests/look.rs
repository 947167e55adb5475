//! Looking for whom something has waited long enough.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Digest, SETTLED, store};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::jobs::{Failure, Job, Recurring};

/// How far back the first look goes.
const FIRST: TimeDelta = TimeDelta::days(1);

#[derive(Default, Serialize, Deserialize)]
pub struct Look {
    /// What came before was looked at.
    since: Option<Instant>,
}

impl Job for Look {
    const KIND: &'static str = "digests.look";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let now = app.clock.now();
        let until = now - app.config.mail.delay;
        let since = self.since.unwrap_or(until - FIRST).min(until);
        app.db
            .transaction(async move |tx| {
                for user_id in store::waited_for(tx, since - SETTLED, until).await? {
                    tx.enqueue(Digest { user_id }).keyed(user_id.to_string());
                }
                tx.enqueue(Self { since: Some(until) }).recurring().at(now + Self::EVERY);
                Ok(())
            })
            .await?;
        Ok(())
    }
}

impl Recurring for Look {
    const EVERY: TimeDelta = TimeDelta::minutes(1);
}
