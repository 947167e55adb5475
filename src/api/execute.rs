//! The one door to executing operations, for requests, streams and sockets alike: find or parse the document, admit,
//! execute, and finish the answer.
//!
//! What async-graphql would do by extensions stands in front of `execute` and behind it: any extension, even an empty
//! one, makes a large query half as slow again.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Name, ObjectType, Request, Response, Schema, SubscriptionType, Variables};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::answer::{Stage, finish};
pub use super::documents::Trusted;
use super::documents::{Asked, Document, Documents, PersistedQuery};
use super::plan::Marks;
use super::public;
use super::variables::Packed;
pub use crate::answer::Answer;
use crate::context::Scope;
use crate::error::{Code, Error, Result};
use crate::limits::{Budget, Payer};
use crate::viewer_events;

/// After this a query is dropped, and a mutation goes on unwatched.
const RUNS: Duration = Duration::from_secs(30);

/// Mutations under way at once. They go on when their client hangs up, so a client could start them without end.
const MUTATIONS: usize = 1_000;

/// What a client asks for, as it stands in a body, an address or a socket's message.
#[derive(Deserialize)]
#[serde(try_from = "Sent")]
pub struct Params {
    asked: Asked,
    operation_name: Option<String>,
    variables: Variables,
}

/// The same as it was sent, where the document has two places for its name and may be absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
    extensions: Option<Extensions>,
}

/// Others are taken from nobody.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    persisted_query: Option<PersistedQuery>,
}

impl TryFrom<Sent> for Params {
    type Error = &'static str;

    fn try_from(sent: Sent) -> Result<Self, Self::Error> {
        let named = match (sent.document_id.filter(|id| !id.is_empty()), sent.extensions) {
            (Some(id), _) => Some(PersistedQuery::named(id)),
            (None, extensions) => extensions.and_then(|extensions| extensions.persisted_query),
        };
        let asked = match (sent.query, named) {
            // Some send an empty text beside the name.
            (Some(text), Some(named)) if text.is_empty() => Asked::Named(named),
            (Some(text), named) => Asked::Sent(text, named),
            (None, Some(named)) => Asked::Named(named),
            (None, None) => return Err("neither a document nor its name"),
        };
        Ok(Self { asked, operation_name: sent.operation_name, variables: sent.variables })
    }
}

/// What an operation does; a document says so itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Query,
    Mutation,
    Subscription,
}

/// An operation that may run.
pub struct Operation {
    pub kind: Kind,
    pub(super) document: Arc<Document>,
    /// Whether its document is to be kept once it has run.
    pub(super) is_new: bool,
    /// Whether its document was named, and not sent.
    is_named: bool,
    pub(super) name: Option<String>,
    pub(super) variables: Packed,
    /// Objects that it makes; a subscription, for an event.
    pub(super) cost: u32,
}

impl Operation {
    /// Whether whoever stands between may keep its answer for a while, if nobody is signed in. What is sent anew each time
    /// would only fill their memory.
    pub fn is_public(&self) -> bool {
        let operation = choose(&self.document.tree, self.name.as_deref());
        self.is_named && operation.is_ok_and(|operation| public::is_public(&self.document.tree, operation))
    }

    /// Its fields at the root, each as often as it stands there.
    fn roots(&self) -> &[Name] {
        self.document.measured.roots(self.name.as_deref())
    }

    /// For one execution of it, or of a part of it.
    pub(super) fn request(&self, scope: Arc<Scope>) -> Request {
        // Without the text: nothing reads it beside a tree.
        let mut request = Request::new("").variables(self.variables.unpacked()).data(scope);
        request.operation_name = self.name.clone();
        request.set_parsed_query(self.document.tree.clone());
        request
    }
}

/// Executes operations of one schema. A clone executes the same.
#[derive(Clone)]
pub struct Executor {
    pub(super) schema: Arc<dyn Run>,
    pub(super) documents: Arc<Documents>,
    mutations: TaskTracker,
    /// What bounds them.
    places: Arc<Semaphore>,
}

/// Hides a schema's three roots: they would be parameters of everything that speaks HTTP.
pub(super) trait Run: Send + Sync {
    fn once(&self, request: Request) -> BoxFuture<'static, Response>;
    fn stream(&self, request: Request) -> BoxStream<'static, Response>;
    /// What it says of its fields, read when first asked for.
    fn marks(&self) -> &Marks;
}

/// A schema, and what it says of its fields.
struct Marked<S>(S, OnceLock<Marks>);

impl<Q, M, S> Run for Marked<Schema<Q, M, S>>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn once(&self, request: Request) -> BoxFuture<'static, Response> {
        let schema = self.0.clone();
        async move { schema.execute(request).await }.boxed()
    }

    fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.0.execute_stream(request)
    }

    fn marks(&self) -> &Marks {
        self.1.get_or_init(|| Marks::read(&self.0.sdl()))
    }
}

impl<Q, M, S> From<Schema<Q, M, S>> for Executor
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn from(schema: Schema<Q, M, S>) -> Self {
        Self {
            schema: Arc::new(Marked(schema, OnceLock::new())),
            documents: Arc::new(Documents::new(Trusted::default())),
            mutations: TaskTracker::new(),
            places: Arc::new(Semaphore::new(MUTATIONS)),
        }
    }
}

