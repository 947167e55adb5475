//! `postmaster.pid`, by which PostgreSQL guards a cluster: who runs it and how far it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::error::{StartError, cannot};
use super::layout::Layout;
use super::owner::Owner;

pub(super) struct PidFile {
    pub(super) pid: Pid,
    pub(super) sockets: PathBuf,
    /// "starting", "ready" or "stopping".
    pub(super) status: String,
}

impl PidFile {
    pub(super) fn read(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(path(cluster)).ok()?;
        let line = |number: usize| text.lines().nth(number - 1).unwrap_or_default().trim();
        Some(Self { pid: Pid::from_raw(line(1).parse().ok()?)?, sockets: line(5).into(), status: line(8).to_owned() })
    }

    /// The file of a postmaster that lives: one left behind can name a zombie, which answers signals, or somebody
    /// else's process that got the number since (after a restart of a container it nearly always does).
    pub(super) fn of_living(cluster: &Path) -> Option<Self> {
        Self::read(cluster).filter(|file| is_postmaster(file.pid, cluster))
    }
}

fn path(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

/// A postmaster works in its cluster, and a zombie works nowhere.
#[cfg(target_os = "linux")]
pub(super) fn is_postmaster(pid: Pid, cluster: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == cluster)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_postmaster(pid: Pid, cluster: &Path) -> bool {
    let command = std::process::Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output();
    command.is_ok_and(|command| String::from_utf8_lossy(&command.stdout).contains(&*cluster.to_string_lossy()))
}

/// PostgreSQL refuses to start while the process that a left-behind file names exists, whatever it is, except
/// when it is the new postmaster's parent: so we put ourselves there.
///
/// Removing the file would do that too, but its seventh line is how PostgreSQL finds out whether backends of the
/// dead postmaster still write to the cluster, and that must not be lost.
///
/// Precondition: we hold the lock of the data folder. A living postmaster keeps its file, and PostgreSQL refuses.
pub(super) fn disown(layout: &Layout, owner: &Owner) -> Result<(), StartError> {
    let path = path(&layout.cluster());
    let Some(file) = PidFile::read(&layout.cluster()) else {
        return Ok(());
    };
    if test_kill_process(file.pid) == Err(Errno::SRCH) || is_postmaster(file.pid, &layout.cluster()) {
        return Ok(());
    }
    let text = fs::read_to_string(&path).map_err(cannot("read", &path))?;
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    // Written beside the cluster and moved in: writing through a name in somebody else's folder, as root, would
    // follow a symlink that they put there.
    let ours = layout.root.join("postmaster.pid.new");
    fs::write(&ours, format!("{}\n{rest}", std::process::id())).map_err(cannot("write", &ours))?;
    owner.give(&ours)?;
    fs::rename(&ours, &path).map_err(cannot("replace", &path))?;
    // The socket's lock has the same pid and guards nothing that the cluster's does not.
    match fs::remove_file(layout.socket_lock()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot("remove", &layout.socket_lock())(error)),
        _ => Ok(()),
    }
}
