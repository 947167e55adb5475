//! Leaving.

use super::{Action, Departure, MemberRole, Reference, lock};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::viewer::Viewer;

/// Leaves a conversation. Who is no member, but sees it, has left already.
pub async fn leave(app: &App, viewer: &Viewer, reference: Reference) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut here = lock(tx, viewer, reference, now).await?;
            let Some(seat) = here.seat.clone() else { return Ok(()) };
            here.may(Action::Leave).or_refuse()?;
            if seat.role == MemberRole::Owner {
                return Err(
                    Error::new(Code::FailedPrecondition, "Hand the conversation over first").with("reason", "OWNER")
                );
            }
            here.unseat(tx, &seat, Departure::Left, None).await?;
            here.write(tx).await.map(drop)
        })
        .await
}
