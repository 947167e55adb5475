//! A WebSocket that is looked at only when there is something to see. Its task wakes mostly because something is to be
//! delivered; to ask each time whether something came in, too, would cost a good part of what the delivery does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use axum::extract::ws::{Message, WebSocket};
use futures_util::task::AtomicWaker;
use futures_util::{SinkExt, StreamExt};

use super::connection::End;
use super::protocol::Close;

/// Bytes given to the socket before they are flushed: more would grow a buffer that never shrinks.
const FLUSH: usize = 8 * 1024;
/// Of a message without its text.
const HEAD: usize = 8;

pub struct Wire {
    socket: WebSocket,
    bell: Arc<Bell>,
    /// Rings the bell.
    waker: Waker,
    /// Bytes given to the socket, and not yet taken by the kernel.
    unflushed: usize,
}

/// Rung when the socket can go on.
struct Bell {
    has_rung: AtomicBool,
    task: AtomicWaker,
}

/// What a socket did.
pub enum Turn {
    Heard(Message),
    /// The kernel has taken all that there was.
    Written,
}

impl Wire {
    pub fn new(socket: WebSocket) -> Self {
        let bell = Arc::new(Bell { has_rung: AtomicBool::new(true), task: AtomicWaker::new() });
        Self { socket, waker: bell.clone().into(), bell, unflushed: 0 }
    }

    /// What it does next; who does not listen hears nothing.
    pub fn poll_turn(&mut self, context: &mut Context<'_>, listens: bool) -> Poll<Result<Turn, End>> {
        self.bell.task.register(context.waker());
        if !self.bell.has_rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let woken = &mut Context::from_waker(&self.waker);
        if listens && let Poll::Ready(message) = self.socket.poll_next_unpin(woken) {
            self.look_again();
            return Poll::Ready(match message {
                Some(Ok(message)) => Ok(Turn::Heard(message)),
                // Too long, not UTF-8, or against RFC 6455.
                Some(Err(_)) => Err(Close::INVALID.into()),
                None => Err(End::Gone),
            });
        }
        if !listens {
            self.look_again();
        }
        match self.unflushed {
            0 => Poll::Pending,
            _ => self.poll_flush().map_ok(|()| Turn::Written),
        }
    }

    /// Whether it takes another message before what it was given is flushed.
    pub fn has_room(&mut self) -> Result<bool, End> {
        let woken = &mut Context::from_waker(&self.waker);
        Ok(self.unflushed < FLUSH && self.socket.poll_ready_unpin(woken)?.is_ready())
    }

    /// Gives it a message.
    pub fn give(&mut self, message: Message) -> Result<(), End> {
        self.unflushed += size(&message);
        Ok(self.socket.start_send_unpin(message)?)
    }

    /// Whether the kernel has taken all that it was given. If not, there will be a turn when it has.
    pub fn is_flushed(&mut self) -> Result<bool, End> {
        Ok(self.unflushed == 0 || self.poll_flush()?.is_ready())
    }

    pub fn unflushed(&self) -> usize {
        self.unflushed
    }

    /// Gives it the last messages, and waits for the other end to close.
    pub async fn end(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), axum::Error> {
        for message in messages {
            self.socket.feed(message).await?;
        }
        self.socket.flush().await?;
        while let Some(Ok(_)) = self.socket.next().await {}
        Ok(())
    }

    fn poll_flush(&mut self) -> Poll<Result<(), End>> {
        let flushed = self.socket.poll_flush_unpin(&mut Context::from_waker(&self.waker));
        if flushed.is_ready() {
            self.unflushed = 0;
        }
        flushed.map_err(End::from)
    }

    fn look_again(&self) {
        self.bell.has_rung.store(true, Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// What a message takes, about.
pub fn size(message: &Message) -> usize {
    let text = if let Message::Text(text) = message { text.len() } else { 0 };
    text + HEAD
}
