//! One attempt, and what comes of it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use super::kinds::Kind;
use super::store::{self, Leased};
use super::{Failure, NewJob, Then};
use crate::app::App;
use crate::error::{Code, Error, Result};

/// From the first failed attempt to the second; twice as long each time.
const BACK_OFF: TimeDelta = TimeDelta::seconds(5);
/// And no longer than this.
const LONGEST_BACK_OFF: TimeDelta = TimeDelta::hours(1);
/// Characters of an error that are kept.
const ERROR: usize = 1_000;
/// A database that was away is told again how it went.
const TELL_AGAIN: Duration = Duration::from_secs(1);
/// So often: by then the lease has ended, and somebody else does it anyway.
const TELLINGS: usize = 30;

pub(super) async fn attempt(app: App, kind: Kind, job: Leased) {
    let span = tracing::info_span!("job", kind = kind.name, id = %job.id, attempt = job.attempts);
    let attempt = async {
        let ended = run(&app, kind, &job).await;
        for _ in 0..TELLINGS {
            match settle(&app, kind, &job, &ended).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(?error, "could not tell how a job ended"),
            }
            sleep(TELL_AGAIN).await;
        }
    };
    attempt.instrument(span).await;
}

async fn run(app: &App, kind: Kind, job: &Leased) -> Result<(), Failure> {
    if job.attempts > kind.attempts {
        // The ones before ended with their servers, perhaps by what the job does to them.
        return Err(Failure::for_good(Error::internal("no attempt came to its end")));
    }
    let work = AssertUnwindSafe((kind.run)(app.clone(), job.payload.clone())).catch_unwind();
    match timeout(kind.time_limit, work).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(panic)) => Err(Error::internal(format!("panicked: {}", words_of(&*panic))).into()),
        Err(_) => Err(Error::new(Code::Timeout, "It took too long and was stopped").into()),
    }
}

/// Writes down how it ended, unless its lease was lost meanwhile: then somebody else does.
async fn settle(app: &App, kind: Kind, job: &Leased, ended: &Result<(), Failure>) -> Result<()> {
    let now = app.clock.now();
    let recurs_at = kind.recurs.map(|(every, _)| now + every);
    app.db
        .transaction(async move |tx| {
            let Some(row) = store::lock(tx, job).await? else {
                tracing::warn!("a job took longer than its lease");
                return Ok(());
            };
            let next = row.again_at.into_iter().chain(recurs_at).min();
            let Err(Failure { error, then }) = ended else {
                match next {
                    None => store::delete(tx, job.id).await?,
                    Some(at) => store::renew(tx, job.id, at).await?,
                }
                return Ok(());
            };
            let why = words(error);
            if *then == Then::Die || job.attempts >= kind.attempts {
                tracing::error!(why, "a job failed for good: see `chinwag jobs list`");
                store::bury(tx, job.id, &why, now).await?;
                if let Some(at) = next {
                    let (kind, unique_key, payload) = (job.kind.clone(), row.unique_key, row.payload);
                    tx.outbox().jobs.push(NewJob { kind, unique_key, payload, due_at: Some(at) });
                }
                return Ok(());
            }
            let at = now + wait(*then, job.attempts);
            tracing::warn!(why, again = %at, "a job failed");
            store::put_back(tx, job.id, &why, at.max(row.again_at.unwrap_or(at))).await?;
            Ok(())
        })
        .await
}

/// Somewhere in the second half of the back-off, so that what failed together does not come back together.
fn wait(then: Then, attempts: i32) -> TimeDelta {
    let doublings = attempts.clamp(1, 16) - 1;
    let whole = (BACK_OFF * (1 << doublings)).min(LONGEST_BACK_OFF);
    let back_off = TimeDelta::milliseconds((whole.num_milliseconds() as f64 * rand::random_range(0.5..1.0)) as i64);
    match then {
        Then::After(wait) => back_off.max(wait),
        _ => back_off,
    }
}

fn words(error: &Error) -> String {
    error.cause().unwrap_or(error.message()).chars().take(ERROR).collect()
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_is_waited_for_longer_up_to_an_hour() {
        for (attempts, seconds) in [(1, 5), (2, 10), (3, 20), (9, 1280), (10, 2560), (11, 3600), (1000, 3600)] {
            for _ in 0..100 {
                let waited = wait(Then::BackOff, attempts);
                let whole = TimeDelta::seconds(seconds);
                assert!(waited >= whole / 2 && waited <= whole, "{attempts}: {waited}");
            }
        }
    }

    #[test]
    fn whoever_asked_for_time_gets_it() {
        assert_eq!(wait(Then::After(TimeDelta::days(1)), 1), TimeDelta::days(1));
    }
}
