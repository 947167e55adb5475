//! A client over HTTP that costs next to nothing: what is measured is the server.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server closes what is idle for longer.
const IDLE: Duration = Duration::from_secs(5);

/// A connection that is kept, to ask one thing after another.
pub struct Http {
    address: SocketAddr,
    stream: TcpStream,
    used: Instant,
    head: String,
    /// What came, and was not given out yet.
    buffer: Vec<u8>,
    /// How much of it was given out last.
    given: usize,
}

impl Http {
    pub async fn graphql(address: SocketAddr, token: &str) -> Self {
        Self::connect(address, "/graphql", &format!("authorization: Bearer {token}\r\n")).await
    }

    pub async fn connect(address: SocketAddr, path: &str, headers: &str) -> Self {
        let stream = open(address).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: application/json\r\n\
             {headers}content-length: "
        );
        Self { address, stream, used: Instant::now(), head, buffer: Vec::new(), given: 0 }
    }

    /// What an operation is answered with, which has to be without errors.
    pub async fn ask(&mut self, body: &str) -> &[u8] {
        let answer = self.post(body).await;
        assert!(answer.starts_with(b"{\"data\":{"), "{}", String::from_utf8_lossy(answer));
        answer
    }

    /// The same, to look into.
    pub async fn data(&mut self, body: &str) -> Value {
        let answer: Value = serde_json::from_slice(self.ask(body).await).expect("JSON");
        answer["data"].clone()
    }

    pub async fn post(&mut self, body: &str) -> &[u8] {
        self.buffer.drain(..self.given);
        if self.used.elapsed() > IDLE {
            self.stream = open(self.address).await;
        }
        self.used = Instant::now();
        let mut request = Vec::with_capacity(self.head.len() + body.len() + 16);
        write!(request, "{}{}\r\n\r\n{body}", self.head, body.len()).expect("a vector takes all");
        self.stream.write_all(&request).await.expect("a connection that stays");
        let (from, to) = loop {
            if let Some(body) = body_in(&self.buffer) {
                break body;
            }
            let read = self.stream.read_buf(&mut self.buffer).await.expect("a connection that stays");
            assert!(read > 0, "the server hung up");
        };
        self.given = to;
        &self.buffer[from..to]
    }
}

async fn open(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket that sends at once");
    stream
}

/// Where the body of an answer is, once all of it has come.
fn body_in(buffer: &[u8]) -> Option<(usize, usize)> {
    let end = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&buffer[..end]).expect("a head");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().expect("a length"))
    });
    let (from, to) = (end + 4, end + 4 + length.expect("an answer of a known length"));
    (buffer.len() >= to).then_some((from, to))
}
