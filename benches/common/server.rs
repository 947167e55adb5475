//! The server as it is run: the program itself.

use std::net::SocketAddr;

use super::database::Database;
use super::process::Process;

/// With which tokens are signed.
pub const SECRET: &str = "a secret of the benches, long enough for HS256";

pub struct Server {
    pub process: Process,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(database: &Database) -> Self {
        Self::start_at(&database.url)
    }

    /// At an address of the database, which may carry options.
    pub fn start_at(url: &str) -> Self {
        let environment = [
            ("DATABASE_URL", url),
            ("DATA_DIR", "/"),
            ("JWT_SECRET", SECRET),
            ("LISTEN", "127.0.0.1:0"),
            ("LOG", "error"),
            ("RATE_LIMIT", "off"),
        ];
        let (process, address) = Process::serving(env!("CARGO_BIN_EXE_chinwag"), &["serve"], &environment);
        Self { process, address }
    }
}
