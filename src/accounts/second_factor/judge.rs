//! Whether a code is right.

use chrono::TimeDelta;

use super::codes::{self, Code};
use super::store;
use crate::accounts::{Account, Incident, alarm};
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{self, Error, Result};

/// Wrong codes in a row that cost nothing: people mistype, and clocks differ.
const FREE: i32 = 5;
/// What the next one costs, and each after it twice as much, up to `LONGEST`. A thousand guesses take a month, and find one of
/// three right codes among a million.
const WAIT: TimeDelta = TimeDelta::seconds(30);
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// What became of a code. A wrong one has been counted, so the transaction is to be committed all the same.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    Right,
    Wrong,
    /// Nobody has looked at it: come back at this instant.
    TooMany(Instant),
}

impl Verdict {
    /// As the one who brought it is told.
    pub fn into_result(self, now: Instant) -> Result<()> {
        match self {
            Self::Right => Ok(()),
            Self::Wrong => Err(wrong()),
            Self::TooMany(until) => {
                let message = "Too many wrong codes: wait a while, or take a recovery code";
                let error = Error::new(error::Code::RateLimited, message);
                Err(error.with("retryAfterMs", (until - now).num_milliseconds().max(0)))
            }
        }
    }
}

pub fn wrong() -> Error {
    Error::new(error::Code::InvalidCredentials, "This code is wrong, or was used")
}

/// Takes a code for this account, whose app need not be in force yet. Recovery codes are too long to be guessed: who has one
/// gets in while somebody else keeps guessing.
pub async fn judge(app: &App, tx: &mut Tx, account: &Account, code: &str) -> Result<Verdict> {
    let (now, user_id) = (app.clock.now(), account.user_id);
    let Some(factor) = store::lock(tx, user_id).await? else { return Ok(Verdict::Wrong) };
    match Code::read(code) {
        None => Ok(Verdict::Wrong),
        Some(Code::Recovery(code)) => {
            if !store::take_code(tx, user_id, &app.keys.recovery_code_mac(user_id.0, &code)).await? {
                return Ok(Verdict::Wrong);
            }
            alarm(app, tx, account, Incident::RecoveryCodeUsed).await?;
            Ok(Verdict::Right)
        }
        Some(Code::App(code)) => {
            if let Some(until) = waits(factor.failures, factor.failed_at).filter(|until| *until > now) {
                return Ok(Verdict::TooMany(until));
            }
            let secret = app.keys.open_second_factor(user_id.0, &factor.secret);
            let secret =
                secret.ok_or_else(|| Error::internal("a second factor was sealed under another JWT_SECRET"))?;
            let authenticator = codes::app(secret, app.config.http.host(), "")?;
            match codes::step_of(&authenticator, &code, now) {
                // One that was right, and was used, is no guess.
                Some(step) => {
                    Ok(if store::take_step(tx, user_id, step).await? { Verdict::Right } else { Verdict::Wrong })
                }
                None => {
                    store::note_failure(tx, user_id, now).await?;
                    Ok(Verdict::Wrong)
                }
            }
        }
    }
}

/// Takes a code as proof of who asks, where a second factor is in force.
pub async fn prove(app: &App, account: &Account, code: &str) -> Result<()> {
    if account.second_factor_at.is_none() {
        return Err(wrong());
    }
    let now = app.clock.now();
    let verdict = app.db.transaction(async move |tx| judge(app, tx, account, code).await).await?;
    verdict.into_result(now)
}

fn waits(failures: i32, failed_at: Option<Instant>) -> Option<Instant> {
    let costly = failures.checked_sub(FREE).filter(|costly| *costly >= 0)?;
    let wait = WAIT * 2_i32.saturating_pow(costly.min(20).unsigned_abs());
    Some(failed_at? + wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_costs_more_each_time_and_never_for_ever() {
        let at = Instant::default();
        let wait = |failures| waits(failures, Some(at)).map(|until| (until - at).num_seconds());
        assert_eq!([wait(0), wait(4), wait(5), wait(6), wait(9)], [None, None, Some(30), Some(60), Some(480)]);
        assert_eq!((wait(12), wait(i32::MAX)), (Some(3600), Some(3600)));
    }
}
