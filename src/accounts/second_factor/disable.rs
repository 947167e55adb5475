//! Switching a second factor off.

use serde_json::json;

use super::store;
use crate::accounts::store::lock_account;
use crate::accounts::{Account, Fresh, Incident, alarm};
use crate::app::App;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::realtime::{Mark, Subject};
use crate::{audit, users};

/// From now on signing in takes the password alone. Where it does already, nothing changes.
pub async fn disable(app: &App, fresh: &Fresh) -> Result<()> {
    app.db
        .transaction(async move |tx| {
            let before = fresh.hold(app, tx).await?;
            if before.second_factor_at.is_none() {
                return Ok(());
            }
            switch_off(app, tx, &before).await
        })
        .await
}

/// What `chinwag user drop-second-factor` does, for who has lost the app and the recovery codes; says whether there was one.
pub async fn drop_from(app: &App, username: &str) -> Result<bool> {
    let user = users::find_by_handle(app, username.to_owned()).await?.ok_or_else(|| Error::not_found("user"))?;
    let (now, id) = (app.clock.now(), user.id);
    app.db
        .transaction(async move |tx| {
            let before = lock_account(tx, id).await?.ok_or_else(|| Error::not_found("user"))?;
            if before.second_factor_at.is_none() {
                return Ok(false);
            }
            switch_off(app, tx, &before).await?;
            audit::record(tx, now, None, "user.second_factor", id.to_string(), json!({ "dropped": true })).await?;
            Ok(true)
        })
        .await
}

async fn switch_off(app: &App, tx: &mut Tx, before: &Account) -> Result<()> {
    store::set_in_force(tx, before.user_id, None).await?;
    store::delete(tx, before.user_id).await?;
    store::delete_codes(tx, before.user_id).await?;
    tx.outbox().marks.push((before.user_id, Mark::Changed(Subject::Viewer)));
    alarm(app, tx, before, Incident::SecondFactorDisabled).await
}
