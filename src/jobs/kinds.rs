//! The kinds of work that a server knows how to do. It takes no others: those of a newer version wait for a newer server.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;

use super::{Failure, Job, NewJob, Recurring};
use crate::app::App;
use crate::error::Error;

/// Kinds by their names.
#[derive(Clone, Default)]
pub struct Kinds(BTreeMap<&'static str, Kind>);

#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub name: &'static str,
    pub time_limit: Duration,
    pub attempts: i32,
    pub at_once: usize,
    pub waits: bool,
    /// How long after its end it runs again, and how it is enqueued.
    pub recurs: Option<(TimeDelta, fn() -> NewJob)>,
    pub run: fn(App, Value) -> Running,
}

pub(super) type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

impl Kinds {
    /// Also those.
    pub fn with<J: Job>(self) -> Self {
        self.and::<J>(None)
    }

    /// Also those, again and again.
    pub fn with_recurring<J: Recurring>(self) -> Self {
        self.and::<J>(Some((J::EVERY, || {
            let mut job = NewJob::of(&J::default());
            job.recurring();
            job
        })))
    }

    fn and<J: Job>(mut self, recurs: Option<(TimeDelta, fn() -> NewJob)>) -> Self {
        let kind = Kind {
            name: J::KIND,
            time_limit: J::TIME_LIMIT,
            attempts: J::ATTEMPTS,
            at_once: J::AT_ONCE,
            waits: J::WAITS,
            recurs,
            run: |app, payload| {
                Box::pin(async move {
                    let job: J = serde_json::from_value(payload).map_err(|error| {
                        Failure::for_good(Error::internal(format!("what it is to do cannot be read: {error}")))
                    })?;
                    job.run(&app).await
                })
            },
        };
        assert!(self.0.insert(kind.name, kind).is_none(), "two kinds of jobs are named {}", kind.name);
        self
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Kind> {
        self.0.values()
    }

    pub(super) fn get(&self, name: &str) -> Option<Kind> {
        self.0.get(name).copied()
    }
}
