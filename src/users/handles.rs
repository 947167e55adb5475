//! Handles that somebody has left, by renaming or by going, are held for a while: whoever got one at once would be taken
//! for them, and called by their mentions. The one who left it may come back to it.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::store;
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::UserId;
use crate::jobs::{Failure, Job, Recurring};

/// How long a handle is held.
const HELD: TimeDelta = TimeDelta::days(90);
/// Handles held for one at a time: nobody takes all the good ones by trying them on.
const MOST: i64 = 10;

/// Holds a handle that somebody leaves. RATE_LIMITED where too many are held for them already.
pub(super) async fn leave(tx: &mut Tx, user: UserId, handle: &str, now: Instant) -> Result<()> {
    let held = store::held_for(tx, user, now).await?;
    if let (true, Some(first)) = (held.len() as i64 >= MOST, held.iter().min()) {
        let wait = (*first - now).num_milliseconds();
        let error = Error::new(Code::RateLimited, "You have changed your username too often, try again later");
        return Err(error.with("retryAfterMs", wait));
    }
    Ok(store::hold_username(tx, user, handle, now + HELD).await?)
}

/// The same for somebody who goes, however many are held for them.
pub(super) async fn leave_for_good(tx: &mut Tx, user: UserId, handle: &str, now: Instant) -> Result<()> {
    Ok(store::hold_username(tx, user, handle, now + HELD).await?)
}

/// Settles that a handle is somebody's, whose row has it already: CONFLICT where it is held for another. Having it comes
/// first, as the index on handles waits for whoever is just leaving it, and what they hold is seen by the next statement.
pub(super) async fn settle(tx: &mut Tx, user: UserId, handle: &str, now: Instant) -> Result<()> {
    match store::holder_of_username(tx, handle, now).await? {
        Some(holder) if holder != user => Err(taken()),
        _ => Ok(store::release_username(tx, handle).await?),
    }
}

/// The same words for a handle that is somebody's and for one that is held.
pub(super) fn taken() -> Error {
    Error::new(Code::Conflict, "This username is taken")
}

/// Forgets handles that are free again.
#[derive(Default, Serialize, Deserialize)]
pub struct FreeHandles {}

impl Job for FreeHandles {
    const KIND: &'static str = "users.free_handles";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let now = app.clock.now();
        app.db.transaction(async move |tx| Ok(store::free_usernames(tx, now).await?)).await?;
        Ok(())
    }
}

impl Recurring for FreeHandles {
    const EVERY: TimeDelta = TimeDelta::days(1);
}
