//! Operations whose answers come one after the other in a response that stays open, for networks that break WebSockets and
//! for clients that prefer them.
//!
//! One operation, one response, and a task between them, which ends with either. A stream lives by the rules of a socket:
//! it counts among those of its address, whoever has one is here, it ends with its session and when the server stops. At
//! most a few answers wait for a client that does not read; followers of a log cope with waiting by themselves.

mod format;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

pub use format::Format;

use super::Http;
use super::last_words::until_last_words;
use super::socket::{SLOWEST, STALLS, look_again};
use crate::api::execute::{Answer, Kind, Operation};
use crate::context::Scope;
use crate::error::{Code, Error};
use crate::limits::{Held, Payer, Place};
use crate::realtime::Attendance;
use crate::viewer::Viewer;

/// Of silence, until a sign of life: proxies cut what is silent for half a minute or a minute.
const BEATS: Duration = Duration::from_secs(15);

/// Has nginx pass on what comes instead of gathering it.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What a subscription holds while it is open.
struct Stay {
    _places: Vec<Place>,
    /// Whoever has an open stream is here.
    _attendance: Option<Attendance>,
}

/// A response with the answers of an operation; of one that may not run, with the errors.
pub fn open(http: &Http, format: Format, operation: Result<Operation, Answer>, scope: Arc<Scope>) -> Response {
    let (answers, stay) = match operation {
        Err(refused) => (stream::iter([refused]).boxed(), None),
        Ok(operation) if operation.kind == Kind::Subscription => match stay(http, &scope) {
            Ok(stay) => (subscribe(http, operation, scope), Some(stay)),
            Err(error) => (stream::iter([Answer::refuse(&error, &scope.request_id)]).boxed(), None),
        },
        Ok(operation) => {
            let executor = http.executor.clone();
            (stream::once(async move { executor.run(operation, scope).await }).boxed(), None)
        }
    };
    let (outlet, pieces) = mpsc::channel(1);
    let http = http.clone();
    let delivery = async move {
        // Queries and mutations come to an end by themselves.
        let stops = stay.is_some();
        tokio::select! {
            // Without a sign of the end: the client comes back, and goes on after what it has.
            () = http.stops_for_one(), if stops => {}
            () = deliver(answers, format, outlet) => {}
        }
        drop(stay);
    };
    let task = AbortOnDropHandle::new(tokio::spawn(delivery.in_current_span()));
    // Held by the body: when the client hangs up, the operation ends at once.
    let body = stream::unfold((pieces, task), async |(mut pieces, task)| {
        let piece = pieces.recv().await?;
        Some((Ok::<Bytes, Infallible>(piece), (pieces, task)))
    });
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, HeaderValue::from_static("accept")),
        (UNBUFFERED, HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(body)).into_response()
}

fn stay(http: &Http, scope: &Scope) -> Result<Stay, Error> {
    let viewer = scope.viewer();
    let held = [
        scope.origin.address.map(|address| (Held::Socket, Payer::at(address))),
        viewer.map(|viewer| (Held::Stream, Payer::User(viewer.user_id))),
    ];
    let places: Option<Vec<Place>> = held.into_iter().flatten().map(|(what, of)| http.places.take(what, of)).collect();
    let Some(places) = places else {
        return Err(Error::new(Code::TooManyOperations, "Too many streams and sockets are open from here"));
    };
    let attendance = viewer.map(|viewer| http.app.realtime.presences.attend(viewer));
    Ok(Stay { _places: places, _attendance: attendance })
}

/// The answers of a subscription, for as long as its session lasts.
fn subscribe(http: &Http, operation: Operation, scope: Arc<Scope>) -> BoxStream<'static, Answer> {
    let viewer = scope.viewer();
    // One at a time, because only one is asked for at a time.
    let places = Arc::new(Semaphore::new(1));
    let answers = http.executor.subscribe(operation, scope, places).map(|shown| shown.answer).boxed();
    match viewer {
        Some(viewer) => until_last_words(answers, session_over(http.clone(), viewer)).boxed(),
        None => answers,
    }
}

/// Waits for the session to end or to expire. While nobody can say when it expires, it is asked for again.
async fn session_over(http: Http, viewer: Viewer) {
    let ended = http.app.realtime.ended_sessions.watch(viewer.session_id);
    let expired = async {
        while let Ok(look_at) = look_again(&http, viewer).await {
            http.app.clock.reach(look_at).await;
        }
    };
    tokio::select! {
        () = ended.cancelled() => {}
        () = expired => {}
    }
}

/// Writes answers until there are none, or the client does not take them.
async fn deliver(mut answers: BoxStream<'static, Answer>, format: Format, outlet: mpsc::Sender<Bytes>) {
    let mut outlet = Outlet { pieces: outlet, before: 0 };
    let _ = async {
        outlet.send(format.begin()).await?;
        loop {
            let answer = tokio::select! {
                answer = answers.next() => answer,
                () = sleep(BEATS) => {
                    outlet.send(format.beat()).await?;
                    continue;
                }
            };
            let Some(answer) = answer else { break };
            outlet.send(format.next(&answer.into_body())).await?;
        }
        outlet.send(format.end()).await
    }
    .await;
}

/// Where pieces go out, one after the other.
struct Outlet {
    pieces: mpsc::Sender<Bytes>,
    /// Bytes of the piece before, which may be on its way.
    before: usize,
}

/// The client is gone, or takes nothing.
struct Gone;

impl Outlet {
    async fn send(&mut self, piece: Bytes) -> Result<(), Gone> {
        let time = STALLS + Duration::from_secs_f64(self.before as f64 / SLOWEST);
        self.before = piece.len();
        match timeout(time, self.pieces.send(piece)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}
