//! Taking jobs and running them, for as long as the server runs.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::attempt;
use super::kinds::{Kind, Kinds};
use super::store::{self, Leased, Wanted};
use crate::app::App;
use crate::error::Result;

/// Jobs that run on this server at the same moment. Each has one connection to the database at most, so half of those with
/// which something can be changed at once stay with the requests.
const AT_ONCE: usize = 5;
/// Those of kinds that wait for the world outside, and have none while they do.
const WAITING: usize = 64;
/// Between two looks at the table. What is due at once is told of; this is for what is due later, and for what was told to
/// nobody.
const LOOK_EVERY: TimeDelta = TimeDelta::seconds(2);
/// By this much a lease is longer than an attempt may take: for telling how it went, and as the clocks of two servers
/// differ.
const LEASE_OUTLIVES: TimeDelta = TimeDelta::seconds(30);
/// For what runs when the server stops.
const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// Works until told to stop; what runs then is waited for, and what takes too long is left to other servers.
pub async fn work(app: &App, kinds: &Kinds, shutdown: &CancellationToken) {
    let mut running = Hands::default();
    let mut is_tended = false;
    while !shutdown.is_cancelled() {
        if !is_tended {
            is_tended = tend(app, kinds).await.is_ok();
        }
        match take(app, kinds, &running).await {
            Ok(jobs) => jobs.into_iter().for_each(|(kind, job)| running.begin(app, kind, job)),
            Err(error) => tracing::debug!(?error, "could not look for jobs"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = running.one_ends() => {}
            () = app.jobs.rung() => {}
            () = app.clock.reach(app.clock.now() + LOOK_EVERY) => {}
        }
    }
    if timeout(STOPS_WITHIN, running.all_end()).await.is_err() {
        let left = running.let_go();
        tracing::warn!(left = left.len(), "stopped before all jobs were done: they are left to others");
        let now = app.clock.now();
        let left = &left;
        let released = app.db.transaction(async move |tx| Ok(store::release(tx, left, now).await?)).await;
        if let Err(error) = released {
            tracing::warn!(?error, "they are taken when their leases have ended");
        }
    }
}

/// Has one of each kind that recurs. One that is there stays as it is.
async fn tend(app: &App, kinds: &Kinds) -> Result<()> {
    let now = app.clock.now();
    let recurring = kinds.all().filter_map(|kind| kind.recurs).map(|(every, job)| {
        let mut job = job();
        job.at(now + every);
        job
    });
    let rows = &super::rows(recurring.collect(), now);
    if rows.is_empty() {
        return Ok(());
    }
    app.db.transaction(async move |tx| Ok(store::insert_missing(tx, rows).await?)).await
}

/// Leases as many as there is room for, those that are due longest first. What runs here is not taken once more, even if its
/// lease has ended: a clock that was set forward, or a machine that slept, ends leases of jobs that are as alive as before.
async fn take(app: &App, kinds: &Kinds, running: &Hands) -> Result<Vec<(Kind, Leased)>> {
    let waiting = kinds.all().filter(|kind| kind.waits).map(|kind| running.of(kind.name)).sum::<usize>();
    let others = running.tasks.len() - waiting;
    let mut taken = take_some(app, kinds, running, false, AT_ONCE.saturating_sub(others)).await?;
    taken.extend(take_some(app, kinds, running, true, WAITING.saturating_sub(waiting)).await?);
    Ok(taken)
}

/// The same, of the kinds that wait or of those that do not.
async fn take_some(
    app: &App,
    kinds: &Kinds,
    running: &Hands,
    that_wait: bool,
    room: usize,
) -> Result<Vec<(Kind, Leased)>> {
    let now = app.clock.now();
    let wanted: Vec<Wanted> = kinds
        .all()
        .filter(|kind| kind.waits == that_wait)
        .map(|kind| Wanted {
            kind: kind.name,
            until: now + TimeDelta::from_std(kind.time_limit).unwrap_or(TimeDelta::MAX) + LEASE_OUTLIVES,
            room: kind.at_once.saturating_sub(running.of(kind.name)) as i64,
        })
        .filter(|wanted| wanted.room > 0)
        .collect();
    if room == 0 || wanted.is_empty() {
        return Ok(Vec::new());
    }
    let lease = uuid::Uuid::new_v4();
    let (wanted, here) = (&wanted, running.jobs.values().map(|job| job.id).collect());
    let taken = app.db.transaction(async move |tx| Ok(store::take(tx, wanted, here, lease, now, room as i64).await?));
    let jobs = taken.await?;
    Ok(jobs.into_iter().filter_map(|job| Some((kinds.get(&job.kind)?, job))).collect())
}

/// What runs. Dropping it stops all of it.
#[derive(Default)]
struct Hands {
    tasks: JoinSet<()>,
    jobs: HashMap<Id, Leased>,
}

impl Hands {
    fn begin(&mut self, app: &App, kind: Kind, job: Leased) {
        let task = self.tasks.spawn(attempt::attempt(app.clone(), kind, job.clone()));
        self.jobs.insert(task.id(), job);
    }

    fn of(&self, kind: &str) -> usize {
        self.jobs.values().filter(|job| job.kind == kind).count()
    }

    /// For ever, if none runs.
    async fn one_ends(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.forget(ended),
            None => std::future::pending().await,
        }
    }

    async fn all_end(&mut self) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.jobs.remove(&id);
    }

    fn let_go(self) -> Vec<Leased> {
        // The tasks end with their set.
        self.jobs.into_values().collect()
    }
}
