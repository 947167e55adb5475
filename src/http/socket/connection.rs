//! One socket: a task that reads, writes, watches the time and polls the subscriptions, and a task for each query and each
//! mutation.
//!
//! A subscription mostly hands on what was made for many: in a task of its own each delivery would wake two tasks. The
//! socket is not split. What operations make waits in a bounded queue; several frames leave with one flush. It goes on
//! listening while it writes: somebody who loads much over a slow line can send a message meanwhile. When this task ends,
//! for whatever reason, its operations end with it; mutations under way go on by themselves.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::{Instrument, Span};

use super::awaits::{Await, Awaits};
use super::dialect::Dialect;
use super::greeting::{self, Session};
use super::operation::{Answers, Task, Work};
use super::protocol::{self, Close, Protocol, Running, Step};
use super::queue::{Content, Frame, Outlet, Queue};
use super::wire::{Turn, Wire, size};
use crate::api::execute::{Answer, Params};
use crate::clock;
use crate::context::{Origin, Scope};
use crate::error::{Code, Error};
use crate::http::{Http, RequestId};
use crate::limits::{Held, OPERATIONS, Payer, Place};
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
/// Bytes of our replies that wait for what is being written: a client that asks for more, and reads none, is not heard.
const REPLIES: usize = 8 * 1024;
/// Subscriptions in memory, those included that were completed and are not cleared away yet: reading comes before that, and
/// a client that begins and completes them without end would fill the memory.
const SUBSCRIPTIONS: usize = 2 * OPERATIONS;
/// For queries and mutations on a socket when the server stops or the session ends.
const FINISHES: Duration = Duration::from_secs(5);

/// Speaks with one client until either side has enough.
///
/// What is logged of it stands in `span`. That is entered for what a client says, and not whenever something is delivered.
///
/// What it holds is given up with the connection. The connection is made before the future, which would have to be large
/// enough for all that it is made of, too.
pub fn serve<H: Send + 'static>(
    socket: WebSocket,
    dialect: Option<Dialect>,
    http: Http,
    origin: Origin,
    span: Span,
    held: H,
) -> impl Future<Output = ()> + Send {
    let place = origin.address.map(|address| http.places.take(Held::Socket, Payer::at(address)));
    let is_full = matches!(place, Some(None));
    // Closing is the same in all.
    let protocol = Protocol::new(dialect.unwrap_or(Dialect::Current));
    let mut connection = Connection::new(socket, protocol, http, origin, span, place.flatten());
    async move {
        let end = match (dialect, is_full) {
            (None, _) => End::Close(Close::OTHER_PROTOCOL),
            (Some(_), true) => End::Close(Close::TOO_MANY_SOCKETS),
            (Some(_), false) => connection.converse().await,
        };
        connection.end(end).await;
        drop(held);
    }
}

/// How a conversation ends.
pub(super) enum End {
    /// The other end left, or cannot be reached.
    Gone,
    /// We close.
    Close(Close),
    /// The session is over: operations are completed, then we close.
    SessionEnded,
}

struct Connection {
    wire: Wire,
    http: Http,
    origin: Origin,
    span: Span,
    protocol: Protocol,
    session: Option<Session>,
    /// Whoever has an open socket is here.
    attendance: Option<Attendance>,
    /// Cancelled when the session ends.
    ended: Arc<CancellationToken>,
    /// When a message came last.
    heard: Instant,
    /// What may happen beside deliveries.
    awaited: Awaits<Happening>,
    /// The end of the session.
    end: Option<Await>,
    /// A look into the database under way.
    look: Option<Await>,
    /// When the next look is due, or the greeting.
    due: Option<Await>,
    /// When the next ping is.
    ping: Option<Await>,
    /// When a client that takes no more of what was written is given up.
    stalls: Option<Await>,
    /// What ends operations, by serial.
    operations: HashMap<u64, Under>,
    subscriptions: Awaits<()>,
    /// Those of queries and mutations.
    brief: TaskTracker,
    /// All of them, for the moment when the streams end too.
    streams: TaskTracker,
    answers: Answers,
    queue: Queue,
    outlet: Outlet,
    /// The first of the queue.
    next: Option<Frame>,
    /// What goes out before the queue: whatever is not from an operation's task.
    replies: VecDeque<Message>,
    _place: Option<Place>,
}

/// What happens to a connection beside what its client says.
enum Happening {
    SessionEnded,
    /// The database has answered.
    Seen(Result<Seen, Close>),
    FellDue,
    Stalled,
    /// The server stops.
    Stopping,
    /// It is time for a ping.
    Ping,
}

/// An operation under way; it ends when this is dropped.
enum Under {
    OwnTask { _task: AbortOnDropHandle<()> },
    ThisTask { _work: Await },
}

/// What a look into the database found.
enum Seen {
    Greeted(Option<Session>),
    LookAt(clock::Instant),
}

