//! What a client says, and what the database says about its session.

use std::sync::Arc;

use axum::extract::ws::Message;
use futures_util::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{Connection, End, Happening, Seen, Under};
use crate::api::execute::{Answer, Params};
use crate::context::Scope;
use crate::error::{Code, Error};
use crate::http::RequestId;
use crate::http::socket::greeting::{self, Session};
use crate::http::socket::operation::{Task, Work};
use crate::http::socket::protocol::{self, Close, Running, Step};
use crate::http::socket::wire::size;

/// Bytes of our replies that wait for what is being written: a client that asks for more, and reads none, is not heard.
const REPLIES: usize = 8 * 1024;
/// Subscriptions in memory, those included that were completed and are not cleared away yet: reading comes before that, and
/// a client that begins and completes them without end would fill the memory.
const SUBSCRIPTIONS: usize = 2 * protocol::OPERATIONS;

impl Connection {
    pub(super) fn hear(&mut self, message: Message) -> Result<(), End> {
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
    pub(super) fn see(&mut self, seen: Seen) {
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

    pub(super) fn fall_due(&mut self) -> Result<(), End> {
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

    pub(super) fn is_listening(&self) -> bool {
        let waiting: usize = self.replies.iter().map(size).sum();
        self.protocol.is_listening() && waiting < REPLIES && self.subscriptions.len() < SUBSCRIPTIONS
    }
}
