//! What is said on a socket, without a socket: what a message means, given what came before it. Reasons for closing are
//! constant and short: a close frame holds 123 bytes, and what the client sent has no place in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::ws::Utf8Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::dialect::{Dialect, Verb};
use crate::api::execute::Params;
use crate::limits::OPERATIONS;

/// Of a message before the client is known.
const GREETING: usize = 8 * 1024;
/// Of an operation's id.
const ID: usize = 64;
/// Of the messages of all operations that run on one socket: variables are kept for as long as an operation runs, at many
/// times their size, and a hundred of the longest would be gigabytes.
pub const MESSAGES: usize = 512 * 1024;

/// Why a socket is closed. graphql-ws connects again after 1012, 1013, 4403 and 4408, and never after the others; clients
/// of the old dialect do after each, if they do so at all, and with growing delays until they are acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    pub reason: Cow<'static, str>,
}

impl Close {
    pub const LEFT: Self = Self::new(1000, "Left");
    pub const RESTARTING: Self = Self::new(1012, "Service restart");
    pub const TOO_SLOW: Self = Self::new(1013, "Too slow");
    pub const TRY_AGAIN: Self = Self::new(1013, "Try again later");
    pub const TOO_MANY_SOCKETS: Self = Self::new(1013, "Too many connections");
    pub const INVALID: Self = Self::new(4400, "Invalid message received");
    pub const UNAUTHORIZED: Self = Self::new(4401, "Unauthorized");
    pub const SESSION_ENDED: Self = Self::new(4401, "Session ended");
    pub const FORBIDDEN: Self = Self::new(4403, "Forbidden");
    pub const SESSION_EXPIRED: Self = Self::new(4403, "Session expired");
    pub const OTHER_PROTOCOL: Self = Self::new(4406, "Subprotocol not acceptable");
    pub const NO_INIT: Self = Self::new(4408, "Connection initialisation timeout");
    pub const TWO_INITS: Self = Self::new(4429, "Too many initialisation requests");

    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    fn in_use(id: &str) -> Self {
        Self { code: 4409, reason: format!("Subscriber for {id} already exists").into() }
    }
}

/// What a message asks of the connection.
pub enum Step {
    Nothing,
    /// Send this.
    Send(Utf8Bytes),
    /// Find out who this is, then `acknowledge`.
    Greet(Option<Box<RawValue>>),
    /// Run this, and call `end` when it has ended.
    Run(Arc<Running>, Box<Params>),
    /// Tell this one that too many run.
    Refuse(Arc<Running>),
    /// Run no more of this.
    Stop(Arc<Running>),
}

/// An operation on a socket. Ids come back after `complete`, so frames are matched to the operation, not to its id.
#[derive(Debug)]
pub struct Running {
    id: String,
    /// What its results begin with, in JSON, as far as the results themselves.
    before_result: String,
    /// Different for each operation of the socket.
    pub serial: u64,
    /// Of its message.
    size: usize,
    dialect: Dialect,
    has_ended: AtomicBool,
}

/// What has been said on one socket.
pub struct Protocol {
    dialect: Dialect,
    phase: Phase,
    running: HashMap<String, Arc<Running>>,
    serials: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Silent,
    Greeting,
    Acknowledged,
}

/// A message before its type is looked at.
#[derive(Deserialize)]
struct Message<'m> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'m, str>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'m RawValue>,
}

