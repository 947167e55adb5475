//! What the tests stand on: a real PostgreSQL, a server each with a database of its own, and people with names.

mod actor;
mod database;
pub mod sdl;
mod server;
mod socket;
mod statements;
mod wire;

pub use actor::{Actor, Answer, PASSWORD, usernames};
pub use database::Database;
pub use server::TestServer;
pub use socket::{Ended, Socket, Stream};
pub use wire::{Fate, Wire};
