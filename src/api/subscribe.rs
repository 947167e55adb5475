//! Executing subscriptions: each for whoever asked, and together for those who are shown the same.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_stream::stream;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::answer::{Stage, finish};
use super::execute::{Executor, Operation, charge, panicked};
use crate::answer::Answer;
use crate::app::App;
use crate::context::Scope;
use crate::error::{Code, Error, Result};
use crate::limits::{Budget, Payer};
use crate::subscription::{Delivery, Part, Shape, Sharing, Show, SourceEvent};

/// Before an event is shown again that could not be: nobody is told of what comes after it.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Times that showing an event to all may take too long before they are told so. A database that is busy passes; an event
/// that always takes too long would be tried for ever, and nobody would hear why nothing comes.
const TIMEOUTS: usize = 3;

/// What a subscriber is shown of an event.
pub struct Shown {
    pub answer: Answer,
    /// Of those who are shown something made for them alone; to be kept for as long as the answer.
    pub place: Option<OwnedSemaphorePermit>,
}

impl From<Answer> for Shown {
    fn from(answer: Answer) -> Self {
        Self { answer, place: None }
    }
}

impl Executor {
    /// Runs a subscription: an answer for each event. One that cannot be opened, or cannot be shown, ends it: going on
    /// past an event that the client did not get would be a silent hole, and it resumes after the last one it has.
    ///
    /// What is shown to this subscriber alone waits for one of the `places` before it is made: whoever has many
    /// subscriptions, and reads none, has few answers kept.
    pub fn subscribe(
        &self,
        operation: Operation,
        scope: Arc<Scope>,
        places: Arc<Semaphore>,
    ) -> BoxStream<'static, Shown> {
        let (executor, operation) = (self.clone(), Arc::new(operation));
        let (request_id, span) = (scope.request_id.clone(), Span::current());
        let shown = stream! {
            let mut is_new = operation.is_new;
            // Boxed, as is what shows an event: between two of them a subscription is small.
            let mut source = match executor.open(&operation, &scope).instrument(span.clone()).boxed().await {
                Ok(source) => source,
                Err(refused) => {
                    yield Shown::from(refused);
                    return;
                }
            };
            while let Some(delivery) = source.next().await {
                let shown = match delivery {
                    Ok(Delivery::Shown(answer)) => Shown::from(answer),
                    Ok(Delivery::Event(event)) => {
                        if let Some(viewer) = scope.viewer() {
                            let (limits, payer) = (&scope.app().limits, Payer::User(viewer.user_id));
                            limits.wait_for(Budget::Events, payer, operation.cost).boxed().await;
                        }
                        let place = places.clone().acquire_owned().await.ok();
                        let scope = Arc::new(scope.part_of_it(Part::Showing(event)));
                        Shown { answer: executor.show(&operation, scope).instrument(span.clone()).boxed().await, place }
                    }
                    Err(error) => Shown::from(Answer::refuse(&error, &scope.request_id)),
                };
                executor.documents.keep_if_valid(&operation.document, std::mem::take(&mut is_new), &shown.answer);
                let is_over = matches!(shown.answer, Answer::Refused(..));
                yield shown;
                if is_over {
                    return;
                }
            }
        };
        AssertUnwindSafe(shown)
            .catch_unwind()
            .map(move |shown| shown.unwrap_or_else(|_panic| Answer::refuse(&panicked(), &request_id).into()))
            .boxed()
    }

    /// Opens the source stream, with the rights of whoever asks.
    async fn open(
        &self,
        operation: &Arc<Operation>,
        scope: &Arc<Scope>,
    ) -> Result<BoxStream<'static, Result<Delivery>>, Answer> {
        charge(operation, scope).map_err(|error| Answer::refuse(&error, &scope.request_id))?;
        let part = Part::opening(self.sharing(operation, scope.app()), self.showing(operation, scope));
        let opening = Arc::new(scope.part_of_it(part));
        match self.schema.stream(operation.request(opening.clone())).next().await {
            Some(response) => Err(finish(response, Stage::Delivering, &scope.request_id)),
            None => opening.part().and_then(Part::take_source).ok_or_else(|| {
                // By `@skip` or `@include`.
                let error = Error::new(Code::BadRequest, "A subscription has one field at its root, and this has none");
                Answer::refuse(&error, &scope.request_id)
            }),
        }
    }

    /// Shows an event.
    async fn show(&self, operation: &Operation, scope: Arc<Scope>) -> Answer {
        match self.schema.stream(operation.request(scope.clone())).next().await {
            Some(response) => finish(response, Stage::Delivering, &scope.request_id),
            None => Answer::refuse(&Error::internal("an event that is not of its field"), &scope.request_id),
        }
    }

    /// How whoever asked is shown an event by somebody who does it for many.
    fn showing(&self, operation: &Arc<Operation>, scope: &Arc<Scope>) -> Arc<Show> {
        let (executor, operation, scope) = (self.clone(), operation.clone(), scope.clone());
        Arc::new(move |event, loaders| {
            let (executor, operation) = (executor.clone(), operation.clone());
            let part = Arc::new(scope.part_of_it(Part::Showing(event)).with_loaders(loaders));
            async move {
                let shown = AssertUnwindSafe(executor.show(&operation, part.clone())).catch_unwind().await;
                shown.unwrap_or_else(|_panic| Answer::refuse(&panicked(), &part.request_id))
            }
            .boxed()
        })
    }

    /// With whom this operation is shown events.
    fn sharing(&self, operation: &Arc<Operation>, app: &App) -> Sharing {
        let document = &operation.document;
        let plan = document.plan.get_or_init(|| self.schema.marks().plan(&document.tree));
        if !plan.is_the_same_for_all || document.is_private.load(Ordering::Relaxed) {
            return Sharing::default();
        }
        let variables = plan.distinguishing(&operation.variables.unpacked());
        let shape = format!("{:x?} {:?} {variables}", document.digest, operation.name);
        let (executor, operation, app) = (self.clone(), operation.clone(), app.clone());
        Sharing::by(Shape(shape.into()), move |event| {
            let (executor, operation, app) = (executor.clone(), operation.clone(), app.clone());
            async move { executor.show_to_all(&operation, &app, event).await }.boxed()
        })
    }

    /// Shows an event to all who are shown the same, whoever they are; `None` where that is not for all. What passes is
    /// waited for: an error would end the streams of all at once, and they would all come back at once.
    async fn show_to_all(&self, operation: &Operation, app: &App, event: SourceEvent) -> Option<Answer> {
        let is_private = &operation.document.is_private;
        let mut timeouts = 0;
        loop {
            if is_private.load(Ordering::Relaxed) {
                return None;
            }
            let scope = Arc::new(Scope::for_all(app.clone(), Uuid::new_v4().to_string(), event.clone()));
            let shown = AssertUnwindSafe(self.show(operation, scope.clone())).catch_unwind().await;
            if scope.missed_viewer() {
                is_private.store(true, Ordering::Relaxed);
                tracing::warn!(operation = operation.name, "it depends on who asks, but its fields do not say so");
                return None;
            }
            match shown {
                Ok(Answer::Refused(Code::Unavailable, _)) => sleep(TRY_AGAIN).await,
                Ok(Answer::Refused(Code::Timeout, _)) if timeouts + 1 < TIMEOUTS => {
                    timeouts += 1;
                    sleep(TRY_AGAIN).await;
                }
                Ok(answer) => return Some(answer),
                Err(_panic) => return Some(Answer::refuse(&panicked(), &scope.request_id)),
            }
        }
    }
}
