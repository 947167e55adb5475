//! A PostgreSQL of the server's own, so that `cargo run` needs no set-up.
//!
//! [`Cluster::start`] finds the installed programs, makes a cluster in the data folder when there is none, starts
//! it, and starts it again when it dies. It ends with this process, however this process
//! ends (except that on macOS a kill -9 leaves it to be adopted by the next start).
//!
//! What holds:
//! - One process owns a data folder: nothing here touches a cluster before `server.lock` is held.
//! - A killed server loses nothing that was committed: fsync is on, and the next start waits for the old postmaster.
//! - Only the cluster's owner (and root) can connect: there is no TCP, and no one else can enter the sockets' folder.
//! - As root, we change nothing in a folder of the database's user through a name that user could have replaced.
//!
//! Deliberately absent: other processes' databases are never stopped; there is no download, no password, no upgrade
//! of a folder of another major.

use std::path::Path;

mod error;
mod initdb;
mod layout;
mod lock;
mod log_file;
mod owner;
mod pid_file;
mod postmaster;
mod programs;
mod settings;
mod supervisor;
mod throwaway;

pub use error::StartError;

use layout::Layout;
use lock::Lock;
use owner::Owner;
use postmaster::Recipe;
use settings::Purpose;
use supervisor::Supervisor;

/// A running PostgreSQL, which dropping stops. Starting and stopping block: not on a thread of the async runtime.
pub struct Cluster {
    layout: Layout,
    // Dropped in this order: nobody may take the lock while the postmaster stops, or remove the folder under it.
    _supervisor: Supervisor,
    _throwaway: Option<throwaway::Folder>,
    _lock: Lock,
}

impl Cluster {
    /// The server's cluster in `data_dir`, which is made when it does not exist.
    pub fn start(data_dir: &Path) -> Result<Self, StartError> {
        Self::launch(data_dir, Purpose::Durable, None)
    }

    /// A cluster for tests, fast and unsafe, in the system's temporary folder. It goes when it is dropped or the
    /// process ends, so it may live in a static.
    pub fn throwaway() -> Result<Self, StartError> {
        throwaway::remove_leftovers();
        let folder = throwaway::Folder::create()?;
        let path = folder.path.clone();
        Self::launch(&path, Purpose::Throwaway, Some(folder))
    }

    fn launch(data_dir: &Path, purpose: Purpose, throwaway: Option<throwaway::Folder>) -> Result<Self, StartError> {
        let layout = Layout::create(data_dir)?;
        let lock = lock::take(&layout.lock())?;
        let owner = Owner::of(&layout)?;
        let cluster_major = layout.major()?;
        let programs = programs::find(cluster_major)?;
        owner.must_reach(&programs.postgres, &layout.root)?;
        if cluster_major.is_none() {
            initdb::make_cluster(&layout, &owner, &programs, purpose)?;
        }
        owner.private_folder(&layout.sockets)?;
        let recipe = Recipe { layout: layout.clone(), owner, programs, purpose };
        Ok(Self { layout, _supervisor: Supervisor::start(recipe)?, _throwaway: throwaway, _lock: lock })
    }

    /// Where to connect, as the superuser.
    pub fn url(&self, database: &str) -> String {
        self.layout.url(database)
    }

    /// Lets running transactions end for 20 seconds at most. Dropping does the same; this says so.
    pub fn stop(self) {}
}

/// Where to connect to `database` of the cluster that another process runs in `data_dir`; `None` when none does.
/// That process may still be starting it, so connecting may have to be tried for a while.
pub fn running(data_dir: &Path, database: &str) -> Option<String> {
    let layout = Layout::of(data_dir).ok()?;
    lock::is_held(&layout.lock()).then(|| layout.url(database))
}
