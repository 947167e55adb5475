//! Leaving.

use super::{Action, Changed, Departure, Kind, MemberRole, Reference, direct, lock};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::viewer::Viewer;

/// Leaves a conversation, and answers with it where the viewer still sees it. Who is no member, but sees it, has left
/// already.
pub async fn leave(app: &App, viewer: &Viewer, reference: Reference) -> Result<Option<Changed>> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut here = lock(tx, viewer, reference, now).await?;
            let Some(seat) = here.seat.clone() else { return Ok(Some(here.unchanged())) };
            if seat.role == MemberRole::Owner {
                return Err(
                    Error::new(Code::FailedPrecondition, "Hand the conversation over first").with("reason", "OWNER")
                );
            }
            if here.conversation.has_fixed_people() {
                let message = "Nobody leaves a conversation of one or two: hide it";
                return Err(Error::new(Code::FailedPrecondition, message).with("reason", "OF_TWO"));
            }
            here.may(Action::Leave).or_refuse()?;
            here.unseat(tx, &seat, Departure::Left, None).await?;
            if reference.kind == Kind::Direct {
                direct::regroup(tx, &mut here).await?;
            }
            let stays_visible = here.is_public();
            Ok(Some(here.write(tx).await?).filter(|_| stays_visible))
        })
        .await
}
