//! One socket: a task that reads, writes and watches the time, and a task for each operation.
//!
//! The socket is not split. What operations make waits in a bounded queue; several frames leave with one flush. When
//! this task ends, for whatever reason, its operations end with it; mutations under way go on by themselves.

use std::collections::HashMap;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

use super::ANSWER;
use super::greeting::{self, Session};
use super::places::{Holder, Place};
use super::protocol::{self, Close, Protocol, Running, Step};
use super::queue::{Content, Frame, Queue};
use crate::api::execute::{Answer, Kind, Params};
use crate::clock;
use crate::context::{Origin, Scope};
use crate::error::{Code, Error};
use crate::http::{Http, RequestId};
use crate::realtime::Attendance;

/// For `connection_init`.
const INIT: Duration = Duration::from_secs(10);
/// Between pings; proxies cut what is silent for a minute.
const PING_EVERY: Duration = Duration::from_secs(25);
/// A peer that has said nothing for this long, not even in answer to a ping, is gone. Under two pings, so that the second
/// finds it.
const SILENCE: Duration = Duration::from_secs(45);
/// For the kernel to take what was flushed; a client that does not read for as long is let go.
pub const STALLS: Duration = Duration::from_secs(10);
/// Bytes a second of the slowest line that may have more time for a large answer.
pub const SLOWEST: f64 = 32.0 * 1024.0;
/// For the other end to answer a close frame: closing the connection at once could overtake it.
const CLOSES: Duration = Duration::from_secs(1);
/// Frames taken from the queue at once.
const BATCH: usize = 64;
/// Bytes after which a batch is flushed: more would grow a buffer that never shrinks.
const FLUSH: usize = 8 * 1024;
/// For queries and mutations on a socket when the server stops or the session ends.
const FINISHES: Duration = Duration::from_secs(5);

/// Speaks with one client until either side has enough.
pub async fn serve(socket: WebSocket, http: Http, origin: Origin) {
    let place = origin.address.map(|address| http.places.take(Holder::Address(address)));
    let is_full = matches!(place, Some(None));
    let is_ours = socket.protocol().is_some();
    let mut connection = Connection::new(socket, http, origin, place.flatten());
    let end = match (is_ours, is_full) {
        (false, _) => End::Close(Close::OTHER_PROTOCOL),
        (true, true) => End::Close(Close::TOO_MANY_SOCKETS),
        (true, false) => connection.converse().await,
    };
    connection.end(end).await;
}

/// How a conversation ends.
enum End {
    /// The other end left, or cannot be reached.
    Gone,
    /// We close.
    Close(Close),
    /// The session is over: operations are completed, then we close.
    SessionEnded,
}

struct Connection {
    socket: WebSocket,
    http: Http,
    origin: Origin,
    protocol: Protocol,
    session: Option<Session>,
    /// Whoever has an open socket is here.
    attendance: Option<Attendance>,
    /// Cancelled when the session ends.
    ended: Arc<CancellationToken>,
    /// The tasks of operations, by serial.
    operations: HashMap<u64, AbortOnDropHandle<()>>,
    /// Those of queries and mutations.
    brief: TaskTracker,
    queue: Queue,
    outlet: UnboundedReceiver<Frame>,
    /// A look into the database under way.
    look: Option<BoxFuture<'static, Result<Seen, Close>>>,
    /// When the next look is due, or the greeting.
    due: Option<Instant>,
    _place: Option<Place>,
}

/// What a look into the database found.
enum Seen {
    Greeted(Option<Session>),
    LookAt(clock::Instant),
}

impl Connection {
    fn new(socket: WebSocket, http: Http, origin: Origin, place: Option<Place>) -> Self {
        let (queue, outlet) = Queue::new();
        Self {
            socket,
            http,
            origin,
            protocol: Protocol::default(),
            session: None,
            attendance: None,
            ended: Arc::default(),
            operations: HashMap::new(),
            brief: TaskTracker::new(),
            queue,
            outlet,
            look: None,
            due: Some(Instant::now() + INIT),
            _place: place,
        }
    }