impl Connection {
    fn new(
        socket: WebSocket,
        protocol: Protocol,
        http: Http,
        origin: Origin,
        span: Span,
        place: Option<Place>,
    ) -> Self {
        let (queue, outlet) = Queue::new();
        Self {
            wire: Wire::new(socket),
            http,
            origin,
            span,
            protocol,
            session: None,
            attendance: None,
            ended: Arc::default(),
            heard: Instant::now(),
            awaited: Awaits::new(),
            end: None,
            look: None,
            due: None,
            ping: None,
            stalls: None,
            operations: HashMap::new(),
            subscriptions: Awaits::new(),
            brief: TaskTracker::new(),
            streams: TaskTracker::new(),
            answers: Answers::default(),
            queue,
            outlet,
            next: None,
            replies: VecDeque::new(),
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
        let http = self.http.clone();
        let _stopping = self.awaited.begin(async move {
            http.stops_for_one().await;
            Happening::Stopping
        });
        self.ping = Some(self.at(Instant::now() + PING_EVERY, Happening::Ping));
        self.due = Some(self.at(Instant::now() + INIT, Happening::FellDue));
        loop {
            let happening = poll_fn(|context| self.poll(context)).await?;
            if matches!(happening, Happening::Stopping) {
                self.finish(self.brief.clone()).boxed().await;
            }
            self.span.clone().in_scope(|| self.take_in(happening))?;
        }
    }

    fn take_in(&mut self, happening: Happening) -> Result<(), End> {
        match happening {
            Happening::SessionEnded => Err(End::SessionEnded),
            Happening::Seen(seen) => {
                self.see(seen?);
                Ok(())
            }
            Happening::FellDue => self.fall_due(),
            Happening::Stalled => Err(Close::TOO_SLOW.into()),
            Happening::Stopping => Err(Close::RESTARTING.into()),
            Happening::Ping => self.ping(),
        }
    }

    /// Reads, runs the subscriptions and writes, until something else happens. What ends the conversation comes first, and
    /// reading before writing: a client that floods the socket starves its own answers alone.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Happening, End>> {
        loop {
            self.write()?;
            if let Poll::Ready(happening) = self.awaited.poll_next(context) {
                return Poll::Ready(Ok(happening));
            }
            let listens = self.is_listening();
            match self.wire.poll_turn(context, listens)? {
                Poll::Ready(Turn::Heard(message)) => {
                    self.heard = Instant::now();
                    self.span.clone().in_scope(|| self.hear(message))?;
                    continue;
                }
                Poll::Ready(Turn::Written) => {
                    self.stalls = None;
                    continue;
                }
                Poll::Pending => self.deliver(context)?,
            }
            if self.is_listening() == listens {
                // What was begun meanwhile has to be polled once, to say what wakes it.
                return self.awaited.poll_next(context).map(Ok);
            }
        }
    }

    /// Runs the subscriptions that were woken, and writes what they and other operations have made.
    fn deliver(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        self.outlet.look();
        loop {
            self.write()?;
            while self.subscriptions.poll_next(context).is_ready() {}
            if self.next.is_some() {
                return Ok(());
            }
            match self.outlet.poll_take(context) {
                Poll::Ready(frame) => self.next = Some(frame),
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Whoever says nothing for too long is gone.
    fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() >= SILENCE {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Default::default()));
        self.show_life();
        self.ping = Some(self.at(Instant::now() + PING_EVERY, Happening::Ping));
        Ok(())
    }

    fn at(&self, instant: Instant, happening: Happening) -> Await {
        self.awaited.begin(sleep_until(instant).map(|()| happening))
    }

    fn hear(&mut self, message: Message) -> Result<(), End> {
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Binary(_) => return Err(Close::INVALID.into()),
            Message::Close(_) => return Err(End::Gone),
        };
        self.look_if_due();
        match self.protocol.receive(&text)? {
            Step::Nothing => {}
            Step::Send(frame) => self.send(Message::Text(frame)),
            Step::Greet(payload) => {
                let http = self.http.clone();
                self.due = None;
                let look = async move { greeting::greet(&http, payload.as_deref()).await.map(Seen::Greeted) };
                self.look = Some(self.awaited.begin(look.map(Happening::Seen).in_current_span()));
            }
            Step::Run(operation, params) => self.run(operation, params),
            Step::Refuse(operation) => {
                let bytes = protocol::MESSAGES;
                let message = format!("At most {OPERATIONS} operations of {bytes} bytes run on one socket");
                let error = Error::new(Code::TooManyOperations, message);
                if let Answer::Refused(_, errors) = Answer::refuse(&error, RequestId::new().as_str()) {
                    self.send(Message::Text(operation.error(&errors)));
                }
            }
            Step::Stop(operation) => {
                self.operations.remove(&operation.serial);
                if let Some(echo) = operation.echo() {
                    self.send(Message::Text(echo));
                }
            }
        }
        Ok(())
    }

    /// Takes in what the database said.
    fn see(&mut self, seen: Seen) {
        self.look = None;
        match seen {
            Seen::Greeted(session) => {
                if let Some(session) = &session {
                    let realtime = &self.http.app.realtime;
                    self.ended = realtime.ended_sessions.watch(session.viewer.session_id);
                    let ended = CancellationToken::clone(&self.ended).cancelled_owned();
                    self.end = Some(self.awaited.begin(ended.map(|()| Happening::SessionEnded)));
                    self.attendance = Some(realtime.presences.attend(session.viewer));
                }
                self.session = session;
                let acknowledgement = self.protocol.acknowledge();
                self.send(Message::Text(acknowledgement));
                self.show_life();
            }
            Seen::LookAt(instant) => {
                if let Some(session) = &mut self.session {
                    session.look_at = instant;
                }
            }
        }
        self.wait_for_the_end_of_the_session();
    }

