//! Switching a second factor off.

use super::store;
use crate::accounts::{Fresh, Incident, alarm};
use crate::app::App;
use crate::error::Result;
use crate::realtime::{Mark, Subject};

/// From now on signing in takes the password alone. Where it does already, nothing changes.
pub async fn disable(app: &App, fresh: &Fresh) -> Result<()> {
    app.db
        .transaction(async move |tx| {
            let before = fresh.hold(app, tx).await?;
            if before.second_factor_at.is_none() {
                return Ok(());
            }
            store::set_in_force(tx, before.user_id, None).await?;
            store::delete(tx, before.user_id).await?;
            store::delete_codes(tx, before.user_id).await?;
            tx.outbox().marks.push((before.user_id, Mark::Changed(Subject::Viewer)));
            alarm(app, tx, &before, Incident::SecondFactorDisabled).await
        })
        .await
}
