//! Mails to those who are away, of what came and is still unread: several in one.
//!
//! Whoever rings does nothing for them. Once a minute it is looked for whom something has waited for `MAIL_DELAY`
//! (`look`), in what came since the look before; each of those people gets one job (`digest`), which judges all else at that
//! moment, and asks again later where it is only too early. What was mailed is remembered in the transaction that hands the
//! mail over, as an instant: so none is mailed twice, and marking many as mailed is one row.

mod digest;
mod look;
mod store;

use chrono::TimeDelta;

pub use digest::Digest;
pub use look::Look;

use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;

/// Between two mails to one person, urgent or not.
const APART: TimeDelta = TimeDelta::hours(1);
/// What came longer ago is not mailed: somebody who wants mails again, or has just proven an address, is not told of all
/// that was.
const OLDEST: TimeDelta = TimeDelta::days(7);
/// What is younger may have been written by a transaction that is not committed yet, beside one that is.
const SETTLED: TimeDelta = TimeDelta::minutes(1);
/// Whoever was last seen this shortly ago may be here, by another server: it notes that every five minutes.
const LATELY: TimeDelta = TimeDelta::minutes(6);

/// Forgets how far somebody was mailed.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(store::delete(tx, user).await?)
}
