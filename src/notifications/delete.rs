//! Taking notifications out of the bell for good.

use super::read::some_ids;
use super::{deliver, store};
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{NotificationId, UserId};
use crate::text::Wrong;
use crate::viewer::Viewer;

/// Rows that are forgotten at once.
const AT_ONCE: i64 = 10_000;

/// Which notifications to delete, checked.
#[derive(Debug)]
pub struct DeleteDraft(Vec<NotificationId>);

impl DeleteDraft {
    pub fn from(ids: &[String]) -> Result<Self> {
        let mut wrong = Wrong::default();
        let ids = some_ids(&mut wrong, ids);
        wrong.finish(|| ids.map(Self))
    }
}

/// Deletes notifications of the viewer, and answers with those that are in nobody's bell now. Somebody else's are left out,
/// as if there were none; what is deleted already stays so.
pub async fn delete(app: &App, viewer: &Viewer, draft: &DeleteDraft) -> Result<Vec<NotificationId>> {
    let (now, user) = (app.clock.now(), viewer.user_id);
    app.db
        .transaction(async move |tx| {
            let deleted = store::delete(tx, user, &draft.0, now).await?;
            deliver::gone(tx, deleted).await?;
            let keys: Vec<_> = draft.0.iter().map(|id| (user, *id)).collect();
            let gone = store::by_keys(tx, &keys).await?.into_iter().filter(|row| row.is_deleted);
            let gone: Vec<_> = gone.map(|row| row.id).collect();
            Ok(draft.0.iter().copied().filter(|id| gone.contains(id)).collect())
        })
        .await
}

/// Forgets what came before an instant, in steps that are short; says whether there may be more. Who has them in a list
/// is not told: they fetch it anew before that.
pub async fn expire(tx: &mut Tx, before: Instant) -> Result<bool> {
    Ok(store::expire(tx, before, AT_ONCE).await? as i64 == AT_ONCE)
}

/// Forgets what is in the bell of somebody who is gone, in steps too; says whether there may be more.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<bool> {
    Ok(store::forget(tx, user, AT_ONCE).await? as i64 == AT_ONCE)
}
