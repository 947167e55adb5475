//! One operation on a socket, from its text to its last frame.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ANSWER;
use super::protocol::Running;
use super::queue::{Content, Queue};
use crate::api::execute::{Answer, Kind, Operation, Params};
use crate::api::subscribe::Shown;
use crate::context::Scope;
use crate::error::{Code, Error};
use crate::http::Http;
use crate::http::last_words::until_last_words;

/// Queries of one socket that run, or whose answers wait for room in the queue.
const QUERIES: usize = 4;
/// The same of events that are shown to this socket alone.
const EVENTS: usize = 4;

/// What bounds the answers of one socket that are made, or being made, and not yet in its queue: each may be as large as
/// `ANSWER`, and waits until the client has read what was made before it. A clone bounds the same.
///
/// A query begins when it has one of a few places. Nothing is lost while it waits, and for a client that does not read no
/// more is made. A mutation begins at once: what somebody sends is to be done when it comes, not when answers to something
/// else have been read, and not never because the connection broke before that. So it is its answer that has to find room,
/// among those of other mutations, when it is made; an error says so where it finds none. What was shown to many is there
/// already, and the socket takes nothing by waiting for it; an event that is shown to this socket alone is like a query.
#[derive(Clone)]
pub struct Answers {
    queries: Arc<Semaphore>,
    events: Arc<Semaphore>,
    /// In bytes.
    of_mutations: Arc<Semaphore>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            queries: Arc::new(Semaphore::new(QUERIES)),
            events: Arc::new(Semaphore::new(EVENTS)),
            of_mutations: Arc::new(Semaphore::new(ANSWER)),
        }
    }
}

impl Answers {
    fn room_for(&self, body: &[u8]) -> Option<OwnedSemaphorePermit> {
        self.of_mutations.clone().try_acquire_many_owned(u32::try_from(body.len()).ok()?).ok()
    }
}

pub struct Task {
    pub http: Http,
    pub scope: Arc<Scope>,
    pub running: Arc<Running>,
    pub queue: Queue,
    pub brief: TaskTracker,
    pub streams: TaskTracker,
    pub answers: Answers,
    pub ended: Arc<CancellationToken>,
}

/// Nothing follows.
struct Over;

/// What is left to do for an operation.
pub enum Work {
    /// A query or a mutation.
    Computes(BoxFuture<'static, ()>),
    /// Mostly for something to happen, or for room.
    Waits(BoxFuture<'static, ()>),
}

impl Task {
    /// Whatever ends the operation was said to the client then, or there is none any more.
    pub fn begin(self, params: Params) -> Work {
        let stream = self.streams.token();
        match self.http.executor.prepare(params, &self.scope) {
            Err(refused) => Work::Waits(async move { drop((self.push(refused).await, stream)) }.boxed()),
            Ok(operation) if operation.kind == Kind::Subscription => {
                let shown = self.http.executor.subscribe(operation, self.scope.clone(), self.answers.events.clone());
                Work::Waits(async move { drop((self.deliver(shown).await, stream)) }.boxed())
            }
            Ok(operation) => {
                let brief = self.brief.token();
                Work::Computes(async move { drop((self.run(operation).await, brief, stream)) }.boxed())
            }
        }
    }

    async fn run(&self, operation: Operation) -> Result<(), Over> {
        match operation.kind {
            Kind::Mutation => self.mutate(operation).await,
            _ => self.query(operation).await,
        }
    }

    async fn query(&self, operation: Operation) -> Result<(), Over> {
        let _place = self.answers.queries.acquire().await.map_err(|_| Over)?;
        let answer = self.http.executor.run(operation, self.scope.clone()).await;
        self.push(self.fit(answer)).await?;
        self.complete().await
    }

    async fn mutate(&self, operation: Operation) -> Result<(), Over> {
        let answer = self.http.executor.run(operation, self.scope.clone()).await;
        let (answer, _room) = match answer {
            Answer::Executed(body) => match self.answers.room_for(&body) {
                Some(room) => (Answer::Executed(body), Some(room)),
                None => (self.too_large("This is done, but its answer is too large for a socket", &body), None),
            },
            refused => (refused, None),
        };
        self.push(answer).await?;
        self.complete().await
    }

    async fn deliver(&self, shown: BoxStream<'static, Shown>) -> Result<(), Over> {
        let mut shown = pin!(until_last_words(shown, self.ended.cancelled()));
        while let Some(Shown { answer, place: _place }) = shown.next().await {
            self.push(self.fit(answer)).await?;
        }
        self.complete().await
    }

    /// What is too large for a socket is an error of the operation, not the end of the socket.
    fn fit(&self, answer: Answer) -> Answer {
        match answer {
            Answer::Executed(body) if body.len() > ANSWER => {
                self.too_large("The answer is too large for a socket", &body)
            }
            answer => answer,
        }
    }

    fn too_large(&self, message: &'static str, body: &[u8]) -> Answer {
        let error = Error::new(Code::OperationTooComplex, message);
        Answer::refuse(&error.with("cost", body.len()).with("limit", ANSWER), &self.scope.request_id)
    }

    /// Waits for room in the queue.
    async fn push(&self, answer: Answer) -> Result<(), Over> {
        match answer {
            Answer::Executed(body) => self.queue.push(&self.running, Content::Next(body)).await.map_err(|_| Over),
            Answer::Refused(_, errors) => {
                let _ = self.queue.push(&self.running, Content::Error(errors)).await;
                Err(Over)
            }
        }
    }

    async fn complete(&self) -> Result<(), Over> {
        self.queue.push(&self.running, Content::Complete).await.map_err(|_| Over)
    }
}
