//! Who asks.

use uuid::Uuid;

use crate::id::{SessionId, UserId};

/// Somebody signed in, as their access token proves. Roles and sanctions are not in it: they come from the database, so
/// that they hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Who.
    pub user_id: UserId,
    /// The sign-in that this request or socket rides on.
    pub session_id: SessionId,
}

impl Viewer {
    /// Somebody in whose name something is done that they asked for earlier. No session is like this one.
    pub fn absent(user_id: UserId) -> Self {
        Self { user_id, session_id: SessionId(Uuid::nil()) }
    }
}
