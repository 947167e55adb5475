//! What lies where in a data folder, and the address of the database in it.
//!
//! `postgres/` is a whole cluster or does not exist; `postgres.init/` may be half of one.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::{StartError, cannot};

pub(super) const SUPERUSER: &str = "chinwag";

const SOCKET: &str = ".s.PGSQL.5432";

/// `sun_path` holds 104 bytes on macOS and 108 on Linux.
const LONGEST_SOCKET_PATH: usize = 100;

#[derive(Clone)]
pub(super) struct Layout {
    pub(super) root: PathBuf,
    pub(super) sockets: PathBuf,
}

impl Layout {
    pub(super) fn create(data_dir: &Path) -> Result<Self, StartError> {
        fs::create_dir_all(data_dir).map_err(cannot("create", data_dir))?;
        Self::of(data_dir).map_err(cannot("use", data_dir))
    }

    /// Absolute, because PostgreSQL changes its working directory, and without symlinks, because the short folder
    /// for sockets must have the same name for every way that leads here.
    pub(super) fn of(data_dir: &Path) -> io::Result<Self> {
        let root = fs::canonicalize(data_dir)?;
        let mut sockets = root.join("pgsock");
        if sockets.join(SOCKET).as_os_str().len() > LONGEST_SOCKET_PATH {
            let folder = fs::metadata(&root)?;
            sockets = format!("/tmp/chinwag-{:x}-{:x}", folder.dev(), folder.ino()).into();
        }
        Ok(Self { root, sockets })
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("server.lock")
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.root.join("postgres")
    }

    pub(super) fn half_made_cluster(&self) -> PathBuf {
        self.root.join("postgres.init")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    pub(super) fn socket_lock(&self) -> PathBuf {
        self.sockets.join(format!("{SOCKET}.lock"))
    }

    /// Of a stopped cluster. In the data folder they stay; in /tmp nobody would know whose they were.
    pub(super) fn remove_short_sockets(&self) {
        if !self.sockets.starts_with(&self.root) {
            let _ = fs::remove_dir_all(&self.sockets);
        }
    }

    /// The major version that made the cluster; `None` when there is no cluster yet.
    pub(super) fn major(&self) -> Result<Option<u32>, StartError> {
        let cluster = self.cluster();
        if !cluster.exists() {
            return Ok(None);
        }
        let version = cluster.join("PG_VERSION");
        let text = fs::read_to_string(&version).map_err(cannot("read", &version))?;
        let major = text.trim().parse().map_err(|_| {
            StartError::new(format!(
                "{} does not hold a PostgreSQL version; is this a data folder of chinwag?",
                version.display()
            ))
        })?;
        Ok(Some(major))
    }

    pub(super) fn url(&self, database: &str) -> String {
        let host = percent_encoded(self.sockets.as_os_str().as_bytes());
        format!("postgres://{SUPERUSER}@{host}/{}", percent_encoded(database.as_bytes()))
    }
}

fn percent_encoded(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|&byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
