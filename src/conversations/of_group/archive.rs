//! Archiving a group: its channels close and open with it.

use serde_json::json;

use super::channels::Channels;
use crate::app::App;
use crate::audit;
use crate::error::Result;
use crate::groups::{Action, Changed, hold};
use crate::id::GroupId;
use crate::viewer::Viewer;

/// Closes a group and all of its channels. What is archived stays so.
pub async fn archive_group(app: &App, viewer: &Viewer, id: GroupId) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut held = hold(tx, viewer, id, now).await?;
            held.may(Action::Archive).or_refuse()?;
            if held.group.archived_at.is_some() {
                return Ok(held.unchanged());
            }
            held.set_archived(Some(held.now));
            let mut channels = Channels::hold(tx, viewer, &held).await?;
            channels.archive(tx).await?;
            channels.write(tx).await?;
            audit::record(tx, held.now, Some(viewer.user_id), "group.archive", id.to_string(), json!({})).await?;
            held.write(tx).await
        })
        .await
}

/// Opens an archived group again, and the channels that were closed with it. What is open stays so.
pub async fn unarchive_group(app: &App, viewer: &Viewer, id: GroupId) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut held = hold(tx, viewer, id, now).await?;
            held.may(Action::Archive).or_refuse()?;
            if held.group.archived_at.is_none() {
                return Ok(held.unchanged());
            }
            held.set_archived(None);
            let mut channels = Channels::hold(tx, viewer, &held).await?;
            channels.unarchive(tx).await?;
            channels.write(tx).await?;
            audit::record(tx, held.now, Some(viewer.user_id), "group.unarchive", id.to_string(), json!({})).await?;
            held.write(tx).await
        })
        .await
}
