//! Closing an account for good.

use super::{mailed, second_factor, sessions, store};
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;

/// Ends all sessions of somebody, with their devices, and deletes what they signed in with.
pub async fn close(tx: &mut Tx, user_id: UserId, now: Instant) -> Result<()> {
    sessions::end_others(tx, user_id, None, now).await?;
    store::forget_clients(tx, user_id).await?;
    // Not deleted: they count how many letters went to an address, which may be a stranger's.
    mailed::void(tx, now, user_id).await?;
    second_factor::forget(tx, user_id).await?;
    Ok(store::delete_account(tx, user_id).await?)
}