    async fn converse(&mut self) -> End {
        match self.speak().await {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }

    async fn speak(&mut self) -> Result<std::convert::Infallible, End> {
        let mut heard = Instant::now();
        let mut pings = interval_at(heard + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut frames = Vec::new();
        let http = self.http.clone();
        let mut stopping = pin!(http.stops_for_one());
        loop {
            tokio::select! {
                // What ends the conversation comes first, and reading before writing: a client that floods the socket
                // starves its own answers alone.
                biased;
                () = self.ended.cancelled() => return Err(End::SessionEnded),
                seen = look(&mut self.look) => self.see(seen?).await?,
                () = until(self.due) => self.fall_due()?,
                () = &mut stopping => {
                    self.finish().await;
                    return Err(Close::RESTARTING.into());
                }
                message = self.socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) => self.hear(message).await?,
                        // Too long, not UTF-8, or against RFC 6455.
                        Some(Err(_)) => return Err(Close::INVALID.into()),
                        None => return Err(End::Gone),
                    }
                }
                _ = pings.tick() => {
                    if heard.elapsed() >= SILENCE {
                        return Err(End::Gone);
                    }
                    self.send(Message::Ping(Default::default())).await?;
                }
                _ = self.outlet.recv_many(&mut frames, BATCH) => self.write(&mut frames).await?,
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Binary(_) => return Err(Close::INVALID.into()),
            Message::Close(_) => return Err(End::Gone),
        };
        self.look_if_due();
        match self.protocol.receive(&text)? {
            Step::Nothing => {}
            Step::Send(frame) => self.send(Message::Text(frame)).await?,
            Step::Greet(payload) => {
                let http = self.http.clone();
                self.due = None;
                self.look =
                    Some(async move { greeting::greet(&http, payload.as_deref()).await.map(Seen::Greeted) }.boxed());
            }
            Step::Run(operation, params) => self.run(operation, params),
            Step::Refuse(id) => {
                let message = format!("At most {} operations run on one socket", protocol::OPERATIONS);
                let error = Error::new(Code::TooManyOperations, message);
                if let Answer::Refused(_, errors) = Answer::refuse(&error, RequestId::new().as_str()) {
                    self.send(Message::Text(protocol::error(&id, &errors))).await?;
                }
            }
            Step::Stop(operation) => drop(self.operations.remove(&operation.serial)),
        }
        Ok(())
    }

    /// Takes in what the database said.
    async fn see(&mut self, seen: Seen) -> Result<(), End> {
        self.look = None;
        match seen {
            Seen::Greeted(session) => {
                if let Some(session) = &session {
                    let realtime = &self.http.app.realtime;
                    self.ended = realtime.ended_sessions.watch(session.viewer.session_id);
                    self.attendance = Some(realtime.presences.attend(session.viewer));
                }
                self.session = session;
                let acknowledgement = self.protocol.acknowledge();
                self.send(Message::Text(acknowledgement)).await?;
            }
            Seen::LookAt(instant) => {
                if let Some(session) = &mut self.session {
                    session.look_at = instant;
                }
            }
        }
        self.wait_for_the_end_of_the_session();
        Ok(())
    }

    fn wait_for_the_end_of_the_session(&mut self) {
        let left = |session: &Session| (session.look_at - self.http.app.clock.now()).to_std().unwrap_or_default();
        self.due = self.session.as_ref().map(|session| Instant::now() + left(session));
    }

    fn fall_due(&mut self) -> Result<(), End> {
        if self.protocol.is_silent() {
            return Err(Close::NO_INIT.into());
        }
        self.due = None;
        self.look_if_due();
        // The server's clock was set back since: the end is still to come.
        if self.look.is_none() {
            self.wait_for_the_end_of_the_session();
        }
        Ok(())
    }

    /// Whether the session still goes on. Asked when a message comes, too: the server's clock may have been set.
    fn look_if_due(&mut self) {
        if let Some(session) = &self.session
            && self.look.is_none()
            && session.look_at <= self.http.app.clock.now()
        {
            let (http, viewer) = (self.http.clone(), session.viewer);
            self.look = Some(async move { greeting::look_again(&http, viewer).await.map(Seen::LookAt) }.boxed());
        }
    }

    fn run(&mut self, operation: Arc<Running>, params: Box<Params>) {
        let id = RequestId::new();
        let viewer = self.session.as_ref().map(|session| session.viewer);
        let scope = Scope::new(self.http.app.clone(), viewer, id.as_str().to_owned(), self.origin);
        let span = tracing::info_span!("operation", id = id.as_str());
        let serial = operation.serial;
        let task = Task {
            http: self.http.clone(),
            scope: Arc::new(scope),
            running: operation,
            queue: self.queue.clone(),
            brief: self.brief.clone(),
            ended: self.ended.clone(),
        };
        let task = task.operate(params);
        self.operations.insert(serial, AbortOnDropHandle::new(tokio::spawn(task.instrument(span))));
    }

