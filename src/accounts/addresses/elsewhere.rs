//! An address that was proven elsewhere.

use super::store;
use crate::accounts::mailed;
use crate::clock::Instant;
use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::id::UserId;
use crate::realtime::{Mark, Subject};

/// Makes an address that a provider has seen proven the one of a new account. CONFLICT where somebody has proven it here.
pub(in crate::accounts) async fn take_over(tx: &mut Tx, now: Instant, user: UserId, email: &str) -> Result<()> {
    let all = store::lock_who_name(tx, email).await?;
    let taken = || Error::new(Code::Conflict, "Someone has proven this address as theirs");
    store::set_proven(tx, user, email, now).await.on_constraint("accounts_email_key", taken)?;
    store::take_from_others(tx, user, email).await?;
    mailed::void_proofs(tx, now, email).await?;
    tx.outbox().marks.extend(all.iter().map(|account| (account.user_id, Mark::Changed(Subject::Viewer))));
    Ok(())
}
