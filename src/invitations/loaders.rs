//! Invitations, many at once.

use std::collections::HashMap;

use super::{Invitation, store};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::InvitationId;

/// An invitation by its id.
pub struct InvitationById;

impl Load for InvitationById {
    type Key = InvitationId;
    type Value = Invitation;

    async fn load(app: &App, keys: &[InvitationId]) -> Result<HashMap<InvitationId, Invitation>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::by_ids(conn, &keys).await).await?;
        Ok(found.into_iter().map(|invitation| (invitation.id, invitation)).collect())
    }
}
