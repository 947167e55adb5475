//! What holds at this moment. Everything here may vanish at any time, and is then read or built anew: nothing stored depends
//! on it.

mod ended_sessions;
mod store;

pub use ended_sessions::{ACCESS_TOKEN_LIVES, EndedSessions};
