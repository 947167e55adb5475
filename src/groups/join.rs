//! Joining.

use super::{Action, Changed, MemberRole, hold};
use crate::app::App;
use crate::error::Result;
use crate::id::GroupId;
use crate::viewer::Viewer;

/// Joins a public group; joining again changes nothing.
pub async fn join_group(app: &App, viewer: &Viewer, id: GroupId) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut held = hold(tx, viewer, id, now).await?;
            if held.role().is_some() {
                return Ok(held.unchanged());
            }
            held.may(Action::Join).or_refuse()?;
            held.admit(tx, &[viewer.user_id], MemberRole::Member).await?;
            held.write(tx).await
        })
        .await
}
