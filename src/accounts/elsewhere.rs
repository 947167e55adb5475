//! Accounts of those who sign in elsewhere: what `crate::oauth` does to them.

use super::{Account, addresses, sessions, store};
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::viewer::Viewer;

/// Opens an account without a password, and locks it. The address is theirs, and was proven elsewhere.
pub async fn open(tx: &mut Tx, now: Instant, user: UserId, proven_email: Option<&str>) -> Result<Account> {
    store::insert_bare_account(tx, user, now).await?;
    if let Some(email) = proven_email {
        addresses::take_over(tx, now, user, email).await?;
    }
    lock(tx, user).await?.ok_or_else(|| Error::internal("an account that was opened just now is not there"))
}

/// Somebody's account, locked until the transaction has ended.
pub async fn lock(tx: &mut Tx, user: UserId) -> Result<Option<Account>> {
    Ok(store::lock_account(tx, user).await?)
}

/// The account whose address this is, proven here; locked.
pub async fn lock_owner_of(tx: &mut Tx, email: &str) -> Result<Option<Account>> {
    Ok(store::lock_owner_of(tx, email).await?)
}

/// The viewer's account, locked, while their session goes on; UNAUTHENTICATED where it has ended.
pub async fn hold(app: &App, tx: &mut Tx, viewer: &Viewer) -> Result<Account> {
    let account = store::lock_account(tx, viewer.user_id).await?.ok_or_else(Error::unauthenticated)?;
    sessions::hold(tx, viewer, app.clock.now()).await?;
    Ok(account)
}

/// Marks the account as changed where something that belongs to it was, so that whoever resumes their stream is told.
pub async fn touch(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(store::touch_account(tx, user).await?)
}
