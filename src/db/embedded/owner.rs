//! Whose cluster it is. PostgreSQL refuses to run as root, so as root we start it as somebody else and give that user
//! the cluster and the socket folder, and nothing more.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use super::error::{StartError, cannot};
use super::layout::Layout;

/// macOS has no C.UTF-8. Only the character classes come from it; order is C everywhere.
pub(super) const LOCALE: &str = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };

#[derive(Clone)]
pub(super) struct Owner {
    pub(super) uid: u32,
    gid: u32,
}

impl Owner {
    pub(super) fn of(layout: &Layout) -> Result<Self, StartError> {
        let cluster = fs::metadata(layout.cluster()).ok().map(|folder| Self { uid: folder.uid(), gid: folder.gid() });
        let us = geteuid();
        match cluster {
            Some(owner) if us.is_root() && owner.uid != 0 => Ok(owner),
            _ if us.is_root() => ["postgres", "nobody"].into_iter().find_map(Self::named).ok_or_else(|| {
                StartError::new("PostgreSQL does not run as root, and there is no user postgres or nobody: start chinwag as an ordinary user")
            }),
            Some(owner) if owner.uid != us.as_raw() => Err(StartError::new(format!(
                "the database in {} belongs to the user with id {}: start chinwag as that user or as root",
                layout.root.display(),
                owner.uid
            ))),
            _ => Ok(Self { uid: us.as_raw(), gid: rustix::process::getegid().as_raw() }),
        }
    }

    /// By `id`, not /etc/passwd, which knows neither macOS's users nor a directory's.
    fn named(name: &str) -> Option<Self> {
        let id = |flag| {
            let answer = Command::new("id").args([flag, name]).stderr(Stdio::null()).output().ok()?;
            String::from_utf8(answer.stdout).ok()?.trim().parse().ok()
        };
        Some(Self { uid: id("-u")?, gid: id("-g")? })
    }

    fn is_somebody_else(&self) -> bool {
        self.uid != geteuid().as_raw()
    }

    /// Without our environment: it holds the server's secrets, which `ps e` would show to the database's user, and
    /// perhaps a PGPORT or PGOPTIONS meant for something else.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", LOCALE).current_dir("/").stdin(Stdio::null());
        if self.is_somebody_else() {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// A folder that only the owner can enter. One that exists is taken only if it is the owner's or ours already:
    /// in /tmp anybody could have put it there, and would then hold the sockets.
    pub(super) fn private_folder(&self, path: &Path) -> Result<(), StartError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = fs::symlink_metadata(path).map_err(cannot("use", path))?;
                let trusted = found.uid() == self.uid || found.uid() == geteuid().as_raw();
                if !(found.is_dir() && trusted && found.mode() & 0o077 == 0) {
                    return Err(StartError::new(format!(
                        "{} is not a private folder of ours: remove it",
                        path.display()
                    )));
                }
            }
            Err(error) => return Err(cannot("create", path)(error)),
        }
        self.give(path)
    }

    /// Never follows a symlink: as root that would hand somebody else's file over.
    pub(super) fn give(&self, path: &Path) -> Result<(), StartError> {
        if self.is_somebody_else() {
            lchown(path, Some(self.uid), Some(self.gid)).map_err(cannot("change the owner of", path))?;
        }
        Ok(())
    }

    /// Asks the kernel by trying, since mode bits do not tell of access lists. Without this PostgreSQL's own answer
    /// would be "could not access directory", which sends people to the wrong folder.
    pub(super) fn must_reach(&self, program: &Path, folder: &Path) -> Result<(), StartError> {
        // The working directory is changed after the user; tests/ would notice if std turned that round.
        let runs_in =
            |folder: &Path| self.command(program).arg("--version").current_dir(folder).stdout(Stdio::null()).status();
        runs_in(Path::new("/")).map_err(cannot("run", program))?;
        if runs_in(folder).is_ok() {
            return Ok(());
        }
        let mut way: Vec<_> = folder.ancestors().collect();
        way.reverse();
        let closed = way.into_iter().find(|folder| runs_in(folder).is_err()).unwrap_or(folder);
        Err(StartError::new(format!(
            "PostgreSQL does not run as root, and the user it would run as (id {}) cannot enter {}: \
             `chmod o+x` that folder, choose another with DATA_DIR, or start chinwag as an ordinary user",
            self.uid,
            closed.display()
        )))
    }
}
