//! Leaving a group.

use super::dismiss;
use crate::app::App;
use crate::conversations::{Departure, MemberRole, Visibility};
use crate::error::{Code, Error, Result};
use crate::groups::{Action, Changed, hold};
use crate::id::GroupId;
use crate::viewer::Viewer;

/// Leaves a group and all of its channels, and answers with it where the viewer still sees it. Who is no member, but sees
/// it, has left already. A channel that they own is nobody's then: an owner of the group takes it over.
pub async fn leave_group(app: &App, viewer: &Viewer, id: GroupId) -> Result<Option<Changed>> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut held = hold(tx, viewer, id, now).await?;
            let Some(own) = held.own_membership(tx).await? else { return Ok(Some(held.unchanged())) };
            if own.role == MemberRole::Owner {
                return Err(Error::new(Code::FailedPrecondition, "Hand the group over first").with("reason", "OWNER"));
            }
            held.may(Action::Leave).or_refuse()?;
            dismiss(tx, viewer, &mut held, &own, Departure::Left, None).await?;
            let stays_visible = held.group.visibility == Visibility::Public;
            Ok(Some(held.write(tx).await?).filter(|_| stays_visible))
        })
        .await
}
