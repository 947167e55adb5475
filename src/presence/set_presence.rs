//! How present somebody wants to look.

use super::tend::note;
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::realtime::PresenceStatus;
use crate::viewer::Viewer;

/// Holds until changed or until the last socket closes. Whoever looks away leaves as of now: showing no time, or a later
/// one, would tell them from those who are gone.
pub async fn set_presence(app: &App, viewer: &Viewer, status: PresenceStatus) -> Result<()> {
    let presences = &app.realtime.presences;
    let looks_away = status == PresenceStatus::Offline && presences.status(viewer.user_id) != PresenceStatus::Offline;
    if looks_away {
        note(app, vec![(viewer.user_id, app.clock.now())]).await?;
    }
    match presences.choose(viewer.user_id, status) {
        true => Ok(()),
        false => {
            Err(Error::new(Code::FailedPrecondition, "Open a WebSocket first: presence lasts as long as one is open")
                .with("reason", "NOT_CONNECTED"))
        }
    }
}
