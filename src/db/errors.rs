//! What the database says, made into errors of ours.

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::error::{Code, Error, Result};

/// The caller names a constraint and what its violation means. The database decides uniqueness: nothing is checked
/// before it is inserted.
pub trait OnConstraint<T> {
    fn on_constraint(self, name: &str, meaning: impl FnOnce() -> Error) -> Result<T>;
}

impl<T> OnConstraint<T> for QueryResult<T> {
    fn on_constraint(self, name: &str, meaning: impl FnOnce() -> Error) -> Result<T> {
        self.map_err(|error| match &error {
            DieselError::DatabaseError(_, about) if about.constraint_name() == Some(name) => meaning(),
            _ => error.into(),
        })
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        if is_connection_lost(&error) {
            return Self::connection_lost(error);
        }
        match &error {
            // PostgreSQL's words for statement_timeout, lock_timeout and a deadlock; diesel has no kind for them.
            DieselError::DatabaseError(_, about)
                if about.message().contains("statement timeout") || about.message().contains("lock timeout") =>
            {
                Self::new(Code::Timeout, "This took too long and was stopped").caused_by(error)
            }
            DieselError::DatabaseError(_, about) if about.message().contains("deadlock detected") => {
                Self::deadlock(error)
            }
            // Text that PostgreSQL cannot hold. What is kept is checked before; this is for what is only looked up.
            DieselError::DatabaseError(_, about) if about.message().contains("byte sequence for encoding") => {
                Self::new(Code::BadUserInput, "NUL is not allowed in text")
            }
            _ => Self::internal(error),
        }
    }
}

/// Whether the connection broke, or the server behind it went away, rather than the statement being refused.
pub(super) fn is_connection_lost(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => true,
        DieselError::DatabaseError(_, about) => {
            let message = about.message();
            [
                "connection closed",
                "channel closed",
                "terminating connection",
                "shutting down",
                "starting up",
                "in recovery mode",
            ]
            .iter()
            .any(|sign| message.contains(sign))
                || message.starts_with("error communicating with the server")
        }
        DieselError::BrokenTransactionManager => true,
        _ => false,
    }
}
