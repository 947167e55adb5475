//! What leaves the server: answers in JSON, and errors with their codes.
//!
//! An error is logged here, once, with what really happened, and says nothing of the inside to the client.

use async_graphql::parser::Error as ParserError;
use async_graphql::{PathSegment, Pos, Response, ServerError, Value};
use bytes::Bytes;
use serde::Serialize;

use crate::answer::Answer;
use crate::error::{Code, Error};

/// Errors that leave in one answer: one wrong document must not make a thousand.
const ERRORS: usize = 10;

impl Answer {
    /// A request error of ours.
    pub fn refuse(error: &Error, request_id: &str) -> Self {
        log(error, request_id);
        Self::refused(vec![Sent::of(error, request_id)])
    }

    fn refused(errors: Vec<Sent>) -> Self {
        let code = errors.first().map_or(Code::Internal, |error| error.code);
        Self::Refused(code, to_json(&errors))
    }
}

/// What runs. Of a subscription, `data` that is null is a request error also if the error has a path: a source that
/// cannot be opened is no event, and one that cannot be shown must not be passed over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Delivering,
    Running,
}

/// One error as it leaves.
#[derive(Serialize)]
struct Sent {
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Pos>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<PathSegment>,
    extensions: serde_json::Map<String, serde_json::Value>,
    #[serde(skip)]
    code: Code,
}

impl Sent {
    fn of(error: &Error, request_id: &str) -> Self {
        let mut extensions = error.extensions();
        extensions.insert("requestId".into(), request_id.into());
        let message = error.message().to_owned();
        Self { message, locations: Vec::new(), path: Vec::new(), extensions, code: error.code() }
    }
}

/// Why a document does not run, and where in it that stands.
pub(super) struct Unfit {
    pub error: Box<Error>,
    locations: Vec<Pos>,
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        Self { error: error.into(), locations: Vec::new() }
    }
}

/// A document that does not parse.
impl From<ParserError> for Unfit {
    fn from(error: ParserError) -> Self {
        let message = match &error {
            // The parser's text draws the line and the mistake in it; its last line says what was expected.
            ParserError::Syntax { message, .. } => match message.rsplit_once("= ") {
                Some((_, expected)) => format!("Syntax error: {}", expected.trim()),
                None => "Syntax error".to_owned(),
            },
            other => format!("Syntax error: {}", other.to_string().trim_end_matches('.')),
        };
        let locations = error.positions().take(1).collect();
        Self { error: Error::new(Code::GraphqlParseFailed, message).into(), locations }
    }
}

impl Unfit {
    pub fn refuse(self, request_id: &str) -> Answer {
        log(&self.error, request_id);
        Answer::refused(vec![Sent { locations: self.locations, ..Sent::of(&self.error, request_id) }])
    }
}

/// What the library answered, as it leaves.
pub(super) fn finish(response: Response, stage: Stage, request_id: &str) -> Answer {
    let has_run = |error: &ServerError| stage == Stage::Running && !error.path.is_empty();
    let is_request_error =
        response.data == Value::Null && !response.errors.is_empty() && !response.errors.iter().any(has_run);
    let errors: Vec<Sent> =
        response.errors.into_iter().take(ERRORS).map(|error| into_sent(error, request_id)).collect();
    if is_request_error {
        return Answer::refused(errors);
    }
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        errors: Vec<Sent>,
        data: &'a Value,
    }
    Answer::Executed(to_json(&Body { errors, data: &response.data }))
}

/// Gives an error its code. Ours rides along as the source; whatever else has a source is a fault of ours that slipped
/// through `?`, its text perhaps SQL. What has none comes from async-graphql: before execution it is about the
/// document, with a path about a value that validation let through.
fn into_sent(error: ServerError, request_id: &str) -> Sent {
    let ours = match error.source::<Error>() {
        Some(ours) => ours.clone(),
        None if error.source.is_some() => Error::internal(&error.message),
        None if error.path.is_empty() => Error::new(Code::GraphqlValidationFailed, error.message),
        None => Error::new(Code::BadUserInput, wrong_value(&error.message)),
    };
    log(&ours, request_id);
    Sent { locations: error.locations, path: error.path, ..Sent::of(&ours, request_id) }
}

/// The type a value is not of, which stands first in quotes; the rest may speak of Rust.
fn wrong_value(message: &str) -> String {
    let is_about_input = message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"");
    match message.split('"').nth(1) {
        Some(name) if is_about_input => format!("An argument here is no valid {name}"),
        _ => "An argument here is not valid".to_owned(),
    }
}

/// What really happened, for us alone.
fn log(error: &Error, request_id: &str) {
    let Some(cause) = error.cause() else { return };
    match error.code() {
        Code::Internal => tracing::error!(request_id, cause, "request failed"),
        _ => tracing::warn!(request_id, code = error.code().name(), cause, "request failed"),
    }
}

fn to_json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("has string keys only").into()
}
