//! Through the public door: real HTTP and real sockets, a real PostgreSQL.

mod harness;

mod embedded;
mod http;
mod messages;
mod socket;
mod toy;
