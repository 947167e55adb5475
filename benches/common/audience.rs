//! Many sockets that follow one channel, on one thread that does as little as it can: the heads of frames say how long
//! they are, and the beginning of each says up to where it tells the log. That counts events, however many a frame
//! holds.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;

use super::people::Person;

/// Sockets of one address; the server lets it have so many.
const OF_ADDRESS: usize = 100;
/// Sockets of one person; the server lets them have so many.
pub const OF_PERSON: usize = 20;
/// Opened at once.
const TOGETHER: usize = 64;

/// A socket before it is opened.
pub struct Ticket {
    address: SocketAddr,
    /// One of our many.
    from: Ipv4Addr,
    path: &'static str,
    /// Who follows what; nobody where the socket speaks by itself.
    follows: Option<(String, Value)>,
}

/// Tickets for so many sockets of these people.
pub fn tickets(address: SocketAddr, people: &[Person], operation: &Value, count: usize) -> Vec<Ticket> {
    let ticket = |at: usize| {
        let token = people[at / OF_PERSON].token.clone();
        Ticket { address, from: address_of(at), path: "/graphql", follows: Some((token, operation.clone())) }
    };
    (0..count).map(ticket).collect()
}

/// A ticket for each of these people.
pub fn tickets_of_each(address: SocketAddr, people: &[Person], operation: &Value) -> Vec<Ticket> {
    let ticket = |(at, person): (usize, &Person)| Ticket {
        address,
        from: address_of(at),
        path: "/graphql",
        follows: Some((person.token.clone(), operation.clone())),
    };
    people.iter().enumerate().map(ticket).collect()
}

/// Tickets for sockets that speak by themselves.
pub fn plain_tickets(address: SocketAddr, count: usize) -> Vec<Ticket> {
    (0..count).map(|at| Ticket { address, from: address_of(at), path: "/", follows: None }).collect()
}

fn address_of(at: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, u8::try_from(1 + at / OF_ADDRESS).expect("fewer sockets than that"))
}

/// All of them, open for as long as this lives.
pub struct Audience {
    heard: Arc<Heard>,
    size: u64,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What they have heard, all together.
#[derive(Default)]
struct Heard {
    /// Sockets whose first frame has come.
    seated: AtomicU64,
    events: AtomicU64,
    /// How many somebody waits for.
    wanted: AtomicU64,
    enough: Notify,
    over: Notify,
}

impl Audience {
    /// Opens them, and waits until each has its first frame.
    pub async fn seat(tickets: Vec<Ticket>) -> Self {
        let heard = Arc::new(Heard::default());
        let size = tickets.len() as u64;
        let listening = heard.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            let everybody = tokio::task::LocalSet::new();
            everybody.spawn_local(open(tickets, listening.clone()));
            runtime.block_on(everybody.run_until(listening.over.notified()));
        });
        while heard.seated.load(Ordering::Relaxed) < size {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Self { heard, size, thread: Some(thread) }
    }

    /// Waits until everybody has heard so many events more than when this was last waited for.
    pub async fn hear(&self, events: u64) {
        let wanted = self.heard.wanted.fetch_add(events * self.size, Ordering::SeqCst) + events * self.size;
        while self.heard.events.load(Ordering::SeqCst) < wanted {
            self.heard.enough.notified().await;
        }
    }
}

impl Heard {
    fn hear(&self, events: u64) {
        if self.events.fetch_add(events, Ordering::SeqCst) + events >= self.wanted.load(Ordering::SeqCst) {
            self.enough.notify_one();
        }
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.heard.over.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn open(tickets: Vec<Ticket>, heard: Arc<Heard>) {
    let opened = stream::iter(tickets).map(async |ticket| {
        let mut socket = Socket::open(&ticket).await;
        let position = position(socket.next().await);
        (socket, position)
    });
    let mut opened = std::pin::pin!(opened.buffer_unordered(TOGETHER));
    while let Some((socket, position)) = opened.next().await {
        tokio::task::spawn_local(listen(socket, position, heard.clone()));
    }
}

async fn listen(mut socket: Socket, mut position: u64, heard: Arc<Heard>) {
    heard.seated.fetch_add(1, Ordering::Relaxed);
    loop {
        let now = self::position(socket.next().await);
        if now > position {
            heard.hear(now - position);
            position = now;
        }
    }
}

/// Up to where a frame tells the log: it begins with `"seq":12,"hasGap":false`.
fn position(frame: &str) -> u64 {
    let (_, rest) = frame.split_once("\"seq\":").unwrap_or_else(|| panic!("no delivery: {frame}"));
    let (digits, rest) = rest.split_once(',').expect("something follows");
    assert!(!rest.starts_with("\"hasGap\":true"), "events were left out: {frame}");
    digits.parse().expect("a position")
}

/// A WebSocket that reads.
pub struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// How much of it was given out last.
    given: usize,
}

impl Socket {
    pub async fn open(ticket: &Ticket) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((ticket.from, 0).into()).expect("an address of ours");
        let stream = socket.connect(ticket.address).await.expect("a connection");
        let mut socket = Self { stream, buffer: Vec::new(), given: 0 };
        let request = format!(
            "GET {} HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n",
            ticket.path, ticket.address
        );
        socket.stream.write_all(request.as_bytes()).await.expect("a connection that stays");
        socket.given = loop {
            socket.read().await;
            if let Some(end) = socket.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        assert!(socket.buffer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&socket.buffer));
        if let Some((token, operation)) = &ticket.follows {
            let payload = json!({ "Authorization": format!("Bearer {token}") });
            socket.say(&json!({ "type": "connection_init", "payload": payload })).await;
            let acknowledged = socket.next().await;
            assert!(acknowledged.contains("connection_ack"), "{acknowledged}");
            let id = uuid::Uuid::new_v4().to_string();
            socket.say(&json!({ "type": "subscribe", "id": id, "payload": operation })).await;
        }
        socket
    }

    /// The next text.
    pub async fn next(&mut self) -> &str {
        self.buffer.drain(..self.given);
        self.given = 0;
        loop {
            while let Some((opcode, from, to)) = frame_in(&self.buffer) {
                match opcode {
                    1 => {
                        self.given = to;
                        return std::str::from_utf8(&self.buffer[from..to]).expect("UTF-8");
                    }
                    8 => panic!("the server closed a socket: {}", String::from_utf8_lossy(&self.buffer[from..to])),
                    9 => self.write(10, &[]).await,
                    _ => {}
                }
                self.buffer.drain(..to);
            }
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let read = self.stream.read_buf(&mut self.buffer).await.expect("a connection that stays");
        assert!(read > 0, "the server hung up");
    }

    async fn say(&mut self, message: &Value) {
        self.write(1, message.to_string().as_bytes()).await;
    }

    /// A frame under a mask of zeros, which leaves it as it is.
    async fn write(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ ..126 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend((long as u16).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame).await.expect("a connection that stays");
    }
}

/// The first frame, if all of it is there: its opcode, and where its payload begins and ends.
fn frame_in(buffer: &[u8]) -> Option<(u8, usize, usize)> {
    let (first, length) = (*buffer.first()?, *buffer.get(1)?);
    let (from, length) = match length {
        126 => (4, u16::from_be_bytes(*buffer.get(2..)?.first_chunk()?) as usize),
        127 => (10, u64::from_be_bytes(*buffer.get(2..)?.first_chunk()?) as usize),
        length => (2, length as usize),
    };
    (buffer.len() >= from + length).then_some((first & 15, from, from + length))
}
