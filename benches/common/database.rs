//! PostgreSQL as the server has it: as durable, and tuned no further.

use std::path::{Path, PathBuf};

use chinwag::db;
use chinwag::db::embedded;
use tokio_postgres::{Client, NoTls};

/// A running PostgreSQL.
pub struct Cluster {
    /// `None` only while this is dropped: it stops before its folder goes.
    postgres: Option<embedded::Cluster>,
    folder: PathBuf,
    /// Whether the data goes with it.
    is_passing: bool,
}

/// One of its databases, migrated.
#[derive(Clone)]
pub struct Database {
    pub url: String,
    /// What the database says.
    pub log: PathBuf,
}

impl Cluster {
    /// Of this run alone.
    pub fn passing() -> Self {
        remove_leftovers();
        Self::start(folder().join(format!("run-{}", std::process::id())), true)
    }

    /// The one whose data are in this folder, made if need be.
    pub fn kept(folder: PathBuf) -> Self {
        Self::start(folder, false)
    }

    /// Blocks.
    fn start(folder: PathBuf, is_passing: bool) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder for the data");
        let postgres = embedded::Cluster::start(&folder).unwrap_or_else(|error| panic!("{error}"));
        Self { postgres: Some(postgres), folder, is_passing }
    }

    /// A database of this name, made if need be.
    pub async fn database(&self, name: &str) -> Database {
        let postgres = self.postgres.as_ref().expect("it runs until it is dropped");
        db::create_database(&postgres.url("postgres"), name).await.expect("a database");
        let url = postgres.url(name);
        db::migrate(&url).await.expect("tables");
        Database { url, log: self.folder.join("postgres.log") }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.postgres = None;
        if self.is_passing {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Where the benches keep what they make, below target/.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench")
}

/// Of runs that were killed.
fn remove_leftovers() {
    for entry in std::fs::read_dir(folder()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix("run-"));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl Database {
    pub async fn connect(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("a connection");
        tokio::spawn(connection);
        client
    }

    /// What the database's own upkeep does sooner or later.
    pub async fn settle(&self) {
        self.connect().await.batch_execute("VACUUM ANALYZE").await.expect("upkeep");
    }
}