impl Protocol {
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, phase: Phase::Silent, running: HashMap::new(), serials: 0 }
    }

    /// What a message means now.
    pub fn receive(&mut self, text: &str) -> Result<Step, Close> {
        if self.phase == Phase::Silent && text.len() > GREETING {
            return Err(Close::INVALID);
        }
        let message: Message = serde_json::from_str(text).map_err(|_| Close::INVALID)?;
        match self.dialect.verb(&message.kind).ok_or(Close::INVALID)? {
            Verb::Greet => self.greeted(message.object()?),
            Verb::Run => self.asked(message, text.len()),
            Verb::Stop => {
                let id = message.id.filter(|id| !id.is_empty()).ok_or(Close::INVALID)?;
                // Unknown ids are no mistake: both sides may complete at once.
                Ok(self.running.remove(&id).map_or(Step::Nothing, |running| Step::Stop(running.ended())))
            }
            Verb::Ping => Ok(Step::Send(pong(message.object()?))),
            Verb::Pong => message.object().map(|_| Step::Nothing),
            Verb::Leave => Err(Close::LEFT),
        }
    }

    fn greeted(&mut self, payload: Option<&RawValue>) -> Result<Step, Close> {
        if self.phase != Phase::Silent {
            return Err(Close::TWO_INITS);
        }
        self.phase = Phase::Greeting;
        Ok(Step::Greet(payload.map(ToOwned::to_owned)))
    }

    fn asked(&mut self, message: Message<'_>, size: usize) -> Result<Step, Close> {
        let id = message.id.filter(|id| (1..=ID).contains(&id.len())).ok_or(Close::INVALID)?;
        let payload = message.payload.ok_or(Close::INVALID)?;
        let params = serde_json::from_str(payload.get()).map_err(|_| Close::INVALID)?;
        if self.phase != Phase::Acknowledged {
            return Err(Close::UNAUTHORIZED);
        }
        if self.running.contains_key(&id) {
            return Err(Close::in_use(&id));
        }
        self.serials += 1;
        let running = Arc::new(Running::new(id.clone(), self.serials, size, self.dialect));
        let held: usize = self.running.values().map(|running| running.size).sum();
        if self.running.len() >= OPERATIONS || held + size > MESSAGES {
            return Ok(Step::Refuse(running));
        }
        self.running.insert(id, running.clone());
        Ok(Step::Run(running, params))
    }

    /// The client is known: what to tell it.
    pub fn acknowledge(&mut self) -> Utf8Bytes {
        self.phase = Phase::Acknowledged;
        Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#)
    }

    /// Whether the client has said nothing yet.
    pub fn is_silent(&self) -> bool {
        self.phase == Phase::Silent
    }

    /// Whether the next message can be taken. What a client that runs ahead sends after its greeting is left in the
    /// connection until the greeting is answered: kept here, strangers could have us keep much.
    pub fn is_listening(&self) -> bool {
        self.phase != Phase::Greeting || !self.dialect.runs_ahead()
    }

    /// What to send from time to time, so that the client takes us for alive.
    pub fn sign_of_life(&self) -> Option<Utf8Bytes> {
        self.dialect.sign_of_life().filter(|_| self.phase == Phase::Acknowledged)
    }

    /// What to send before closing: the answer to a greeting that is not acknowledged.
    pub fn rejection(&self, close: &Close) -> Option<Utf8Bytes> {
        self.dialect.rejection(close).filter(|_| self.phase == Phase::Greeting)
    }

    /// Its last frame leaves: the id is free.
    pub fn end(&mut self, operation: &Running) {
        self.running.remove(&operation.id).map(Running::ended);
    }

    /// Nothing runs any more: what ran.
    pub fn end_all(&mut self) -> Vec<Arc<Running>> {
        self.running.drain().map(|(_, running)| running.ended()).collect()
    }
}

impl<'m> Message<'m> {
    /// The payload of a message that may have any, as long as it is an object.
    fn object(&self) -> Result<Option<&'m RawValue>, Close> {
        match self.payload {
            Some(payload) if !payload.get().starts_with('{') => Err(Close::INVALID),
            payload => Ok(payload),
        }
    }
}

fn pong(payload: Option<&RawValue>) -> Utf8Bytes {
    match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#).into(),
        None => Utf8Bytes::from_static(r#"{"type":"pong"}"#),
    }
}

impl Running {
    fn new(id: String, serial: u64, size: usize, dialect: Dialect) -> Self {
        let before_result = before_payload(&id, dialect.next());
        Self { id, before_result, serial, size, dialect, has_ended: AtomicBool::new(false) }
    }

    /// Whether it runs as far as the client knows; what else it made is not sent.
    pub fn is_running(&self) -> bool {
        !self.has_ended.load(Ordering::Relaxed)
    }

    fn ended(self: Arc<Self>) -> Arc<Self> {
        self.has_ended.store(true, Ordering::Relaxed);
        self
    }

    /// A result; `body` is JSON, as are `errors`. Spliced, since the same body goes to many sockets.
    pub fn next(&self, body: &[u8]) -> Utf8Bytes {
        json([self.before_result.as_bytes(), body, b"}"].concat())
    }

    /// It does not run; nothing follows.
    pub fn error(&self, errors: &[u8]) -> Utf8Bytes {
        let errors = self.dialect.errors(errors);
        json([before_payload(&self.id, "error").as_bytes(), &errors, b"}"].concat())
    }

