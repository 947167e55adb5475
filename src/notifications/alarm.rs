//! Ringing for what was done to somebody's account. It comes from below, as a job.

use super::{Bell, store};
use crate::accounts::Alarm;
use crate::app::App;
use crate::jobs::{Failure, Job};

impl Job for Alarm {
    const KIND: &'static str = "notifications.alarm";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let alarm = &self;
        app.db
            .transaction(async move |tx| {
                if store::is_there(tx, (alarm.user_id, alarm.notification_id)).await? {
                    return Ok(());
                }
                let bell = Bell::of_alarm(tx, alarm).await?;
                let read = bell.write(tx, alarm.at).await?;
                bell.tell(tx, read);
                Ok(())
            })
            .await?;
        Ok(())
    }
}
