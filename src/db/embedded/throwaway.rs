//! The folder of a throwaway cluster: in the system's temporary folder, and gone when the process that made it is.
//!
//! Tests share one cluster in a static, which is never dropped, and may be killed. So not we remove the folder but a
//! small shell, the keeper: it waits until our end of a pipe closes, and the kernel closes it however we end. A
//! handler at exit would miss Ctrl-C, abort and kill -9.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};

use super::error::{StartError, cannot};
use super::layout::Layout;
use super::lock;
use super::pid_file::PidFile;

const PREFIX: &str = "chinwag-test-";

/// $1 is the data folder, $2 the folder of its sockets. The postmaster is told once more where the kernel did not
/// tell it; `rm` is repeated because a process that is just ending may still write.
const KEEPER: &str = r#"
cat >/dev/null
{ read -r postmaster <"$1/postgres/postmaster.pid"; } 2>/dev/null && kill -QUIT "$postmaster" 2>/dev/null
tries=0
until rm -rf "$1" "$2" 2>/dev/null || [ "$tries" -ge 100 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
"#;

pub(super) struct Folder {
    pub(super) path: PathBuf,
    keeper: Child,
}

impl Folder {
    pub(super) fn create() -> Result<Self, StartError> {
        let path = make_folder()?;
        let layout = Layout::create(&path)?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .args([&layout.root, &layout.sockets])
            .current_dir("/")
            .stdin(Stdio::piped())
            // Not ours: whoever reads the tests' output to its end would wait for the keeper too.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C is for us; the keeper has its work still before it.
            .process_group(0)
            .spawn()
            .map_err(cannot("run", Path::new("sh")))?;
        Ok(Self { path, keeper })
    }
}

impl Drop for Folder {
    /// `wait` closes the pipe first.
    fn drop(&mut self) {
        let _ = self.keeper.wait();
    }
}

/// A name that is taken belongs to a process with our pid in another container.
fn make_folder() -> Result<PathBuf, StartError> {
    let mut number = 0;
    loop {
        let path = env::temp_dir().join(format!("{PREFIX}{}-{number}", process::id()));
        match DirBuilder::new().mode(0o711).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(cannot("create", &path)(error)),
        }
    }
}

/// Removes what runs whose keeper was killed too left behind. Failure is not an error: the next run tries again.
pub(super) fn remove_leftovers() {
    for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
        if is_leftover(&entry).is_some_and(|leftover| leftover) {
            let _ = remove(&entry.path());
        }
    }
}

/// Ours by its owner, since anybody may make a folder of that name; the maker's pid tells what the lock does not
/// yet: that the folder was made a moment ago.
fn is_leftover(entry: &fs::DirEntry) -> Option<bool> {
    let name = entry.file_name();
    let maker = name.to_str()?.strip_prefix(PREFIX)?.split('-').next()?;
    let maker = Pid::from_raw(maker.parse().ok()?)?;
    let found = entry.metadata().ok()?;
    Some(found.is_dir() && found.uid() == geteuid().as_raw() && test_kill_process(maker) == Err(Errno::SRCH))
}

fn remove(folder: &Path) -> io::Result<()> {
    let layout = Layout::of(folder)?;
    if lock::is_held(&layout.lock()) {
        return Ok(());
    }
    if let Some(postmaster) = PidFile::of_living(&layout.cluster()) {
        kill_process(postmaster.pid, Signal::QUIT)?;
    }
    layout.remove_short_sockets();
    fs::remove_dir_all(&layout.root)
}
