//! What the tests stand on: a real PostgreSQL, a server each with a database of its own, and people with names.

mod actor;
mod database;
mod https;
mod network;
mod provider;
mod push_service;
pub mod sdl;
mod server;
mod smtp;
mod socket;
mod statements;
mod wire;

pub use actor::{Actor, Answer, IS_IT_YOURS, PASSWORD, usernames};
pub use database::Database;
pub use network::Network;
pub use provider::{INSIDE, PAGE, Person, Provider, Wrong};
pub use push_service::{Browser, PushService};
pub use server::TestServer;
pub use smtp::{MailServer, Mood, Taken};
pub use socket::{Ended, Socket, Stream};
pub use wire::{Fate, Wire};
