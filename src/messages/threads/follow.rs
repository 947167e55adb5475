//! Following a thread, and no longer. It is each member's own and takes no lock: who sends at the same moment writes the
//! same row, and what comes last holds.

use super::{Root, store};
use crate::app::App;
use crate::error::Result;

/// Follows a thread, also one without a reply yet. What is unread in it stays unread.
pub async fn follow(app: &App, root: Root) -> Result<()> {
    app.db
        .transaction(async move |tx| {
            if store::follow(tx, root.seat.id(), root.seq).await? {
                root.mark_changed(tx);
            }
            Ok(())
        })
        .await
}

/// Follows it no longer, until the next time they write in it or are mentioned there.
pub async fn unfollow(app: &App, root: Root) -> Result<()> {
    app.db
        .transaction(async move |tx| {
            if store::unfollow(tx, root.seat.id(), root.seq).await? {
                root.mark_changed(tx);
            }
            Ok(())
        })
        .await
}
