//! What lies between a client and a server, and fails.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// A server's address as its clients know it, whatever happens behind it.
pub struct Network {
    pub address: SocketAddr,
    ahead: Arc<Mutex<Ahead>>,
    fates: broadcast::Sender<Fate>,
    _accepting: AbortOnDropHandle<()>,
}

/// What holds for connections to come.
struct Ahead {
    server: SocketAddr,
    /// How many bytes of the server's the next one carries.
    carries: Option<usize>,
    /// How many there have been.
    count: usize,
}

/// What becomes of those that are open.
#[derive(Clone, Copy)]
enum Fate {
    /// Both ends learn that it is over.
    Reset,
    /// It carries nothing any more, and nobody is told.
    Silence,
}

/// By so much a connection carries more than the one before it, so that who tries again gets on.
const MORE: usize = 97;

impl Network {
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ahead = Arc::new(Mutex::new(Ahead { server, carries: None, count: 0 }));
        let (fates, _) = broadcast::channel(16);
        let accepting = AbortOnDropHandle::new(tokio::spawn(accept(listener, ahead.clone(), fates.clone())));
        Self { address, ahead, fates, _accepting: accepting }
    }

    /// New connections go to another server.
    pub fn lead_to(&self, server: SocketAddr) {
        self.ahead.lock().unwrap().server = server;
    }

    /// New connections break when they have carried so many bytes of the server's, wherever that is.
    pub fn break_after(&self, bytes: impl Into<Option<usize>>) {
        self.ahead.lock().unwrap().carries = bytes.into();
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.ahead.lock().unwrap().count
    }

    /// Resets all that are open.
    pub fn reset(&self) {
        let _ = self.fates.send(Fate::Reset);
    }

    /// Lets all that are open fall silent, as when a phone has left the house.
    pub fn fall_silent(&self) {
        let _ = self.fates.send(Fate::Silence);
    }
}

async fn accept(listener: TcpListener, ahead: Arc<Mutex<Ahead>>, fates: broadcast::Sender<Fate>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (server, carries) = {
            let mut ahead = ahead.lock().unwrap();
            ahead.count += 1;
            let carries = ahead.carries;
            ahead.carries = carries.map(|bytes| bytes + MORE);
            (ahead.server, carries.unwrap_or(usize::MAX))
        };
        connections.spawn(carry(client, server, carries, fates.subscribe()));
    }
}

/// Ends with either end, and then lets go of both.
async fn carry(client: TcpStream, server: SocketAddr, bytes: usize, mut fates: broadcast::Receiver<Fate>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    for end in [&client, &server] {
        end.set_nodelay(true).unwrap();
    }
    let (mut client, mut server) = (client, server);
    let fate = {
        let (mut from_client, mut to_client) = client.split();
        let (from_server, mut to_server) = server.split();
        let mut from_server = from_server.take(bytes as u64);
        tokio::select! {
            _ = copy(&mut from_client, &mut to_server) => None,
            _ = copy(&mut from_server, &mut to_client) => None,
            fate = fates.recv() => fate.ok(),
        }
    };
    match fate {
        None => {}
        Some(Fate::Reset) => client.set_zero_linger().unwrap(),
        Some(Fate::Silence) => std::future::pending().await,
    }
}
