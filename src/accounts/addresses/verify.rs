//! Proving an address.

use super::store;
use crate::accounts::mailed::{self, Mailed, Purpose};
use crate::accounts::{Incident, alarm};
use crate::app::App;
use crate::db::OnConstraint;
use crate::error::Result;
use crate::id::UserId;
use crate::realtime::{Mark, Subject};

/// An address that was proven, and whose it is.
pub struct Proven {
    pub user_id: UserId,
    pub email: String,
}

/// Makes an address somebody's own, by the token that was mailed there. TOKEN_INVALID where the token is none any more,
/// where its account names another address by now, and where somebody else was faster.
pub async fn verify_email(app: &App, token: &str) -> Result<Proven> {
    let Mailed { user_id, email } = mailed::find(app, Purpose::VerifyEmail, token).await?;
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            // Of two who prove it at once the second waits here, and finds the first.
            let all = store::lock_who_name(tx, &email).await?;
            mailed::spend(tx, now, Purpose::VerifyEmail, token).await?;
            let before = all.iter().find(|account| account.user_id == user_id).ok_or_else(mailed::invalid)?;
            store::set_proven(tx, user_id, &email, now).await.on_constraint("accounts_email_key", mailed::invalid)?;
            store::take_from_others(tx, user_id, &email).await?;
            mailed::void(tx, now, user_id).await?;
            mailed::void_proofs(tx, now, &email).await?;
            let changed = all.iter().map(|account| (account.user_id, Mark::Changed(Subject::Viewer)));
            tx.outbox().marks.extend(changed);
            if before.email.as_deref() != Some(&email) {
                alarm(app, tx, before, Incident::EmailChanged).await?;
            }
            Ok(Proven { user_id, email })
        })
        .await
}
