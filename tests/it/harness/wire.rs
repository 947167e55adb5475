//! What lies between a server and its database: it counts how often one waits for the other, and fails when it is to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_util::task::AbortOnDropHandle;

use super::Database;

/// The way to a database that a server takes.
pub struct Wire {
    pub url: String,
    state: Arc<State>,
    _accepting: AbortOnDropHandle<()>,
}

struct State {
    socket: PathBuf,
    trips: AtomicUsize,
    /// What becomes of the next commit.
    fate: Mutex<Option<Fate>>,
}

/// How a commit, and its connection with it, is lost.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Before it arrives.
    Unsent,
    /// When it is done, before the answer arrives.
    Unanswered,
}

impl Wire {
    pub async fn to(database: &Database) -> Self {
        let folder = database.rows("SHOW unix_socket_directories").await[0][0].trim_matches('"').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (user, _) = database.url.split_once('@').unwrap();
        let url = format!("{user}@{address}/{}", database.name);
        let socket = PathBuf::from(folder).join(".s.PGSQL.5432");
        let state = Arc::new(State { socket, trips: AtomicUsize::new(0), fate: Mutex::new(None) });
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, state.clone())));
        Self { url, state, _accepting: accepting }
    }

    /// How often the server waited for the database during `work`.
    pub async fn trips<T>(&self, work: impl Future<Output = T>) -> (usize, T) {
        let before = self.state.trips.load(Ordering::SeqCst);
        let done = work.await;
        (self.state.trips.load(Ordering::SeqCst) - before, done)
    }

    /// The next commit is lost.
    pub fn lose_a_commit(&self, fate: Fate) {
        *self.state.fate.lock().unwrap() = Some(fate);
    }

    /// Whether one still is to be.
    pub fn is_to_lose(&self) -> bool {
        self.state.fate.lock().unwrap().is_some()
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((server, _)) = listener.accept().await {
        tokio::spawn(carry(server, state.clone()));
    }
}

/// Until either end closes, or a commit is lost.
async fn carry(mut server: TcpStream, state: Arc<State>) {
    let Ok(mut database) = UnixStream::connect(&state.socket).await else { return };
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut is_waiting = false;
    loop {
        tokio::select! {
            read = server.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                state.trips.fetch_add(usize::from(!std::mem::replace(&mut is_waiting, true)), Ordering::SeqCst);
                let commits = asked[..length].windows(6).any(|word| word == b"COMMIT");
                let fate = state.fate.lock().unwrap().take_if(|_| commits);
                if matches!(fate, Some(Fate::Unsent)) || database.write_all(&asked[..length]).await.is_err() {
                    return;
                }
                if matches!(fate, Some(Fate::Unanswered)) {
                    let _ = database.read(&mut answered).await;
                    return;
                }
            }
            read = database.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                is_waiting = false;
                if server.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
