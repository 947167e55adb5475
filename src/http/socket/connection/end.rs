//! How a conversation ends: operations are answered or completed, and the last word is a close frame.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use futures_util::FutureExt;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::{Connection, End};
use crate::http::socket::protocol::Close;

/// For the other end to answer a close frame: closing the connection at once could overtake it.
const CLOSES: Duration = Duration::from_secs(1);
/// For queries and mutations on a socket when the server stops or the session ends.
const FINISHES: Duration = Duration::from_secs(5);

impl Connection {
    /// Waits for these to be answered, and for none too long: but for the end of their session, subscriptions never finish.
    pub(super) async fn finish(&mut self, operations: TaskTracker) {
        operations.close();
        let mut answered = pin!(operations.wait());
        let finishing = poll_fn(|context| {
            loop {
                self.deliver(context)?;
                match self.wire.poll_turn(context, false)? {
                    Poll::Ready(_) => self.stalls = None,
                    Poll::Pending => break,
                }
            }
            // The last answer may have come together with the end of the one who gave it.
            match self.wire.unflushed() == 0 && answered.as_mut().poll(context).is_ready() {
                true => Poll::Ready(self.write()),
                false => Poll::Pending,
            }
        });
        let _ = timeout(FINISHES, finishing).await;
    }

    pub(super) async fn end(&mut self, end: End) {
        self.look = None;
        if matches!(end, End::SessionEnded) {
            // Streams end by themselves, and may say so; the answer to the very `logout` has not left yet.
            self.finish(self.streams.clone()).boxed().await;
        }
        self.operations.clear();
        match end {
            End::Gone => self.replies.clear(),
            End::Close(close) => self.close(close),
            End::SessionEnded => {
                self.complete_all();
                self.close(Close::SESSION_ENDED);
            }
        }
        let _ = timeout(CLOSES, self.wire.end(std::mem::take(&mut self.replies))).boxed().await;
    }

    /// Sends what had been made, then tells of each operation that nothing follows.
    fn complete_all(&mut self) {
        while let Some(message) = self.next_made() {
            self.send(message);
        }
        for operation in self.protocol.end_all() {
            self.send(Message::Text(operation.complete()));
        }
    }

    fn close(&mut self, close: Close) {
        tracing::debug!(parent: &self.span, code = close.code, reason = %close.reason, "closing");
        if let Some(rejection) = self.protocol.rejection(&close) {
            self.send(Message::Text(rejection));
        }
        let reason = Utf8Bytes::from(close.reason.into_owned());
        self.send(Message::Close(Some(CloseFrame { code: close.code, reason })));
    }
}
