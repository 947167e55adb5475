//! Archiving: what is closed stays readable.

use serde_json::json;

use super::events::{CONVERSATION_ARCHIVED, CONVERSATION_UNARCHIVED, Nothing};
use super::{Action, Changed, Here, Reference, lock, places};
use crate::app::App;
use crate::audit;
use crate::db::Tx;
use crate::error::Result;
use crate::groups;
use crate::log::Kind;
use crate::viewer::Viewer;

/// Closes a channel. What is archived stays so.
pub async fn archive_channel(app: &App, viewer: &Viewer, channel: Reference) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut here = lock(tx, viewer, channel, now).await?;
            here.may(Action::Archive).or_refuse()?;
            if here.conversation.archived_at.is_some() {
                return Ok(here.unchanged());
            }
            here.conversation.archived_at = Some(here.now);
            record(tx, here, CONVERSATION_ARCHIVED, "conversation.archive").await
        })
        .await
}

/// Opens an archived channel again. What is open stays so; in an archived group nothing opens alone.
pub async fn unarchive_channel(app: &App, viewer: &Viewer, channel: Reference) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut here = lock(tx, viewer, channel, now).await?;
            here.may(Action::Archive).or_refuse()?;
            if here.conversation.archived_at.is_none() {
                return Ok(here.unchanged());
            }
            if let Some(group) = here.group() {
                groups::open(tx, group).await?;
            }
            here.conversation.archived_at = None;
            record(tx, here, CONVERSATION_UNARCHIVED, "conversation.unarchive").await
        })
        .await
}

async fn record(tx: &mut Tx, mut here: Here, event: Kind, action: &'static str) -> Result<Changed> {
    here.log(event, &Nothing {})?;
    let channel = here.sight().reference().to_string();
    audit::record(tx, here.now, Some(here.viewer_id()), action, channel, json!({})).await?;
    places::tell_of(tx, &here).await?;
    here.write(tx).await
}
