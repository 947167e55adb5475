//! Blocking, and undoing it: what two may do in the conversation of theirs changes with it. The one who blocks is told so on
//! all devices; the other one is not told.

use super::People;
use crate::app::App;
use crate::conversations::store;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;
use crate::realtime::{Mark, Subject};
use crate::users::{self, User};
use crate::viewer::Viewer;

/// Blocks somebody. Who is blocked stays so.
pub async fn block(app: &App, viewer: &Viewer, user_id: UserId) -> Result<User> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let (user, is_new) = users::block(tx, viewer, user_id, now).await?;
            if is_new {
                tell(tx, viewer.user_id, user_id).await?;
            }
            Ok(user)
        })
        .await
}

/// Undoes a block, if there is one.
pub async fn unblock(app: &App, viewer: &Viewer, user_id: UserId) -> Result<User> {
    app.db
        .transaction(async move |tx| {
            let (user, was_there) = users::unblock(tx, viewer, user_id).await?;
            if was_there {
                tell(tx, viewer.user_id, user_id).await?;
            }
            Ok(user)
        })
        .await
}

/// Tells somebody that their conversation with another one has changed for them.
async fn tell(tx: &mut Tx, user: UserId, other: UserId) -> Result<()> {
    let Some((_, id)) = store::found_by(tx, &[People::pair(user, other).key()]).await?.pop() else { return Ok(()) };
    store::touch_seat(tx, id, user).await?;
    tx.outbox().marks.push((user, Mark::Changed(Subject::Conversation(id))));
    Ok(())
}
