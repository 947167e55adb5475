//! Connections: how they are accepted, bounded and ended. `axum::serve` can do none of it: no time for headers, no
//! bound, no buffer sizes.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::Http;
use crate::api::execute::Executor;
use crate::app::App;
use crate::presence;

/// Open connections at once; more wait in the kernel's queue. An idle subscriber was measured at up to 20 KB, so these
/// hold 200 MB.
const CONNECTIONS: u64 = 10_000;
/// Files that are not connections from outside: the database's, logs, standard ones.
const OTHER_FILES: u64 = 200;
/// Connections that wait to be accepted: as many as Linux allows by default. One that finds no room tries again only after
/// a second or more, as all do that come back after a restart.
const BACKLOG: u32 = 4096;
/// What the kernel keeps for a client that does not read. It is outside of our memory and would otherwise grow to
/// 4 MB, which hides a slow client for thousands of frames.
const SEND_BUFFER: u32 = 128 * 1024;
/// For the kernel to get rid of what was written. Nobody else ends a connection whose client asks for much and reads
/// none of it, and 10,000 such connections are all there are.
#[cfg(target_os = "linux")]
const UNREAD: Duration = Duration::from_secs(30);
/// Of the head of a request, and so of the address of a GET.
const HEAD: usize = 64 * 1024;
/// For the head of a request to arrive, and for the next request of an idle connection.
const HEAD_ARRIVES: Duration = Duration::from_secs(10);
/// After a failure to accept, such as no free file: trying again at once would only burn the processor.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// For what runs when the server stops.
const STOPS_WITHIN: Duration = Duration::from_secs(20);

/// A server that holds its port.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    http: Http,
}

/// The other end of a connection.
#[derive(Clone)]
pub(super) struct Peer {
    pub address: SocketAddr,
    /// The connection's place among `CONNECTIONS`; a socket keeps it after HTTP has let go.
    pub place: Arc<OwnedSemaphorePermit>,
}

impl Server {
    /// Takes the port of `LISTEN`; connections queue from now on.
    pub async fn bind(app: App, schema: impl Into<Executor>) -> io::Result<Self> {
        let address = app.config.http.listen;
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restart must not wait for the old connections to be forgotten.
        socket.set_reuseaddr(true)?;
        // Both are inherited by every connection.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(&socket).set_tcp_user_timeout(Some(UNREAD))?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        Ok(Self { address: listener.local_addr()?, listener, http: Http::new(app, schema.into()) })
    }

    /// Where it listens; `LISTEN` may have left the port open.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then finishes what runs, closes sockets, and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { listener, http, .. } = self;
        let router = http.router();
        let places = Arc::new(Semaphore::new(connections()));
        let accepting = async {
            loop {
                let place = places.clone().acquire_owned().await.expect("never closed");
                match listener.accept().await {
                    Ok((stream, address)) => {
                        let peer = Peer { address, place: Arc::new(place) };
                        http.tasks.spawn(serve(stream, peer, router.clone(), http.draining.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        sleep(ACCEPT_AGAIN).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accepting => {}
            () = shutdown.cancelled() => {}
        }
        drop(listener);
        http.draining.cancel();
        http.tasks.close();
        let finished = async {
            http.tasks.wait().await;
            http.executor.finish().await;
        };
        if timeout(STOPS_WITHIN, finished).await.is_err() {
            tracing::warn!(left = http.tasks.len(), "stopped before everything had finished");
        }
        presence::leave_all(&http.app).await;
    }
}

async fn serve(stream: TcpStream, peer: Peer, router: Router, draining: CancellationToken) {
    // An answer is written at once and whole: waiting for more to send only delays it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_ARRIVES)
        // hyper's own 400 KiB, ten thousand times, would be 4 GB for those who send half a head.
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // How a connection ends is the client's affair: it left, spoke no HTTP, or was too slow.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = draining.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// How many connections the system lets us have: each is a file, and without a free one the database is out of reach
/// too. The soft limit, often 1,024, is raised to the hard one first.
fn connections() -> usize {
    let files = open_files().unwrap_or(1024);
    CONNECTIONS.min(files.saturating_sub(OTHER_FILES).max(files / 2)) as usize
}

fn open_files() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    // macOS refuses where the hard limit is infinite; the soft one holds then.
    if raised.is_ok() { limit.maximum } else { limit.current }
}
