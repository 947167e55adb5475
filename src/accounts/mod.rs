//! Accounts: who signs in, with what, and for how long.

mod store;
mod tokens;

pub use tokens::{authenticate, session_expires_at};
