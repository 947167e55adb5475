//! What goes out: replies first, then what operations have made.

use std::time::Duration;

use axum::extract::ws::Message;
use tokio::time::Instant;

use super::{Connection, End, Happening};
use crate::http::socket::queue::Content;

/// For the kernel to take what was flushed; a client that does not read for as long is let go.
pub const STALLS: Duration = Duration::from_secs(10);
/// Bytes a second of the slowest line that may have more time for a large answer.
pub const SLOWEST: f64 = 32.0 * 1024.0;

impl Connection {
    pub(super) fn send(&mut self, message: Message) {
        self.replies.push_back(message);
    }

    pub(super) fn show_life(&mut self) {
        if let Some(sign) = self.protocol.sign_of_life() {
            self.send(Message::Text(sign));
        }
    }

    /// Writes what there is, in as few pieces as it goes, and as far as the kernel takes it at once.
    pub(super) fn write(&mut self) -> Result<(), End> {
        while self.stalls.is_none() {
            while self.wire.has_room()? {
                let Some(message) = self.replies.pop_front().or_else(|| self.next_made()) else { break };
                self.wire.give(message)?;
            }
            let unflushed = self.wire.unflushed();
            if unflushed == 0 {
                break;
            }
            if !self.wire.is_flushed()? {
                let time = STALLS + Duration::from_secs_f64(unflushed as f64 / SLOWEST);
                self.stalls = Some(self.at(Instant::now() + time, Happening::Stalled));
            }
        }
        Ok(())
    }

    /// The next message that an operation has made.
    pub(super) fn next_made(&mut self) -> Option<Message> {
        loop {
            let frame = self.next.take().or_else(|| self.outlet.take())?;
            let operation = frame.operation;
            // Completed by the client in the meantime; its id may be another operation's by now.
            if !operation.is_running() {
                continue;
            }
            let text = match &frame.content {
                Content::Next(body) => operation.next(body),
                Content::Error(errors) => operation.error(errors),
                Content::Complete => operation.complete(),
            };
            if !matches!(frame.content, Content::Next(_)) {
                self.protocol.end(&operation);
                self.operations.remove(&operation.serial);
            }
            return Some(Message::Text(text));
        }
    }
}
