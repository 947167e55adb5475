//! Setting a password anew.

use super::{chosen, end_what_it_began, store};
use crate::accounts::mailed::{self, Purpose};
use crate::accounts::store::lock_account;
use crate::accounts::{self, Incident, alarm};
use crate::app::App;
use crate::error::Result;
use crate::realtime::{Mark, Subject};
use crate::viewer::Viewer;

/// Sets a new password by the token that was mailed to the account's proven address, and ends all sessions but the one that
/// asks; says how many. A second factor stays in force.
pub async fn reset_password(app: &App, viewer: Option<&Viewer>, token: &str, password: &str) -> Result<usize> {
    let mailed = mailed::find(app, Purpose::ResetPassword, token).await?;
    let account = accounts::account(app, mailed.user_id).await?.ok_or_else(mailed::invalid)?;
    let password = chosen(app, &account, password, "password").await?;
    let hash = &app.passwords.hash(password).await?;
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let account = lock_account(tx, mailed.user_id).await?.ok_or_else(mailed::invalid)?;
            let mailed = mailed::spend(tx, now, Purpose::ResetPassword, token).await?;
            if account.proven_email() != Some(&mailed.email) {
                return Err(mailed::invalid());
            }
            store::set_password(tx, account.user_id, hash).await?;
            mailed::void(tx, now, account.user_id).await?;
            let stays = viewer.filter(|viewer| viewer.user_id == account.user_id).map(|viewer| viewer.session_id);
            let ended = end_what_it_began(tx, now, account.user_id, stays).await?;
            tx.outbox().marks.push((account.user_id, Mark::Changed(Subject::Viewer)));
            alarm(app, tx, &account, Incident::PasswordReset).await?;
            Ok(ended)
        })
        .await
}
