//! One socket: a task that reads, writes, watches the time and polls the subscriptions, and a task for each query and each
//! mutation.
//!
//! A subscription mostly hands on what was made for many: in a task of its own each delivery would wake two tasks. The
//! socket is not split. What operations make waits in a bounded queue; several frames leave with one flush. It goes on
//! listening while it writes: somebody who loads much over a slow line can send a message meanwhile. When this task ends,
//! for whatever reason, its operations end with it; mutations under way go on by themselves.

mod end;
mod hear;
mod write;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Span;

use super::awaits::{Await, Awaits};
use super::dialect::Dialect;
use super::greeting::Session;
use super::operation::Answers;
use super::places::{Holder, Place};
use super::protocol::{Close, Protocol};
use super::queue::{Frame, Outlet, Queue};
use super::wire::{Turn, Wire};
use crate::clock;
use crate::context::Origin;
use crate::http::Http;
use crate::realtime::Attendance;

pub use self::write::{SLOWEST, STALLS};

/// For `connection_init`.
const INIT: Duration = Duration::from_secs(10);
/// Between pings; proxies cut what is silent for a minute.
const PING_EVERY: Duration = Duration::from_secs(25);
/// A peer that has said nothing for this long, not even in answer to a ping, is gone. Under two pings, so that the second
/// finds it.
const SILENCE: Duration = Duration::from_secs(45);

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
    let place = origin.address.map(|address| http.places.take(Holder::Address(address)));
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
