//! Through the public door: real HTTP and real sockets, a real PostgreSQL.

mod harness;

mod accounts;
mod architecture;
mod authorization;
mod bad_input;
mod embedded;
mod http;
mod messages;
mod null_propagation;
mod schema;
mod sessions;
mod socket;
mod streams;
mod toy;
