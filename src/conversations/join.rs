//! Joining.

use super::{Action, Changed, MemberRole, Reference, lock};
use crate::app::App;
use crate::error::Result;
use crate::viewer::Viewer;

/// Joins a public channel; joining again changes nothing.
pub async fn join_channel(app: &App, viewer: &Viewer, channel: Reference) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut here = lock(tx, viewer, channel, now).await?;
            if here.seat.is_some() {
                return Ok(here.unchanged());
            }
            here.may(Action::Join).or_refuse()?;
            here.seat(tx, viewer.user_id, MemberRole::Member).await?;
            here.write(tx).await
        })
        .await
}
