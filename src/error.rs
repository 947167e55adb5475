//! What may go wrong, and the one door through which it leaves.
//!
//! `Error` is deliberately not `Display`: async-graphql turns any `Display` error into a bare message without a code,
//! SQL text included. Ours has one conversion, and what the outside sees of it is decided in `extensions`.

use std::borrow::Cow;

use async_graphql::Enum;
use async_graphql::resolver_utils::EnumType;
use serde_json::{Value, json};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a field of an interface answers that can fail and not be null. Of a `Result`, which it knows by that name, the
/// library's interfaces take the error before they know where in the answer it stands, and it would have no path.
pub type Fallible<T> = Result<T>;

/// What `extensions.code` of an error may be. Codes are added over time: treat an unknown one as INTERNAL.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(name = "ErrorCode")]
pub enum Code {
    /// Nobody is signed in, or the access token has expired: refresh it and try again.
    Unauthenticated,
    /// Wrong name, address or password.
    InvalidCredentials,
    /// The password was right, a second factor is needed: pass `extensions.challenge` to `answerSecondFactor`.
    SecondFactorRequired,
    /// A mailed token, an invitation, a challenge or an OAuth token is wrong, spent or expired.
    TokenInvalid,
    /// The OAuth provider refused or did not answer.
    OauthFailed,
    /// This server takes no new accounts.
    RegistrationClosed,
    /// The viewer can see the object but may not do this to it.
    Forbidden,
    /// There is no such object, as far as the viewer may know.
    NotFound,
    /// Some input is wrong; `extensions.fields` says which, and how.
    BadUserInput,
    /// Something else holds the name, address or place.
    Conflict,
    /// `expectedVersion` is not the present version, which is in `extensions.currentVersion`.
    VersionConflict,
    /// The same `clientKey` came before with different input.
    IdempotencyKeyReused,
    /// The object is not in a state that allows this; `extensions.reason` says why.
    FailedPrecondition,
    /// The conversation or group is archived.
    Archived,
    /// A sanction forbids this; `extensions.sanctionId` and `extensions.expiresAt` say which and how long.
    Sanctioned,
    /// Too many requests; `extensions.retryAfterMs` says when to try again.
    RateLimited,
    /// A storage allowance is used up.
    QuotaExceeded,
    /// The request itself is wrong: its body, parameters, content type or operation name.
    BadRequest,
    /// The operation does not parse.
    GraphqlParseFailed,
    /// The operation does not fit this schema.
    GraphqlValidationFailed,
    /// The operation is too deep or costs too much; `extensions.cost` and `extensions.limit` say by how much.
    OperationTooComplex,
    /// The hash of a persisted operation is unknown: send it once in full.
    PersistedQueryNotFound,
    /// This server runs only operations that it knows.
    DocumentNotAllowed,
    /// Too many operations run on this socket or for whoever asks, or come in this request.
    TooManyOperations,
    /// Took too long and was stopped.
    Timeout,
    /// A part of the server is out of reach: try again.
    Unavailable,
    /// A fault of the server; `extensions.requestId` finds it in its logs.
    Internal,
}

/// What is wrong with one field of an input, as `extensions.fields` of BAD_USER_INPUT says. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(name = "InputErrorCode")]
pub enum InputCode {
    /// It is absent, null or empty.
    Required,
    /// It has too few characters; `params.min` says how many it takes.
    TooShort,
    /// It has too many characters; `params.max` says how many it takes.
    TooLong,
    /// The list has too many elements; `params.max` says how many it takes.
    TooMany,
    /// It is too small or too large; `params.min` and `params.max` say the bounds.
    OutOfRange,
    /// It is not written as it has to be.
    BadFormat,
    /// It names nothing the viewer may see.
    UnknownId,
    /// It is not allowed here, or not beside another field.
    NotAllowed,
    /// It stands there twice.
    Duplicate,
}

impl Code {
    /// As it stands in `extensions.code`.
    pub fn name(self) -> &'static str {
        Self::items().iter().find(|item| item.value == self).map_or("INTERNAL", |item| item.name)
    }
}

/// One wrong field of an input.
#[derive(Clone, Debug)]
pub struct FieldError {
    /// From the argument inwards, as in `input.memberIds.3`.
    path: Vec<Cow<'static, str>>,
    code: InputCode,
    message: Cow<'static, str>,
    params: Value,
}

/// A coded error. Its constructors read as sentences: `Error::not_found("channel")`.
#[derive(Clone, Debug)]
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
    fields: Vec<FieldError>,
    /// Further entries of `extensions`.
    details: Vec<(&'static str, Value)>,
    /// What really happened, for the server's log alone.
    cause: Option<String>,
    /// Whether the connection to the database broke under it.
    is_connection_lost: bool,
    /// Whether the database undid it because it and another waited for one another.
    is_deadlock: bool,
}

