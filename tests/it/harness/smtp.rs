//! A mail server as the world has them: it takes mails and keeps them, or is down, slow, or refuses.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mail_parser::{Message, MessageParser};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

pub struct MailServer {
    pub port: u16,
    state: Arc<Mutex<State>>,
    _serving: AbortOnDropHandle<()>,
}

struct State {
    mood: Mood,
    connections: usize,
    taken: Vec<Taken>,
}

/// What it does with a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Takes,
    /// Hangs up on whoever comes.
    IsDown,
    /// Never says a word.
    Hangs,
    /// Says this of whomever a mail is for.
    Refuses(&'static str),
    /// Takes the mail, and never says so.
    TakesInSilence,
}

/// A mail that came.
#[derive(Clone)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
}

impl Taken {
    pub fn read(&self) -> Message<'_> {
        MessageParser::default().parse(&self.bytes).expect("a mail")
    }

    /// A header as it stands there.
    pub fn header(&self, name: &str) -> Option<String> {
        self.read().header_raw(name).map(|value| value.trim().to_owned())
    }

    pub fn text(&self) -> String {
        self.read().body_text(0).expect("a text").replace("\r\n", "\n")
    }

    /// The token of the one link in it that has one.
    pub fn token(&self) -> String {
        let text = self.text();
        let (_, rest) = text.split_once("token=").unwrap_or_else(|| panic!("no link with a token: {text}"));
        rest.split_whitespace().next().unwrap().to_owned()
    }

    pub fn html(&self) -> String {
        self.read().body_html(0).expect("a page").into_owned()
    }
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { mood: Mood::Takes, connections: 0, taken: Vec::new() }));
        let shared = state.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                tokio::spawn(converse(stream, shared.clone()));
            }
        });
        Self { port, state, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn be(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// All that came so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    /// Waits until so many have come, and answers the last one.
    pub async fn mail(&self, number: usize) -> Taken {
        let come = async {
            loop {
                if let Some(taken) = self.taken().get(number - 1) {
                    return taken.clone();
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), come).await.unwrap_or_else(|_| panic!("mail {number} should come"))
    }

    /// All with this subject that came to an address so far.
    pub fn letters(&self, to: &str, subject: &str) -> Vec<Taken> {
        let mut letters = self.taken();
        letters.retain(|mail| mail.to == [to] && mail.read().subject() == Some(subject));
        letters
    }

    /// Waits until so many of them have come, and answers the last one.
    pub async fn letter(&self, number: usize, to: &str, subject: &str) -> Taken {
        let come = async {
            loop {
                if let Some(letter) = self.letters(to, subject).get(number - 1) {
                    return letter.clone();
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        let come = timeout(Duration::from_secs(10), come).await;
        come.unwrap_or_else(|_| {
            let all = self.taken();
            let all: Vec<_> = all.iter().map(|mail| (&mail.to, mail.read().subject().map(str::to_owned))).collect();
            panic!("{subject:?} number {number} should come to {to}: {all:?}")
        })
    }

    /// Forgets all that came so far.
    pub fn forget(&self) {
        self.state.lock().unwrap().taken.clear();
    }

    /// Waits until somebody has tried so often.
    pub async fn until_asked(&self, times: usize) {
        let asked = async {
            while self.connections() < times {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), asked).await.expect("it should be tried");
    }
}

/// RFC 5321, as far as a client of one mail after the other needs it.
async fn converse(stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mood = || state.lock().unwrap().mood;
    let mut stream = BufReader::new(stream);
    match mood() {
        Mood::IsDown => return None,
        Mood::Hangs => std::future::pending::<()>().await,
        _ => {}
    }
    stream.write_all(b"220 mail.example.org\r\n").await.ok()?;
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match line.split([' ', ':']).next()?.to_uppercase().as_str() {
            "EHLO" | "HELO" => "250-mail.example.org\r\n250 8BITMIME",
            "MAIL" => {
                from = address();
                "250 ok"
            }
            "RCPT" => match mood() {
                Mood::Refuses(words) => words,
                _ => {
                    to.push(address());
                    "250 ok"
                }
            },
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let bytes = data(&mut stream).await?;
                let mail = Taken { from: std::mem::take(&mut from), to: std::mem::take(&mut to), bytes };
                state.lock().unwrap().taken.push(mail);
                if mood() == Mood::TakesInSilence {
                    std::future::pending::<()>().await;
                }
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return Some(());
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

/// Up to the line with one dot; dots that begin a line are doubled on the way.
async fn data(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.take(1 << 20).read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        match line.as_slice() {
            b".\r\n" => return Some(bytes),
            line => bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(line)),
        }
    }
}
