//! Switching a second factor on.

use chrono::TimeDelta;

use super::judge::{Verdict, judge};
use super::{recovery, store};
use crate::accounts::store::lock_account;
use crate::accounts::{Incident, alarm, sessions};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::realtime::{Mark, Subject};
use crate::viewer::Viewer;

/// Who begins it goes through with it: a secret that somebody made long ago was perhaps seen since.
const BEGUN: TimeDelta = TimeDelta::hours(1);

/// Puts what was begun into force by its first code, and answers with the recovery codes. It was begun by fresh proof, and
/// nobody else has the secret.
pub async fn enable(app: &App, viewer: &Viewer, code: &str) -> Result<Vec<String>> {
    let now = app.clock.now();
    let (verdict, codes) = app
        .db
        .transaction(async move |tx| {
            let before = lock_account(tx, viewer.user_id).await?.ok_or_else(Error::unauthenticated)?;
            sessions::hold(tx, viewer, now).await?;
            let begun = store::lock(tx, viewer.user_id).await?.filter(|factor| now - factor.begun_at <= BEGUN);
            if begun.is_none() || before.second_factor_at.is_some() {
                let message = "Nothing was begun, or too long ago";
                return Err(Error::new(Code::FailedPrecondition, message).with("reason", "SECOND_FACTOR_NOT_BEGUN"));
            }
            let verdict = judge(app, tx, &before, code).await?;
            if verdict != Verdict::Right {
                return Ok((verdict, Vec::new()));
            }
            store::set_in_force(tx, viewer.user_id, Some(now)).await?;
            let codes = recovery::renew(app, tx, viewer.user_id).await?;
            tx.outbox().marks.push((viewer.user_id, Mark::Changed(Subject::Viewer)));
            alarm(app, tx, &before, Incident::SecondFactorEnabled).await?;
            Ok((verdict, codes))
        })
        .await?;
    verdict.into_result(now).map(|()| codes)
}
