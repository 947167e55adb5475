//! Lists filtered by presence.

use super::store;
use crate::app::App;
use crate::error::Result;
use crate::id::UserId;
use crate::realtime::PresenceStatus;
use crate::users::Among;
use crate::viewer::Viewer;

/// Of those who are here, so many are found at most.
const FOUND: usize = 1_000;

/// Whom a filter by these statuses means, as the viewer sees them at this moment; `None` where there is no such filter.
pub async fn among(app: &App, viewer: &Viewer, wanted: Option<&[PresenceStatus]>) -> Result<Option<Among>> {
    let Some(wanted) = wanted else { return Ok(None) };
    // Whoever is not here, or not shown to be, is OFFLINE: all but those who are seen to be something else.
    let wants_the_gone = wanted.contains(&PresenceStatus::Offline);
    let present = app.realtime.presences.present().into_iter();
    let matters: Vec<UserId> =
        present.filter(|(_, status)| wanted.contains(status) != wants_the_gone).map(|(id, _)| id).collect();
    let viewer = viewer.user_id;
    let mut shown = match matters.is_empty() {
        true => Vec::new(),
        false => app.db.read(async move |conn| store::shown(conn, viewer, &matters).await).await?,
    };
    Ok(Some(match wants_the_gone {
        true => Among::AllBut(shown),
        false => {
            shown.truncate(FOUND);
            Among::Only(shown)
        }
    }))
}
