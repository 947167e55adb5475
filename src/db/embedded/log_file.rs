//! `postgres.log`: PostgreSQL's standard error.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::{StartError, cannot};

const LONGEST: u64 = 10 << 20;
const TAIL: u64 = 4 << 10;

/// A long one is put aside first, in place of the last that was.
pub(super) fn open(path: &Path) -> Result<File, StartError> {
    if fs::metadata(path).is_ok_and(|log| log.len() > LONGEST) {
        fs::rename(path, path.with_extension("log.old")).map_err(cannot("rename", path))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(cannot("write to", path))
}

/// The reason PostgreSQL gave last; hints follow it.
pub(super) fn last_words(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    let reason = tail.lines().rfind(|line| line.contains("FATAL:") || line.contains("PANIC:"));
    Ok(reason.or(tail.lines().last()).unwrap_or_default().to_owned())
}
