//! Mail to people. A rule writes a `Letter` in its transaction (`send`), a job carries it away, over SMTP or, where none is
//! set up, into a file.
//!
//! A letter keeps its Message-ID through all attempts: when one was accepted and nobody here learned of it, the other end
//! can tell that the second is the same.

mod letter;
mod mailer;
mod unsubscribe;

use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use serde::{Deserialize, Serialize};

pub use letter::Letter;
pub use mailer::{Mailer, smtp};
pub use unsubscribe::{Purpose, who_unsubscribes};

use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::jobs::{Failure, Job};

/// Sends a letter to an address once this transaction is committed. One that people do not ask for each time has a
/// `Purpose`, by which they can put an end to it, and whose letter it is.
pub fn send(app: &App, tx: &mut Tx, to: &str, letter: &Letter, ends: Option<(UserId, Purpose)>) {
    tx.enqueue(Send::new(app, to, letter, ends));
}

/// How long a letter to an address that somebody only typed is tried. All attempts take longer, so none is ever given up as
/// a dead letter.
const TRIAL: TimeDelta = TimeDelta::hours(7);

/// The same to an address that somebody only typed. Where the other end refuses it for good, as it does where there is no
/// such person, or for hours, as some do where there is no such host, that is the end of it: strangers could fill the dead
/// letters otherwise.
pub fn send_on_trial(app: &App, tx: &mut Tx, to: &str, letter: &Letter) {
    tx.enqueue(Send { is_on_trial: true, ..Send::new(app, to, letter, None) });
}

/// A letter on its way.
#[derive(Serialize, Deserialize)]
pub struct Send {
    to: String,
    subject: String,
    text: String,
    html: String,
    unsubscribe: Option<String>,
    message_id: String,
    date: Instant,
    #[serde(default)]
    is_on_trial: bool,
}

impl Job for Send {
    const KIND: &'static str = "mail";
    /// For a server that is slow, or never answers.
    const TIME_LIMIT: Duration = Duration::from_secs(60);
    /// Most of a day.
    const ATTEMPTS: i32 = 25;
    const WAITS: bool = true;

    async fn run(self, app: &App) -> Result<(), Failure> {
        match self.carry(app).await {
            Err(failure) if self.is_on_trial && (failure.is_final() || app.clock.now() - self.date >= TRIAL) => {
                tracing::info!(cause = failure.cause(), "a letter to an address that nobody has proven was not taken");
                Ok(())
            }
            carried => carried,
        }
    }
}

impl Send {
    fn new(app: &App, to: &str, letter: &Letter, ends: Option<(UserId, Purpose)>) -> Self {
        let unsubscribe = ends.map(|(user_id, purpose)| unsubscribe::link(app, user_id, purpose));
        Self {
            to: to.to_owned(),
            subject: letter.subject().to_owned(),
            text: letter.text(unsubscribe.as_deref()),
            html: letter.html(unsubscribe.as_deref()),
            unsubscribe,
            message_id: format!("<{}@{}>", uuid::Uuid::new_v4(), app.mailer.domain()),
            date: app.clock.now(),
            is_on_trial: false,
        }
    }

    async fn carry(&self, app: &App) -> Result<(), Failure> {
        let message = self.message(app.mailer.from()).map_err(Failure::for_good)?;
        app.mailer.deliver(&self.message_id, &message).await
    }

    /// All that comes from people goes through the encoder of its header, which leaves no line break in it; what is written
    /// as it is, is ours.
    fn message(&self, from: &Mailbox) -> Result<Message> {
        let to: Address = self.to.parse().map_err(|_| Error::internal("not an address that mail can be sent to"))?;
        let mut message = Message::builder()
            .from(from.clone())
            .to(to.into())
            .subject(self.subject.clone())
            .date(SystemTime::from(self.date))
            .message_id(Some(self.message_id.clone()))
            // No holiday notice is to be answered to it (RFC 3834).
            .raw_header(header("Auto-Submitted", "auto-generated"));
        if let Some(link) = &self.unsubscribe {
            // At the press of a button of the mail program (RFC 8058), which would not find a link that is encoded.
            message = message
                .raw_header(header("List-Unsubscribe", &format!("<{link}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let parts = MultiPart::alternative_plain_html(self.text.clone(), self.html.clone());
        message.multipart(parts).map_err(Error::internal)
    }
}

/// A header that is written as it is.
fn header(name: &'static str, value: &str) -> HeaderValue {
    let value: String = value.chars().filter(char::is_ascii_graphic).collect();
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(to: &str, subject: &str) -> Result<String> {
        let send = Send {
            to: to.into(),
            subject: subject.into(),
            text: "hello".into(),
            html: "<p>hello</p>".into(),
            unsubscribe: Some("https://chat.example.org/unsubscribe?token=abc".into()),
            message_id: "<1@chat.example.org>".into(),
            date: Instant::default(),
            is_on_trial: false,
        };
        let message = send.message(&"chat <chat@example.org>".parse().unwrap())?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn nobody_gets_a_header_of_their_own_into_a_mail() {
        for attack in
            ["\r\nBcc: mallory@example.org", "\nBcc: mallory@example.org", "\r\n\r\nBcc: mallory", "\rBcc: x", "\0"]
        {
            let mail = send("alice@example.org", &format!("Hello{attack}")).unwrap();
            let (head, _) = mail.split_once("\r\n\r\n").unwrap();
            assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
            assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "{head}");
            assert!(send(&format!("alice@example.org{attack}"), "Hello").is_err(), "{attack:?}");
            assert!(send(&format!("alice{attack}@example.org"), "Hello").is_err(), "{attack:?}");
        }
        assert!(send("alice@example.org, mallory@example.org", "Hello").is_err());
    }

    #[test]
    fn the_link_of_the_header_is_whole() {
        let mail = send("alice@example.org", "Hello").unwrap();
        assert!(mail.contains("\r\nList-Unsubscribe: <https://chat.example.org/unsubscribe?token=abc>\r\n"), "{mail}");
        assert!(mail.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{mail}");
        assert!(mail.contains("\r\nAuto-Submitted: auto-generated\r\n"), "{mail}");
    }
}
