//! Blocking, and undoing it. Whether the two see each other's presence changes with it.

use super::store;
use crate::app::App;
use crate::error::{Error, InputCode, Result};
use crate::id::UserId;
use crate::text::Fault;
use crate::users::{self, User};
use crate::viewer::Viewer;

/// Blocks somebody. A block that is there already stays as old as it is.
pub async fn block(app: &App, viewer: &Viewer, user_id: UserId) -> Result<User> {
    if user_id == viewer.user_id {
        let fault = Fault::new(InputCode::NotAllowed, "Nobody blocks themselves");
        return Err(Error::bad_input(vec![fault.of("userId")]));
    }
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let user = users::undeleted(tx, user_id).await?.ok_or_else(|| Error::not_found("user"))?;
            store::insert(tx, viewer.user_id, user_id, now).await?;
            tx.outbox().presences.extend([viewer.user_id, user_id]);
            Ok(user)
        })
        .await
}

/// Undoes a block, if there is one.
pub async fn unblock(app: &App, viewer: &Viewer, user_id: UserId) -> Result<User> {
    app.db
        .transaction(async move |tx| {
            let user = users::undeleted(tx, user_id).await?.ok_or_else(|| Error::not_found("user"))?;
            store::delete(tx, viewer.user_id, user_id).await?;
            tx.outbox().presences.extend([viewer.user_id, user_id]);
            Ok(user)
        })
        .await
}
