//! One socket: a task that reads, writes, watches the time and polls the subscriptions, and a task for each query and each
//! mutation.
//!
//! A subscription mostly hands on what was made for many: in a task of its own each delivery would wake two tasks. The
//! socket is not split. What operations make waits in a bounded queue; several frames leave with one flush. It goes on
//! listening while it writes: somebody who loads much over a slow line can send a message meanwhile. When this task ends,
//! for whatever reason, its operations end with it; mutations under way go on by themselves.

use std::collections::{HashMap, VecDeque};
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, Sleep, interval_at, sleep_until, timeout};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

use super::dialect::Dialect;
use super::greeting::{self, Session};
use super::operation::{Answers, Task, Work};
use super::places::{Holder, Place};
use super::protocol::{self, Close, Protocol, Running, Step};
use super::queue::{Content, Frame, Queue};
use crate::api::execute::{Answer, Params};
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
/// Bytes given to the socket before they are flushed: more would grow a buffer that never shrinks.
const FLUSH: usize = 8 * 1024;
/// Of a message without its text.
const HEAD: usize = 8;
/// Bytes of our replies that wait for what is being written: a client that asks for more, and reads none, is not heard.
const REPLIES: usize = 8 * 1024;
/// Subscriptions in memory, those included that were completed and are not cleared away yet: reading comes before that, and
/// a client that begins and completes them without end would fill the memory.
const SUBSCRIPTIONS: usize = 2 * protocol::OPERATIONS;
/// For queries and mutations on a socket when the server stops or the session ends.
const FINISHES: Duration = Duration::from_secs(5);

