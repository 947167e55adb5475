//! `server.lock`: one process owns a data folder. The kernel lets go of it however that process ends, so a lock
//! never has to be broken, and the file is never removed (whoever waits on a removed file holds nothing).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::error::{StartError, cannot};

/// Covers a look by [`is_held`] and the last moments of a killed server; a running one stays longer.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) struct Lock {
    _held_while_open: File,
}

pub(super) fn take(path: &Path) -> Result<Lock, StartError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(cannot("open", path))?;
    let give_up = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < give_up => thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => return Err(in_use(path)),
            Err(TryLockError::Error(error)) => return Err(cannot("lock", path)(error)),
        }
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(cannot("write to", path))?;
    Ok(Lock { _held_while_open: file })
}

/// Shared, so that two who look do not take each other for a server.
pub(super) fn is_held(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn in_use(path: &Path) -> StartError {
    let folder = path.parent().unwrap_or(path).display();
    let holder = fs::read_to_string(path).unwrap_or_default();
    let holder = match holder.trim() {
        "" => "another process".to_owned(),
        pid => format!("another process (pid {pid})"),
    };
    StartError::new(format!(
        "the data folder {folder} is in use by {holder}: stop it, choose another folder with DATA_DIR, \
         or set DATABASE_URL to share one database between servers"
    ))
}
