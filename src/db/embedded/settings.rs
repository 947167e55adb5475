//! What a cluster is for, and the settings that follow.
//!
//! They go on the command line, not into postgresql.conf: a new version of the server changes them everywhere.

use std::path::Path;

use rustix::process::Signal;

#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Durable,
    Throwaway,
}

const EVERY_CLUSTER: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "timezone=UTC",
    "log_timezone=UTC",
    "jit=off",
    "logging_collector=off",
    "log_destination=stderr",
    "log_min_messages=warning",
    // The log is put aside only at a start, so nothing may write to it by the clock.
    "log_checkpoints=off",
    // What people write and their addresses do not belong in a log: no statements, and no DETAIL, which quotes rows.
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
];

/// Said although they are the defaults: what was acknowledged survives a power cut, whatever postgresql.conf says.
const DURABLE: &[&str] = &["max_connections=100", "fsync=on", "full_page_writes=on", "synchronous_commit=on"];

const THROWAWAY: &[&str] = &[
    // A pool for each test, and as many tests at once as there are cores.
    "max_connections=400",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
];

pub(super) fn of(purpose: Purpose, sockets: &Path) -> Vec<String> {
    let more = match purpose {
        Purpose::Durable => DURABLE,
        Purpose::Throwaway => THROWAWAY,
    };
    // Quoted as an identifier is; single quotes would become part of the name.
    let sockets = sockets.to_string_lossy().replace('"', "\"\"");
    let mut settings = vec![format!("unix_socket_directories=\"{sockets}\"")];
    settings.extend(EVERY_CLUSTER.iter().chain(more).map(|&setting| setting.to_owned()));
    settings
}

impl Purpose {
    /// Fast shutdown, which rolls back and writes a checkpoint, or immediate, which writes nothing.
    pub(super) fn stop_signal(self) -> Signal {
        match self {
            Self::Durable => Signal::INT,
            Self::Throwaway => Signal::QUIT,
        }
    }
}
