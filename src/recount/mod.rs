//! Counters against what they count. They are kept by the transactions that change what is counted, so they are right by
//! construction; and a fault in that would stay unseen for years. So some are counted anew from time to time, and what
//! differs is logged. It is not mended: the next wrong number would come as surely, and nobody would know of the first.

mod store;

use std::marker::PhantomData;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

pub use store::{Counted, Counter, Counters, Place};

use crate::app::App;
use crate::error::Result;
use crate::jobs::{Failure, Job, Recurring};

/// Counters of one look: few enough for a statement of some milliseconds.
const AT_ONCE: i64 = 500;
/// Between two looks at counters of one kind.
const EVERY: TimeDelta = TimeDelta::minutes(10);

/// Counts some anew, on from where the one before ended, and from the first after the last.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Recount<C> {
    after: Place,
    #[serde(skip)]
    of: PhantomData<fn() -> C>,
}

impl<C> Default for Recount<C> {
    fn default() -> Self {
        Self { after: Place::default(), of: PhantomData }
    }
}

impl<C: Counter> Job for Recount<C> {
    const KIND: &'static str = C::KIND;

    async fn run(self, app: &App) -> Result<(), Failure> {
        let (wrong, next) = recount::<C>(app, &self.after, AT_ONCE).await?;
        for Counted { place, kept, truth } in wrong {
            let Place(id, seq, name) = place;
            tracing::warn!(counter = C::KIND, %id, seq, name, kept, truth, "a counter is wrong");
        }
        let (at, next) = (app.clock.now() + EVERY, &next);
        app.db
            .transaction(async move |tx| {
                tx.enqueue(Self { after: next.clone(), of: PhantomData }).recurring().at(at);
                Ok(())
            })
            .await?;
        Ok(())
    }
}

impl<C: Counter> Recurring for Recount<C> {
    const EVERY: TimeDelta = EVERY;
}

/// Those after a place that are wrong, and where to go on.
pub async fn recount<C: Counter>(app: &App, after: &Place, limit: i64) -> Result<(Vec<Counted>, Place)> {
    let mut counted = app.db.read(async move |conn| store::counted::<C>(conn, after, limit).await).await?;
    let is_more = counted.len() as i64 >= limit;
    let next = counted.last().filter(|_| is_more).map(|last| last.place.clone()).unwrap_or_default();
    counted.retain(|counter| counter.kept != counter.truth);
    Ok((counted, next))
}
