//! All invitations.

use serde::{Deserialize, Serialize};

use super::{Invitation, store};
use crate::app::App;
use crate::error::Result;
use crate::id::{GroupId, InvitationId};
use crate::page::{Arguments, Cursor, Page};
use crate::users::Administrator;

/// Which invitations, checked.
#[derive(Debug, Default)]
pub struct InvitationFilter {
    pub group: Option<GroupId>,
    pub is_active: Option<bool>,
}

/// Place in the list: ids are in the order of their making.
#[derive(Debug, Serialize, Deserialize)]
pub struct InvitationCursor(pub(super) InvitationId);

impl Cursor for InvitationCursor {
    const LIST: &str = "invitations";
}

/// Invitations, newest first.
pub async fn invitations(
    app: &App,
    _: Administrator,
    filter: InvitationFilter,
    arguments: Arguments,
) -> Result<Page<(InvitationCursor, Invitation)>> {
    let window = arguments.window()?;
    let (now, filter, wanted) = (app.clock.now(), &filter, &window);
    let rows = app.db.read(async move |conn| store::page(conn, filter, now, wanted).await).await?;
    Ok(window.page(rows).map(|invitation| (InvitationCursor(invitation.id), invitation)))
}