    fn wait_for_the_end_of_the_session(&mut self) {
        let left = |session: &Session| (session.look_at - self.http.app.clock.now()).to_std().unwrap_or_default();
        let due = self.session.as_ref().map(|session| Instant::now() + left(session));
        self.due = due.map(|due| self.at(due, Happening::FellDue));
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
            let look = async move { greeting::look_again(&http, viewer).await.map(Seen::LookAt) };
            self.look = Some(self.awaited.begin(look.map(Happening::Seen).in_current_span()));
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
            streams: self.streams.clone(),
            answers: self.answers.clone(),
            ended: self.ended.clone(),
        };
        let under = match span.in_scope(|| task.begin(*params)) {
            Work::Computes(work) => {
                Under::OwnTask { _task: AbortOnDropHandle::new(tokio::spawn(work.instrument(span))) }
            }
            Work::Waits(work) => Under::ThisTask { _work: self.subscriptions.begin(work) },
        };
        self.operations.insert(serial, under);
    }

    fn is_listening(&self) -> bool {
        let waiting: usize = self.replies.iter().map(size).sum();
        self.protocol.is_listening() && waiting < REPLIES && self.subscriptions.len() < SUBSCRIPTIONS
    }

    fn send(&mut self, message: Message) {
        self.replies.push_back(message);
    }

    fn show_life(&mut self) {
        if let Some(sign) = self.protocol.sign_of_life() {
            self.send(Message::Text(sign));
        }
    }

    /// Writes what there is, in as few pieces as it goes, and as far as the kernel takes it at once.
    fn write(&mut self) -> Result<(), End> {
        while self.stalls.is_none() {
            while self.wire.has_room()? {
                let Some(message) = self.replies.pop_front().or_else(|| self.next_made()) else { break };
                self.wire.give(message)?;
            }
            let unflushed = self.wire.unflushed();
            if unflushed == 0 {
                break;
            }
            if !self.wire.is_flushed()? {
                let time = STALLS + Duration::from_secs_f64(unflushed as f64 / SLOWEST);
                self.stalls = Some(self.at(Instant::now() + time, Happening::Stalled));
            }
        }
        Ok(())
    }

    /// The next message that an operation has made.
    fn next_made(&mut self) -> Option<Message> {
        loop {
            let frame = self.next.take().or_else(|| self.outlet.take())?;
            let operation = frame.operation;
            // Completed by the client in the meantime; its id may be another operation's by now.
            if !operation.is_running() {
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
            return Some(Message::Text(text));
        }
    }

    /// Waits for these to be answered, and for none too long: but for the end of their session, subscriptions never finish.
    async fn finish(&mut self, operations: TaskTracker) {
        operations.close();
        let mut answered = pin!(operations.wait());
        let finishing = poll_fn(|context| {
            loop {
                self.deliver(context)?;
                match self.wire.poll_turn(context, false)? {
                    Poll::Ready(_) => self.stalls = None,
                    Poll::Pending => break,
                }
            }
            // The last answer may have come together with the end of the one who gave it.
            match self.wire.unflushed() == 0 && answered.as_mut().poll(context).is_ready() {
                true => Poll::Ready(self.write()),
                false => Poll::Pending,
            }
        });
        let _ = timeout(FINISHES, finishing).await;
    }

    async fn end(&mut self, end: End) {
        self.look = None;
        if matches!(end, End::SessionEnded) {
            // Streams end by themselves, and may say so; the answer to the very `logout` has not left yet.
            self.finish(self.streams.clone()).boxed().await;
        }
        self.operations.clear();
        match end {
            End::Gone => self.replies.clear(),
            End::Close(close) => self.close(close),
            End::SessionEnded => {
                self.complete_all();
                self.close(Close::SESSION_ENDED);
            }
        }
        let _ = timeout(CLOSES, self.wire.end(std::mem::take(&mut self.replies))).boxed().await;
    }

    /// Sends what had been made, then tells of each operation that nothing follows.
    fn complete_all(&mut self) {
        while let Some(message) = self.next_made() {
            self.send(message);
        }
        for operation in self.protocol.end_all() {
            self.send(Message::Text(operation.complete()));
        }
    }

    fn close(&mut self, close: Close) {
        tracing::debug!(parent: &self.span, code = close.code, reason = %close.reason, "closing");
        if let Some(rejection) = self.protocol.rejection(&close) {
            self.send(Message::Text(rejection));
        }
        let reason = Utf8Bytes::from(close.reason.into_owned());
        self.send(Message::Close(Some(CloseFrame { code: close.code, reason })));
    }
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// The other end cannot be reached any more.
impl From<axum::Error> for End {
    fn from(_: axum::Error) -> Self {
        Self::Gone
    }
}