impl Error {
    /// An error with this code; the message is shown to people.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            fields: Vec::new(),
            details: Vec::new(),
            cause: None,
            is_connection_lost: false,
            is_deadlock: false,
        }
    }

    /// Whether the same may succeed a little later.
    pub fn passes(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::Timeout)
    }

    /// There is no such thing, as far as the viewer may know. Strangers get this too: *forbidden* would tell them that
    /// it exists.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}"))
    }

    /// Nobody is signed in.
    pub fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "Sign in first")
    }

    /// The viewer sees the thing but may not do this to it.
    pub fn forbidden(message: &'static str) -> Self {
        Self::new(Code::Forbidden, message)
    }

    /// The version that was expected is not the present one.
    pub fn version_conflict(current: i32) -> Self {
        Self::new(Code::VersionConflict, "Somebody changed it meanwhile").with("currentVersion", current)
    }

    /// A part of the server is out of reach.
    pub fn unavailable(cause: impl ToString) -> Self {
        Self::new(Code::Unavailable, "The server cannot do this right now, try again").caused_by(cause)
    }

    /// The connection to the database broke under it; whether it was done is unknown.
    pub fn connection_lost(cause: impl ToString) -> Self {
        Self { is_connection_lost: true, ..Self::unavailable(cause) }
    }

    /// Two waited for one another, and the database undid this one. That is a fault of ours.
    pub fn deadlock(cause: impl ToString) -> Self {
        Self { is_deadlock: true, ..Self::internal(cause) }
    }

    /// A fault of ours; the cause stays in the log.
    pub fn internal(cause: impl ToString) -> Self {
        Self::new(Code::Internal, "Something went wrong").caused_by(cause)
    }

    /// Some input is wrong: all its wrong fields at once.
    pub fn bad_input(fields: Vec<FieldError>) -> Self {
        let message = match fields.as_slice() {
            [only] => format!("{}: {}", only.path.join("."), only.message),
            several => format!("{} fields are wrong", several.len()),
        };
        Self { fields, ..Self::new(Code::BadUserInput, message) }
    }

    /// One argument is wrong.
    pub fn invalid(argument: &'static str, code: InputCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::bad_input(vec![FieldError::new(&[argument], code, message)])
    }

    /// A text that is no id of the type wanted.
    pub fn not_an_id(argument: &'static str) -> Self {
        Self::invalid(argument, InputCode::BadFormat, "Not an id of this type")
    }

    /// The same, in other words.
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds an entry to `extensions`.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// Adds what the server's log should say.
    pub fn caused_by(mut self, cause: impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Whether it may be worth another try on another connection, if doing it twice is harmless.
    pub fn is_connection_lost(&self) -> bool {
        self.is_connection_lost
    }

    /// Whether the same succeeds once the other one is done.
    pub fn is_deadlock(&self) -> bool {
        self.is_deadlock
    }

    pub fn code(&self) -> Code {
        self.code
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// What really happened, for the log; `None` for what the client alone caused.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Everything that leaves in `extensions`, but the request's id.
    pub fn extensions(&self) -> serde_json::Map<String, Value> {
        let mut extensions = serde_json::Map::new();
        extensions.insert("code".into(), self.code.name().into());
        if !self.fields.is_empty() {
            let fields = self.fields.iter().map(|field| {
                json!({
                    "path": field.path,
                    "code": field.code.name(),
                    "message": field.message,
                    "params": field.params,
                })
            });
            extensions.insert("fields".into(), fields.collect());
        }
        for (name, value) in &self.details {
            extensions.insert((*name).into(), value.clone());
        }
        extensions
    }
}

impl InputCode {
    /// As it stands in `extensions.fields`.
    pub fn name(self) -> &'static str {
        Self::items().iter().find(|item| item.value == self).map_or("BAD_FORMAT", |item| item.name)
    }
}

impl FieldError {
    /// What is wrong with the field at `path`, from the argument inwards.
    pub fn new(path: &[&'static str], code: InputCode, message: impl Into<Cow<'static, str>>) -> Self {
        let path = path.iter().map(|&step| step.into()).collect();
        Self { path, code, message: message.into(), params: json!({}) }
    }

    /// The same, of one element of a list.
    pub fn at(mut self, index: usize) -> Self {
        self.path.push(index.to_string().into());
        self
    }

    /// Numbers for the client's own sentence, as in `{"max": 80}`.
    pub fn with(mut self, params: Value) -> Self {
        self.params = params;
        self
    }
}

/// The only way from here to GraphQL: the error itself rides along as the source, and is made into `extensions` where
/// answers leave the server.
impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        let message = error.message.to_string();
        async_graphql::Error { message, source: Some(std::sync::Arc::new(error)), extensions: None }
    }
}
