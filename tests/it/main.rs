//! Through the public door.

mod http;
mod sessions;
mod socket;
mod toy;
