//! Taking an invitation back.

use serde_json::json;

use super::{Invitation, store};
use crate::app::App;
use crate::audit;
use crate::error::{Error, Result};
use crate::id::InvitationId;
use crate::users::Administrator;
use crate::viewer::Viewer;

/// Makes an invitation work no longer; those who used it stay. One that was revoked stays as it is.
pub async fn revoke(app: &App, viewer: &Viewer, id: InvitationId) -> Result<Invitation> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let by = Administrator::of(tx, viewer).await?;
            let found = store::lock(tx, id).await?;
            let mut invitation = found.ok_or_else(|| Error::not_found("invitation"))?;
            if invitation.revoked_at.is_none() {
                invitation.revoked_at = Some(now);
                store::revoke(tx, id, now).await?;
                audit::record(tx, now, Some(by.id()), "invitation.revoke", id.to_string(), json!({})).await?;
            }
            Ok(invitation)
        })
        .await
}
