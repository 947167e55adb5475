//! What is written of presences while the server runs.

use std::time::Duration;

use chrono::TimeDelta;

use super::store::{self, Seen};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::UserId;

/// Between two notes of who is here, in one statement for all: as much of it is lost in a crash.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(5);
/// After a note that failed.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Lets those go whose last socket has closed, and notes from time to time who is here.
pub async fn tend(app: App) {
    let presences = &app.realtime.presences;
    let mut next = app.clock.now() + NOTED_EVERY;
    loop {
        tokio::select! {
            () = presences.departure() => {
                let departed = presences.departing();
                let seen = departed.iter().filter_map(|gone| Some((gone.user_id, gone.last_seen_at?)));
                // First, so that those who look are shown it. Without a database they go all the same, and what was
                // noted of them is some minutes old.
                let _ = note(&app, seen.collect()).await;
                presences.take_leave(&departed);
            }
            () = app.clock.reach(next) => match note(&app, app.realtime.presences.seen()).await {
                Ok(()) => next = app.clock.now() + NOTED_EVERY,
                Err(_) => tokio::time::sleep(TRY_AGAIN).await,
            },
        }
    }
}

/// The server stops, and all who are here leave it.
pub async fn leave_all(app: &App) {
    let _ = note(app, app.realtime.presences.seen()).await;
}

pub(super) async fn note(app: &App, seen: Vec<(UserId, Instant)>) -> Result<()> {
    if seen.is_empty() {
        return Ok(());
    }
    let seen = &seen;
    let noted = app
        .db
        .transaction(async move |tx| {
            let seen = seen.iter().map(|&(user_id, at)| Seen { user_id, last_seen_at: Some(at) });
            Ok(store::save_seen(tx, seen.collect()).await?)
        })
        .await;
    noted.inspect_err(|error| tracing::warn!(?error, "could not note who was here"))
}
