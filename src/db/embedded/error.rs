//! The one error of the private PostgreSQL: a sentence for the person who started the server.

use std::fmt;
use std::io;
use std::path::Path;

/// Why there is no cluster, and what to do about it. Nothing branches on it, so it has no kinds.
#[derive(Debug)]
pub struct StartError(String);

impl StartError {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// `fs::rename(…).map_err(cannot("rename", path))` reads "cannot rename /srv/chat/postgres: permission denied".
pub(super) fn cannot(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> StartError {
    move |error| StartError(format!("cannot {verb} {}: {error}", path.display()))
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