impl Executor {
    /// The same, for these trusted documents.
    pub fn trusting(self, trusted: Trusted) -> Self {
        Self { documents: Arc::new(Documents::new(trusted)), ..self }
    }

    /// Finds or parses what was asked, and lets through what may run.
    pub fn prepare(&self, params: Params, request_id: &str) -> Result<Operation, Answer> {
        let Params { asked, operation_name, variables } = params;
        let (document, is_new) = self.documents.find(&asked).map_err(|unfit| unfit.refuse(request_id))?;
        let is_named = matches!(asked, Asked::Named(_));
        let name = operation_name.filter(|name| !name.is_empty());
        match admit(&document, name.as_deref(), &variables) {
            Ok((kind, cost)) => {
                let variables = Packed::of(variables);
                Ok(Operation { kind, document, is_new, is_named, name, variables, cost })
            }
            Err(error) => Err(Answer::refuse(&error, request_id)),
        }
    }

    /// Runs a query or a mutation. A mutation goes on when this is dropped or takes too long: nobody who hangs up cuts a
    /// transaction, or stands between its commit and those who wait for its news.
    pub async fn run(&self, operation: Operation, scope: Arc<Scope>) -> Answer {
        if let Err(error) = charge(&operation, &scope) {
            return Answer::refuse(&error, &scope.request_id);
        }
        if operation.document.asks_where_streams_stand
            && let Err(error) = viewer_events::note_position(&scope).await
        {
            return Answer::refuse(&error, &scope.request_id);
        }
        let response = AssertUnwindSafe(self.schema.once(operation.request(scope.clone()))).catch_unwind();
        let outcome = match operation.kind {
            Kind::Mutation => {
                let Ok(place) = self.places.clone().try_acquire_owned() else {
                    return Answer::refuse(&Error::unavailable("too many mutations at once"), &scope.request_id);
                };
                let running = self.mutations.spawn(async move {
                    let _place = place;
                    response.await
                });
                timeout(RUNS, running).await.map(|joined| joined.ok()?.ok())
            }
            Kind::Query | Kind::Subscription => timeout(RUNS, response).await.map(|caught| caught.ok()),
        };
        match outcome {
            Ok(Some(response)) => {
                let answer = finish(response, Stage::Running, &scope.request_id);
                self.documents.keep_if_valid(&operation.document, operation.is_new, &answer);
                answer
            }
            Ok(None) => Answer::refuse(&panicked(), &scope.request_id),
            Err(_elapsed) => Answer::refuse(&took_too_long(operation.kind), &scope.request_id),
        }
    }

    /// Waits for the mutations under way; none may be started any more.
    pub async fn finish(&self) {
        self.mutations.close();
        self.mutations.wait().await;
    }
}

/// What kind of operation it is, and what it costs.
fn admit(document: &Document, operation_name: Option<&str>, variables: &Variables) -> Result<(Kind, u32)> {
    let kind = match choose(&document.tree, operation_name)?.ty {
        OperationType::Query => Kind::Query,
        OperationType::Mutation => Kind::Mutation,
        OperationType::Subscription => Kind::Subscription,
    };
    Ok((kind, document.measured.admit(operation_name, variables)?))
}

/// Has an operation paid for by whoever asks, before anything of it runs.
pub(super) fn charge(operation: &Operation, scope: &Scope) -> Result<()> {
    let limits = &scope.app().limits;
    let address = scope.origin.address.map(Payer::at);
    let viewer = scope.viewer().map(|viewer| Payer::User(viewer.user_id));
    match (viewer, address) {
        (Some(viewer), _) => limits.charge(Budget::Objects, viewer, operation.cost.max(1))?,
        (None, Some(address)) => limits.charge(Budget::Requests, address, 1)?,
        (None, None) => {}
    }
    for root in operation.roots() {
        let budget = match operation.kind {
            Kind::Query => None,
            Kind::Mutation => Budget::of_mutation(root),
            Kind::Subscription => Some(Budget::Subscriptions),
        };
        let Some(budget) = budget else { continue };
        let payer = if budget.is_of_address() { address } else { viewer.or(address) };
        if let Some(payer) = payer {
            limits.charge(budget, payer, 1)?;
        }
    }
    Ok(())
}

/// Which operation of the document is meant.
fn choose<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Result<&'d OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(only), None) => Ok(&only.node),
        (DocumentOperations::Multiple(all), Some(name)) if all.contains_key(name) => Ok(&all[name].node),
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => {
            Ok(&all.values().next().expect("there is one").node)
        }
        (_, Some(name)) => Err(Error::new(Code::BadRequest, format!("The document has no operation named \"{name}\""))),
        (_, None) => {
            let message = "The document has several operations: `operationName` has to say which";
            Err(Error::new(Code::BadRequest, message))
        }
    }
}

pub(super) fn panicked() -> Error {
    Error::internal("a resolver panicked")
}

fn took_too_long(kind: Kind) -> Error {
    let message = match kind {
        Kind::Mutation => "This takes too long; it may still be done",
        Kind::Query | Kind::Subscription => "This took too long and was stopped",
    };
    Error::new(Code::Timeout, message).caused_by("over the time of an operation")
}