    /// Nothing follows.
    pub fn complete(&self) -> Utf8Bytes {
        format!(r#"{{"id":{},"type":"complete"}}"#, Value::from(self.id.as_str())).into()
    }

    /// What to send when the client itself has stopped it.
    pub fn echo(&self) -> Option<Utf8Bytes> {
        self.dialect.echoes().then(|| self.complete())
    }
}

fn before_payload(id: &str, kind: &str) -> String {
    format!(r#"{{"id":{},"type":"{kind}","payload":"#, Value::from(id))
}

fn json(text: Vec<u8>) -> Utf8Bytes {
    Utf8Bytes::try_from(text).expect("JSON is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent() -> Protocol {
        Protocol::new(Dialect::Current)
    }

    fn acknowledged() -> Protocol {
        let mut protocol = silent();
        assert!(matches!(protocol.receive(r#"{"type":"connection_init"}"#), Ok(Step::Greet(None))));
        protocol.acknowledge();
        protocol
    }

    fn close(protocol: &mut Protocol, text: &str) -> Option<u16> {
        protocol.receive(text).err().map(|close| close.code)
    }

    fn run(protocol: &mut Protocol, id: &str) -> Arc<Running> {
        match protocol.receive(&subscribe(id)) {
            Ok(Step::Run(running, _)) => running,
            _ => panic!("{id} does not run"),
        }
    }

    fn subscribe(id: &str) -> String {
        format!(r#"{{"type":"subscribe","id":"{id}","payload":{{"query":"{{ a }}"}}}}"#)
    }

    #[test]
    fn what_is_no_message_closes_with_4400() {
        for text in [
            "",
            "nonsense",
            "[]",
            "{}",
            r#"{"type":7}"#,
            r#"{"type":"start","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"ping","payload":7}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":"{}"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","extensions":7}}"#,
            &subscribe(&"x".repeat(65)),
        ] {
            assert_eq!(close(&mut acknowledged(), text), Some(4400), "{text}");
        }
        assert_eq!(close(&mut silent(), r#"{"type":"connection_init","payload":[]}"#), Some(4400));
    }

    #[test]
    fn a_long_greeting_is_not_read() {
        let text = format!(r#"{{"type":"connection_init","payload":{{"a":"{}"}}}}"#, "x".repeat(GREETING));
        assert_eq!(close(&mut silent(), &text), Some(4400));
    }

    #[test]
    fn nothing_runs_before_the_acknowledgement() {
        let mut protocol = silent();
        assert_eq!(close(&mut protocol, &subscribe("1")), Some(4401));
        assert!(protocol.receive(r#"{"type":"connection_init","payload":{}}"#).is_ok());
        assert_eq!(close(&mut protocol, &subscribe("1")), Some(4401));
    }

    #[test]
    fn two_greetings_close_with_4429() {
        assert_eq!(close(&mut acknowledged(), r#"{"type":"connection_init"}"#), Some(4429));
    }

    #[test]
    fn pings_are_answered_with_what_they_carry_at_any_time() {
        let mut protocol = silent();
        let mut pong = |text: &str| match protocol.receive(text) {
            Ok(Step::Send(frame)) => frame.to_string(),
            _ => panic!("no answer to {text}"),
        };
        assert_eq!(pong(r#"{"type":"ping"}"#), r#"{"type":"pong"}"#);
        assert_eq!(pong(r#"{"type":"ping","payload":{"a":[1]}}"#), r#"{"type":"pong","payload":{"a":[1]}}"#);
    }

    #[test]
    fn an_id_in_use_closes_with_4409_and_is_free_again_after_the_end() {
        let mut protocol = acknowledged();
        let first = run(&mut protocol, "a");
        assert_eq!(
            protocol.receive(&subscribe("a")).err(),
            Some(Close { code: 4409, reason: "Subscriber for a already exists".into() })
        );
        protocol.end(&first);
        let second = run(&mut protocol, "a");
        assert!(second.is_running() && !first.is_running());
    }

    #[test]
    fn completing_stops_once_and_strangers_are_no_mistake() {
        let mut protocol = acknowledged();
        let running = run(&mut protocol, "a");
        let complete = r#"{"type":"complete","id":"a"}"#;
        assert!(matches!(protocol.receive(complete), Ok(Step::Stop(_))));
        assert!(!running.is_running());
        assert!(matches!(protocol.receive(complete), Ok(Step::Nothing)));
    }

    #[test]
    fn a_hundred_operations_run_and_no_more() {
        let mut protocol = acknowledged();
        for at in 0..OPERATIONS {
            run(&mut protocol, &at.to_string());
        }
        assert!(
            matches!(protocol.receive(&subscribe("one more")), Ok(Step::Refuse(refused)) if refused.id == "one more")
        );
        assert!(matches!(protocol.receive(r#"{"type":"complete","id":"7"}"#), Ok(Step::Stop(_))));
        run(&mut protocol, "one more");
    }

    #[test]
    fn running_operations_have_half_a_mebibyte_of_messages() {
        let mut protocol = acknowledged();
        let long = |id: &str| {
            let text = "x".repeat(MESSAGES / 4);
            subscribe(id).replace(r#""query""#, &format!(r#""variables":{{"text":"{text}"}},"query""#))
        };
        for id in ["a", "b", "c"] {
            assert!(matches!(protocol.receive(&long(id)), Ok(Step::Run(..))), "{id}");
        }
        assert!(matches!(protocol.receive(&long("d")), Ok(Step::Refuse(_))));
        run(&mut protocol, "short");
        assert!(matches!(protocol.receive(r#"{"type":"complete","id":"b"}"#), Ok(Step::Stop(_))));
        assert!(matches!(protocol.receive(&long("d")), Ok(Step::Run(..))));
    }

    #[test]
    fn the_old_dialect_runs_ahead_is_echoed_and_wants_signs_of_life() {
        let mut old = Protocol::new(Dialect::Old);
        let start = r#"{"type":"start","id":"a","payload":{"query":"{ a }"}}"#;
        assert!(old.is_listening());
        assert_eq!(old.rejection(&Close::UNAUTHORIZED), None);
        assert!(old.receive(r#"{"type":"connection_init"}"#).is_ok());
        assert!(!old.is_listening());
        let rejection = r#"{"payload":{"message":"Forbidden"},"type":"connection_error"}"#;
        assert_eq!(old.rejection(&Close::FORBIDDEN).as_deref(), Some(rejection));
        assert_eq!(old.sign_of_life(), None);
        old.acknowledge();
        assert!(old.is_listening());
        assert_eq!(old.rejection(&Close::SESSION_ENDED), None);
        assert_eq!(old.sign_of_life().as_deref(), Some(r#"{"type":"ka"}"#));
        let Ok(Step::Run(running, _)) = old.receive(start) else { panic!("it does not run") };
        assert_eq!(&*running.next(b"{}"), r#"{"id":"a","type":"data","payload":{}}"#);
        assert_eq!(&*running.error(br#"[{"message":"b"}]"#), r#"{"id":"a","type":"error","payload":{"message":"b"}}"#);
        assert_eq!(close(&mut old, start), Some(4409));
        let Ok(Step::Stop(stopped)) = old.receive(r#"{"type":"stop","id":"a"}"#) else { panic!("it does not stop") };
        assert_eq!(stopped.echo().as_deref(), Some(r#"{"id":"a","type":"complete"}"#));
        assert_eq!(close(&mut old, r#"{"type":"connection_terminate"}"#), Some(1000));
    }

    #[test]
    fn the_current_dialect_has_none_of_that() {
        let mut current = silent();
        assert!(current.receive(r#"{"type":"connection_init"}"#).is_ok());
        assert!(current.is_listening());
        assert_eq!(current.rejection(&Close::FORBIDDEN), None);
        current.acknowledge();
        assert_eq!(current.sign_of_life(), None);
        assert_eq!(run(&mut current, "a").echo(), None);
    }

    #[test]
    fn an_id_is_written_as_json() {
        let mut protocol = acknowledged();
        let running = run(&mut protocol, r#"\"\u0007"#);
        assert_eq!(&*running.complete(), r#"{"id":"\"\u0007","type":"complete"}"#);
        assert_eq!(&*running.next(b"{}"), r#"{"id":"\"\u0007","type":"next","payload":{}}"#);
    }

    #[test]
    fn every_reason_fits_in_a_close_frame() {
        let reason = Close::in_use(&"x".repeat(ID)).reason;
        assert!(reason.len() <= 123);
    }
}
