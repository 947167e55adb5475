//! Through the public door.

mod http;
mod socket;
mod toy;
