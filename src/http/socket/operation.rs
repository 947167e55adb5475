//! One operation on a socket, from its text to its last frame.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ANSWER;
use super::protocol::Running;
use super::queue::{Content, Queue};
use crate::api::execute::{Answer, Kind, Operation, Params};
use crate::context::Scope;
use crate::error::{Code, Error};
use crate::http::Http;
use crate::http::last_words::until_last_words;

/// Queries of one socket that run, or whose answers wait for room in the queue.
const QUERIES: usize = 4;

/// What bounds the answers of one socket that are made, or being made, and not yet in its queue: each may be as large as
/// `ANSWER`, and waits until the client has read what was made before it. A clone bounds the same.
///
/// A query begins when it has one of a few places. Nothing is lost while it waits, and for a client that does not read no
/// more is made. A mutation begins at once: what somebody sends is to be done when it comes, not when answers to something
/// else have been read, and not never because the connection broke before that. So it is its answer that has to find room,
/// among those of other mutations, when it is made; an error says so where it finds none.
#[derive(Clone)]
pub struct Answers {
    queries: Arc<Semaphore>,
    /// In bytes.
    of_mutations: Arc<Semaphore>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { queries: Arc::new(Semaphore::new(QUERIES)), of_mutations: Arc::new(Semaphore::new(ANSWER)) }
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

impl Task {
    pub async fn operate(self, params: Box<Params>) {
        let (brief, _stream) = (self.brief.token(), self.streams.token());
        // Whatever ends an operation was said to the client, or there is none any more.
        let _: Result<(), Over> = match self.http.executor.prepare(*params, &self.scope.request_id) {
            Err(refused) => self.push(refused).await,
            Ok(operation) => match operation.kind {
                Kind::Query => self.query(operation).await,
                Kind::Mutation => self.mutate(operation).await,
                Kind::Subscription => {
                    drop(brief);
                    self.deliver(operation).await
                }
            },
        };
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

    async fn deliver(&self, operation: Operation) -> Result<(), Over> {
        let answers = self.http.executor.subscribe(operation, self.scope.clone());
        let mut answers = pin!(until_last_words(answers, self.ended.cancelled()));
        while let Some(answer) = answers.next().await {
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
