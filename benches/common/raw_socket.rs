//! The limit of deliveries: axum's WebSocket with buffers as ours, to which a ready frame is sent. Without GraphQL, log,
//! database, limits and time-outs. What waits leaves in one write.

use std::net::SocketAddr;

use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpSocket;
use tokio::sync::broadcast;

use super::process::Process;

/// The argument by which this program becomes it.
pub const ARGUMENT: &str = "raw-socket";

const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 4 * 1024;
const SEND_BUFFER: u32 = 128 * 1024;
const BACKLOG: u32 = 1024;
/// Frames that may wait for a socket.
const KEPT: usize = 256;

type Frames = broadcast::Sender<Utf8Bytes>;

/// Starts it in a process of its own. Sockets open at `/`; frames that are posted to `/`, a list of texts, go to all.
pub fn start() -> (Process, SocketAddr) {
    Process::serving(std::env::current_exe().expect("a program"), &[ARGUMENT], &[])
}

/// Is it.
pub fn serve() {
    super::process::open_files();
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_send_buffer_size(SEND_BUFFER).expect("a buffer");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let listener = socket.listen(BACKLOG).expect("a port");
        println!("http://{}/", listener.local_addr().expect("an address"));
        let router = Router::new().route("/", get(open).post(publish)).with_state(Frames::new(KEPT));
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a socket that sends at once"));
        axum::serve(listener, router).await.expect("it serves until it is killed");
    });
}

async fn open(State(frames): State<Frames>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.protocols(["graphql-transport-ws"]);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .on_upgrade(move |socket| speak(socket, frames))
}

async fn speak(mut socket: WebSocket, frames: Frames) {
    let mut frames = frames.subscribe();
    let begin = Message::Text("\"seq\":0,".into());
    if socket.send(begin).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            heard = socket.next() => match heard {
                Some(Ok(_)) => {}
                _ => return,
            },
            frame = frames.recv() => {
                let Ok(frame) = frame else { return };
                if write(&mut socket, frame, &mut frames).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn write(
    socket: &mut WebSocket,
    first: Utf8Bytes,
    frames: &mut broadcast::Receiver<Utf8Bytes>,
) -> Result<(), axum::Error> {
    socket.feed(Message::Text(first)).await?;
    while let Ok(more) = frames.try_recv() {
        socket.feed(Message::Text(more)).await?;
    }
    socket.flush().await
}

async fn publish(State(frames): State<Frames>, Json(texts): Json<Vec<String>>) {
    for text in texts {
        let _ = frames.send(text.into());
    }
}
