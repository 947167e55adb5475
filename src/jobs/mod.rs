//! Work that is done after the transaction that causes it, and surely: what the world outside has to be told, what is to
//! happen later, and what happens again and again.
//!
//! A transaction enqueues jobs (`Tx::enqueue`), so that they are there exactly if it is committed. Whichever server has
//! room takes them (`work`), each under a lease, and without a transaction while it runs: when a server dies in the middle,
//! others take its jobs once their leases have ended. So a job runs at least once, and whoever writes one makes sure that
//! twice does no harm. One that fails is tried again, later each time, and after its last attempt is a dead letter, which
//! `/health` counts and `chinwag jobs` lists, retries and drops. It takes one line, as in
//! `tx.enqueue(Digest { user_id }).keyed(user_id.to_string()).at(now + DELAY)`.

mod attempt;
mod dead_letters;
mod kinds;
mod store;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Notify;

pub use dead_letters::{Which, count, drop, list, retry};
pub use kinds::Kinds;
pub use store::DeadLetter;
pub use work::work;

use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::JobId;

/// A kind of work. What is kept of a job is its JSON: a field that is added needs `#[serde(default)]`, as jobs of the
/// version before may still wait.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// Names it in the table, for ever.
    const KIND: &'static str;
    /// An attempt that takes longer is stopped, and has failed.
    const TIME_LIMIT: Duration = Duration::from_secs(30);
    /// After so many it is a dead letter. Ten take about three quarters of an hour.
    const ATTEMPTS: i32 = 10;
    /// As many run on one server at the same moment: what waits for a slow world leaves room for the others.
    const AT_ONCE: usize = 3;
    /// Whether it mostly waits for the world outside, without a connection to the database: then it has room of its own, and
    /// a world that hangs holds up nothing else.
    const WAITS: bool = false;

    /// An attempt. It may have been made before, whole or in part.
    fn run(self, app: &App) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A kind of which there is always one, which is enqueued anew as it ends, however it ends: it runs once in a while, on one
/// of all servers.
pub trait Recurring: Job + Default {
    /// From the end of one run to the beginning of the next.
    const EVERY: TimeDelta;
}

/// The key of those that recur: there is one of each kind.
const RECURRING: &str = "recurring";

/// Why an attempt failed, and what comes of that.
#[derive(Debug)]
pub struct Failure {
    error: Error,
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Tried again after a while, longer each time.
    BackOff,
    /// Tried again not before this has passed, as the one who refused it asked for.
    After(TimeDelta),
    /// It would fail every time.
    Die,
}

impl Failure {
    /// Trying again is of no use: a dead letter at once.
    pub fn for_good(error: Error) -> Self {
        Self { error, then: Then::Die }
    }

    /// Whether trying again is of no use.
    pub fn is_final(&self) -> bool {
        self.then == Then::Die
    }

    /// What happened, for the log.
    pub fn cause(&self) -> Option<&str> {
        self.error.cause()
    }

    /// To be tried again, and not before this has passed.
    pub fn try_after(error: Error, wait: TimeDelta) -> Self {
        Self { error, then: Then::After(wait) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, then: Then::BackOff }
    }
}

/// A job of a transaction that has not been committed.
pub struct NewJob {
    kind: String,
    unique_key: Option<String>,
    payload: Value,
    /// At once where it is not said.
    due_at: Option<Instant>,
}

impl NewJob {
    pub(crate) fn of<J: Job>(job: &J) -> Self {
        let payload = serde_json::to_value(job).expect("fields and texts, which all have a form in JSON");
        Self { kind: J::KIND.to_owned(), unique_key: None, payload, due_at: None }
    }

    /// Of a kind there is one at most with this key, dead letters aside. Where one waits, that one stays, takes over what
    /// this one is to do, and runs at the earlier time of both; but after a failed attempt not before its next one. Where
    /// one runs, it runs once more when it is done: the two never run at the same moment.
    pub fn keyed(&mut self, key: impl Into<String>) -> &mut Self {
        self.unique_key = Some(key.into());
        self
    }

    /// The one that there always is of a `Recurring` kind: while it runs, it may say with this how and when it goes on.
    pub fn recurring(&mut self) -> &mut Self {
        self.keyed(RECURRING)
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due_at.is_none_or(|due_at| due_at <= now)
    }

    /// Not before this.
    pub fn at(&mut self, instant: Instant) -> &mut Self {
        self.due_at = Some(instant);
        self
    }
}

/// Enqueues what a transaction gathered, in one statement. Called as it is committed: rows of keys are locked for no longer
/// than that, and all transactions lock them in the same order.
pub(crate) async fn enqueue(tx: &mut Tx, jobs: Vec<NewJob>, now: Instant) -> Result<()> {
    Ok(store::insert(tx, &rows(jobs, now)).await?)
}

/// As they stand in the table: one of each key.
fn rows(jobs: Vec<NewJob>, now: Instant) -> Vec<store::Row> {
    let mut keyed = BTreeMap::<(String, String), store::Row>::new();
    let mut rows = Vec::new();
    for job in jobs {
        let row = store::Row {
            id: JobId::at(now),
            kind: job.kind,
            unique_key: job.unique_key,
            payload: job.payload,
            due_at: job.due_at.unwrap_or(now),
            enqueued_at: now,
        };
        match &row.unique_key {
            None => rows.push(row),
            Some(key) => {
                let key = (row.kind.clone(), key.clone());
                let due_at = keyed.get(&key).map_or(row.due_at, |other| row.due_at.min(other.due_at));
                keyed.insert(key, store::Row { due_at, ..row });
            }
        }
    }
    rows.extend(keyed.into_values());
    rows
}

/// Wakes the one who works on this server when there may be something to do: news that may be lost, as the table is looked
/// at from time to time anyway. A clone wakes the same one.
#[derive(Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    pub fn ring(&self) {
        self.0.notify_one();
    }

    async fn rung(&self) {
        self.0.notified().await;
    }
}
