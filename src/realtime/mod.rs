//! What is known at this moment and kept nowhere. Everything here may vanish at any time: nothing stored depends on it.

mod ended_sessions;
mod store;

pub use ended_sessions::{ACCESS_TOKEN_LIVES, EndedSessions};