    /// Sends what the queue gave, in as few writes as it goes.
    async fn write(&mut self, frames: &mut Vec<Frame>) -> Result<(), End> {
        let mut unflushed = 0;
        for frame in frames.drain(..) {
            let operation = frame.operation;
            // Completed by the client in the meantime; its id may be another operation's by now.
            if !self.protocol.is_running(&operation) {
                continue;
            }
            let text = match &frame.content {
                Content::Next(body) => operation.next(body),
                Content::Error(errors) => operation.error(errors),
                Content::Complete => operation.complete(),
            };
            if !matches!(frame.content, Content::Next(_)) {
                self.protocol.end(&operation);
                self.operations.remove(&operation.serial);
            }
            unflushed += text.len();
            moves(unflushed, self.socket.feed(Message::Text(text))).await?;
            if unflushed >= FLUSH {
                moves(unflushed, self.socket.flush()).await?;
                unflushed = 0;
            }
        }
        moves(unflushed, self.socket.flush()).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        moves(0, self.socket.send(message)).await
    }

    /// Waits for queries and mutations to be answered, and for none too long: subscriptions never finish.
    async fn finish(&mut self) {
        self.brief.close();
        let mut frames = Vec::new();
        let finishing = async {
            loop {
                tokio::select! {
                    biased;
                    _ = self.outlet.recv_many(&mut frames, BATCH) => self.write(&mut frames).await?,
                    () = self.brief.wait() => break,
                }
            }
            // The last answer may have come together with the end of the one who gave it.
            while let Ok(frame) = self.outlet.try_recv() {
                frames.push(frame);
            }
            self.write(&mut frames).await
        };
        let _ = timeout(FINISHES, finishing).await;
    }

    async fn end(mut self, end: End) {
        self.look = None;
        if matches!(end, End::SessionEnded) {
            // Streams have ended by themselves; the answer to the very `logout` has not left yet.
            self.finish().await;
        }
        self.operations.clear();
        let goodbye = async {
            match end {
                End::Gone => {}
                End::Close(close) => self.close(close).await?,
                End::SessionEnded => {
                    self.complete_all().await?;
                    self.close(Close::SESSION_ENDED).await?;
                }
            }
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<_, End>(())
        };
        let _ = timeout(CLOSES, goodbye).await;
    }

    /// Sends what had been made, then tells of each operation that nothing follows.
    async fn complete_all(&mut self) -> Result<(), End> {
        let mut frames = Vec::new();
        while let Ok(frame) = self.outlet.try_recv() {
            frames.push(frame);
        }
        self.write(&mut frames).await?;
        for operation in self.protocol.end_all() {
            moves(0, self.socket.feed(Message::Text(operation.complete()))).await?;
        }
        Ok(())
    }

    async fn close(&mut self, close: Close) -> Result<(), End> {
        tracing::debug!(code = close.code, reason = %close.reason, "closing");
        let reason = Utf8Bytes::from(close.reason.into_owned());
        self.send(Message::Close(Some(CloseFrame { code: close.code, reason }))).await
    }
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// One operation, from its text to its last frame.
struct Task {
    http: Http,
    scope: Arc<Scope>,
    running: Arc<Running>,
    queue: Queue,
    brief: TaskTracker,
    ended: Arc<CancellationToken>,
}

impl Task {
    async fn operate(self, params: Box<Params>) {
        let mut brief = Some(self.brief.token());
        let executor = &self.http.executor;
        let mut answers: BoxStream<'_, Answer> = match executor.prepare(*params, &self.scope.request_id) {
            Err(refused) => stream::iter([refused]).boxed(),
            Ok(operation) if operation.kind == Kind::Subscription => {
                brief = None;
                executor.subscribe(operation, self.scope.clone()).take_until(self.ended.cancelled()).boxed()
            }
            Ok(operation) => stream::once(executor.run(operation, self.scope.clone())).boxed(),
        };
        while let Some(answer) = answers.next().await {
            let (content, goes_on) = match fit(answer, &self.scope) {
                Answer::Executed(body) => (Content::Next(body), true),
                Answer::Refused(_, errors) => (Content::Error(errors), false),
            };
            if self.queue.push(&self.running, content).await.is_err() || !goes_on {
                return;
            }
        }
        let _ = self.queue.push(&self.running, Content::Complete).await;
        drop(brief);
    }
}

/// What is too large for a socket is an error of the operation, not the end of the socket.
fn fit(answer: Answer, scope: &Scope) -> Answer {
    match answer {
        Answer::Executed(body) if body.len() > ANSWER => {
            let error = Error::new(Code::OperationTooComplex, "The answer is too large for a socket");
            Answer::refuse(&error.with("cost", body.len()).with("limit", ANSWER), &scope.request_id)
        }
        answer => answer,
    }
}

/// Writing this much, as long as it moves.
async fn moves(bytes: usize, write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), End> {
    match timeout(STALLS + Duration::from_secs_f64(bytes as f64 / SLOWEST), write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(Close::TOO_SLOW.into()),
    }
}

/// The answer to a look under way; never without one.
async fn look(look: &mut Option<BoxFuture<'static, Result<Seen, Close>>>) -> Result<Seen, Close> {
    match look {
        Some(look) => look.await,
        None => pending().await,
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
