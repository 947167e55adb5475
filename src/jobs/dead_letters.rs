//! Jobs that failed for good: whoever runs the server looks at them, and has them tried again or dropped.

use std::collections::BTreeSet;

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::{DeadLetter, NewJob, store};
use crate::app::App;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::JobId;

/// Dead letters are counted up to here.
const COUNTED: i64 = 1_000;

impl DeadLetter {
    /// As operators are shown it. What it was to do is not: that may be somebody's letter, or a token.
    pub fn as_json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "kind": self.kind,
            "key": self.unique_key,
            "attempts": self.attempts,
            "diedAt": self.died_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            "error": self.last_error,
        })
    }
}

/// Which of them.
#[derive(Clone, Debug)]
pub enum Which {
    All,
    These(Vec<JobId>),
}

/// All of them, those that died first first.
pub async fn list(app: &App) -> Result<Vec<DeadLetter>> {
    app.db.read(async |conn| store::dead(conn).await).await
}

/// How many there are, up to `COUNTED`: whoever looks after a server's health asks all the time.
pub async fn count(app: &App) -> Result<i64> {
    app.db.read(async |conn| store::count_dead(conn, COUNTED).await).await
}

/// Enqueues them anew, as if they had never been tried; answers how many. NOT_FOUND, and nothing is done, where one that is
/// named is no dead letter.
pub async fn retry(app: &App, which: &Which) -> Result<usize> {
    app.db
        .transaction(async move |tx| {
            let dead = take(tx, which).await?;
            let count = dead.len();
            for DeadLetter { kind, unique_key, payload, .. } in dead {
                tx.outbox().jobs.push(NewJob { kind, unique_key, payload, due_at: None });
            }
            Ok(count)
        })
        .await
}

/// Forgets them; answers how many. NOT_FOUND, and nothing is done, where one that is named is no dead letter.
pub async fn drop(app: &App, which: &Which) -> Result<usize> {
    app.db.transaction(async move |tx| Ok(take(tx, which).await?.len())).await
}

async fn take(tx: &mut Tx, which: &Which) -> Result<Vec<DeadLetter>> {
    let ids = match which {
        Which::All => return Ok(store::exhume(tx, None).await?),
        Which::These(ids) => ids,
    };
    let dead = store::exhume(tx, Some(ids)).await?;
    let found: BTreeSet<_> = dead.iter().map(|dead| dead.id).collect();
    match ids.iter().find(|id| !found.contains(id)) {
        Some(id) => Err(Error::not_found("dead letter").with_message(format!("{id} is no dead letter"))),
        None => Ok(dead),
    }
}
