//! Blocking, and undoing it. Whether the two see each other's presence changes with it.

use super::store;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Error, InputCode, Result};
use crate::id::UserId;
use crate::text::Fault;
use crate::users::{self, User};
use crate::viewer::Viewer;

/// Blocks somebody; says whom, and whether that is new. A block that is there already stays as old as it is.
pub async fn block(tx: &mut Tx, viewer: &Viewer, user_id: UserId, now: Instant) -> Result<(User, bool)> {
    if user_id == viewer.user_id {
        let fault = Fault::new(InputCode::NotAllowed, "Nobody blocks themselves");
        return Err(Error::bad_input(vec![fault.of("userId")]));
    }
    let user = users::undeleted(tx, user_id).await?.ok_or_else(|| Error::not_found("user"))?;
    let is_new = store::insert(tx, viewer.user_id, user_id, now).await?;
    tx.outbox().presences.extend([viewer.user_id, user_id]);
    Ok((user, is_new))
}

/// Undoes a block; says whose, and whether there was one.
pub async fn unblock(tx: &mut Tx, viewer: &Viewer, user_id: UserId) -> Result<(User, bool)> {
    let user = users::undeleted(tx, user_id).await?.ok_or_else(|| Error::not_found("user"))?;
    let was_there = store::delete(tx, viewer.user_id, user_id).await?;
    tx.outbox().presences.extend([viewer.user_id, user_id]);
    Ok((user, was_there))
}