/// Speaks with one client until either side has enough.
pub async fn serve(socket: WebSocket, dialect: Option<Dialect>, http: Http, origin: Origin) {
    let place = origin.address.map(|address| http.places.take(Holder::Address(address)));
    let is_full = matches!(place, Some(None));
    // Closing is the same in all.
    let protocol = Protocol::new(dialect.unwrap_or(Dialect::Current));
    let mut connection = Connection::new(socket, protocol, http, origin, place.flatten());
    let end = match (dialect, is_full) {
        (None, _) => End::Close(Close::OTHER_PROTOCOL),
        (Some(_), true) => End::Close(Close::TOO_MANY_SOCKETS),
        (Some(_), false) => connection.converse().await,
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
    /// Waits for that.
    end: Pin<Box<WaitForCancellationFutureOwned>>,
    /// What ends operations, by serial.
    operations: HashMap<u64, Under>,
    subscriptions: FuturesUnordered<Abortable<BoxFuture<'static, ()>>>,
    /// Those of queries and mutations.
    brief: TaskTracker,
    /// All of them, for the moment when the streams end too.
    streams: TaskTracker,
    answers: Answers,
    queue: Queue,
    outlet: UnboundedReceiver<Frame>,
    /// The first of the queue.
    next: Option<Frame>,
    /// What goes out before the queue: whatever is not from an operation's task.
    replies: VecDeque<Message>,
    /// Bytes given to the socket, and not yet taken by the kernel.
    unflushed: usize,
    /// When a client that takes no more of them is given up.
    stalls: Option<Alarm>,
    /// A look into the database under way.
    look: Option<BoxFuture<'static, Result<Seen, Close>>>,
    /// When the next look is due, or the greeting.
    due: Option<Alarm>,
    _place: Option<Place>,
}

/// A timer that stays set while other things happen.
type Alarm = Pin<Box<Sleep>>;

/// An operation under way; it ends when this is dropped.
enum Under {
    OwnTask { _task: AbortOnDropHandle<()> },
    ThisTask(AbortHandle),
}

/// What a look into the database found.
enum Seen {
    Greeted(Option<Session>),
    LookAt(clock::Instant),
}

impl Connection {
    fn new(socket: WebSocket, protocol: Protocol, http: Http, origin: Origin, place: Option<Place>) -> Self {
        let (queue, outlet) = Queue::new();
        let ended = Arc::<CancellationToken>::default();
        Self {
            socket,
            http,
            origin,
            protocol,
            session: None,
            attendance: None,
            end: wait_for(&ended),
            ended,
            operations: HashMap::new(),
            subscriptions: FuturesUnordered::new(),
            brief: TaskTracker::new(),
            streams: TaskTracker::new(),
            answers: Answers::default(),
            queue,
            outlet,
            next: None,
            replies: VecDeque::new(),
            unflushed: 0,
            stalls: None,
            look: None,
            due: Some(alarm(Instant::now() + INIT)),
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
        let http = self.http.clone();
        let mut stopping = pin!(http.stops_for_one());
        loop {
            self.write()?;
            let (listens, writes) = (self.is_listening(), self.unflushed > 0);
            tokio::select! {
                // What ends the conversation comes first, and reading before writing: a client that floods the socket
                // starves its own answers alone.
                biased;
                () = &mut self.end => return Err(End::SessionEnded),
                seen = look(&mut self.look) => self.see(seen?),
                () = until(&mut self.due) => self.fall_due()?,
                () = until(&mut self.stalls) => return Err(Close::TOO_SLOW.into()),
                () = &mut stopping => {
                    self.finish(self.brief.clone()).await;
                    return Err(Close::RESTARTING.into());
                }
                turn = turn(&mut self.socket, listens, writes) => match turn? {
                    Turn::Heard(message) => {
                        heard = Instant::now();
                        self.hear(message)?;
                    }
                    Turn::Written => self.is_written(),
                },
                _ = pings.tick() => {
                    if heard.elapsed() >= SILENCE {
                        return Err(End::Gone);
                    }
                    self.send(Message::Ping(Default::default()));
                    self.show_life();
                }
                Some(_) = self.subscriptions.next() => {}
                frame = self.outlet.recv(), if self.next.is_none() => self.next = frame,
            }
        }
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
                self.look =
                    Some(async move { greeting::greet(&http, payload.as_deref()).await.map(Seen::Greeted) }.boxed());
            }
            Step::Run(operation, params) => self.run(operation, params),
            Step::Refuse(operation) => {
                let (operations, bytes) = (protocol::OPERATIONS, protocol::MESSAGES);
                let message = format!("At most {operations} operations of {bytes} bytes run on one socket");
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
                    self.end = wait_for(&self.ended);
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
        self.due = self.session.as_ref().map(|session| alarm(Instant::now() + left(session)));
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
            streams: self.streams.clone(),
            answers: self.answers.clone(),
            ended: self.ended.clone(),
        };
        let under = match span.in_scope(|| task.begin(*params)) {
            Work::Computes(work) => {
                Under::OwnTask { _task: AbortOnDropHandle::new(tokio::spawn(work.instrument(span))) }
            }
            Work::Waits(work) => {
                let (handle, registration) = AbortHandle::new_pair();
                self.subscriptions.push(Abortable::new(work.instrument(span).boxed(), registration));
                Under::ThisTask(handle)
            }
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
        // When it takes no more, `turn` waits until it does.
        let at_once = &mut Context::from_waker(Waker::noop());
        while self.stalls.is_none() {
            while self.unflushed < FLUSH && self.socket.poll_ready_unpin(at_once)?.is_ready() {
                let Some(message) = self.replies.pop_front().or_else(|| self.next_made()) else { break };
                self.unflushed += size(&message);
                self.socket.start_send_unpin(message)?;
            }
            if self.unflushed == 0 {
                break;
            }
            match self.socket.poll_flush_unpin(at_once)? {
                Poll::Ready(()) => self.is_written(),
                Poll::Pending => {
                    let time = STALLS + Duration::from_secs_f64(self.unflushed as f64 / SLOWEST);
                    self.stalls = Some(alarm(Instant::now() + time));
                }
            }
        }
        Ok(())
    }

    fn is_written(&mut self) {
        self.unflushed = 0;
        self.stalls = None;
    }

    /// The next message that an operation has made.
    fn next_made(&mut self) -> Option<Message> {
        loop {
            let frame = self.next.take().or_else(|| self.outlet.try_recv().ok())?;
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
            return Some(Message::Text(text));
        }
    }

    /// Waits for these to be answered, and for none too long: but for the end of their session, subscriptions never finish.
    async fn finish(&mut self, operations: TaskTracker) {
        operations.close();
        let mut answered = pin!(operations.wait());
        let finishing = async {
            loop {
                self.write()?;
                tokio::select! {
                    biased;
                    turn = turn(&mut self.socket, false, self.unflushed > 0) => { turn?; self.is_written() }
                    Some(_) = self.subscriptions.next() => {}
                    frame = self.outlet.recv(), if self.next.is_none() => self.next = frame,
                    // The last answer may have come together with the end of the one who gave it.
                    () = &mut answered, if self.unflushed == 0 => return self.write(),
                }
            }
        };
        let _ = timeout(FINISHES, finishing).await;
    }

    async fn end(mut self, end: End) {
        self.look = None;
        if matches!(end, End::SessionEnded) {
            // Streams end by themselves, and may say so; the answer to the very `logout` has not left yet.
            self.finish(self.streams.clone()).await;
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
        let goodbye = async {
            for message in std::mem::take(&mut self.replies) {
                self.socket.feed(message).await?;
            }
            self.socket.flush().await?;
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<_, End>(())
        };
        let _ = timeout(CLOSES, goodbye).await;
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
        tracing::debug!(code = close.code, reason = %close.reason, "closing");
        if let Some(rejection) = self.protocol.rejection(&close) {
            self.send(Message::Text(rejection));
        }
        let reason = Utf8Bytes::from(close.reason.into_owned());
        self.send(Message::Close(Some(CloseFrame { code: close.code, reason })));
    }
}

impl Drop for Under {
    fn drop(&mut self) {
        if let Self::ThisTask(handle) = self {
            handle.abort();
        }
    }
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// What a message takes, about.
fn size(message: &Message) -> usize {
    let text = if let Message::Text(text) = message { text.len() } else { 0 };
    text + HEAD
}

/// The other end cannot be reached any more.
impl From<axum::Error> for End {
    fn from(_: axum::Error) -> Self {
        Self::Gone
    }
}

/// What a socket does next.
enum Turn {
    Heard(Message),
    /// The kernel has taken all that there was.
    Written,
}

async fn turn(socket: &mut WebSocket, listens: bool, writes: bool) -> Result<Turn, End> {
    poll_fn(|context| {
        if listens && let Poll::Ready(message) = socket.poll_next_unpin(context) {
            return Poll::Ready(match message {
                Some(Ok(message)) => Ok(Turn::Heard(message)),
                // Too long, not UTF-8, or against RFC 6455.
                Some(Err(_)) => Err(Close::INVALID.into()),
                None => Err(End::Gone),
            });
        }
        match writes {
            true => socket.poll_flush_unpin(context).map(|written| Ok(written.map(|()| Turn::Written)?)),
            false => Poll::Pending,
        }
    })
    .await
}

/// The answer to a look under way; never without one.
async fn look(look: &mut Option<BoxFuture<'static, Result<Seen, Close>>>) -> Result<Seen, Close> {
    match look {
        Some(look) => look.await,
        None => pending().await,
    }
}

fn wait_for(ended: &Arc<CancellationToken>) -> Pin<Box<WaitForCancellationFutureOwned>> {
    Box::pin(CancellationToken::clone(ended).cancelled_owned())
}

fn alarm(at: Instant) -> Alarm {
    Box::pin(sleep_until(at))
}

async fn until(alarm: &mut Option<Alarm>) {
    match alarm {
        Some(alarm) => alarm.await,
        None => pending().await,
    }
}
