//! What a socket has still to send. Bounded in bytes: an operation that has more waits for room, in the order of asking,
//! so a chatty subscription delays others by one frame of its own at most. Followers of a log cope with waiting by
//! themselves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::protocol::Running;

/// What may wait. A burst of a busy room fits: with room for 64 frames, a healthy client was taken for a slow one.
const ROOM: usize = 256 * 1024;
/// What a frame takes at least, so that this many small ones are bounded as well: 1,024.
const FRAME: usize = ROOM / 1024;

/// Frames kept room for while none wait. tokio's channel keeps room for 32, which is a good part of what an idle socket
/// takes.
const SPARE: usize = 16;

/// The entrance of a socket's queue.
#[derive(Clone)]
pub struct Queue(Arc<Inner>);

/// Where frames come out; nobody waits for room any more once it is dropped.
pub struct Outlet(Arc<Inner>);

struct Inner {
    room: Arc<Semaphore>,
    frames: Mutex<VecDeque<Frame>>,
    /// Who waits for one.
    taker: AtomicWaker,
}

/// One frame to be. Its operation's id is spliced in where it leaves: a body may go to many sockets.
pub struct Frame {
    pub operation: Arc<Running>,
    pub content: Content,
    _room: OwnedSemaphorePermit,
}

pub enum Content {
    /// A result.
    Next(Bytes),
    /// A request error; nothing follows.
    Error(Bytes),
    /// Nothing follows.
    Complete,
}

/// The socket is gone.
pub struct Gone;

impl Queue {
    pub fn new() -> (Self, Outlet) {
        let room = Arc::new(Semaphore::new(ROOM));
        let inner = Arc::new(Inner { room, frames: Mutex::default(), taker: AtomicWaker::new() });
        (Self(inner.clone()), Outlet(inner))
    }

    /// Waits for room.
    pub async fn push(&self, operation: &Arc<Running>, content: Content) -> Result<(), Gone> {
        let size = match &content {
            Content::Next(body) | Content::Error(body) => body.len().clamp(FRAME, ROOM),
            Content::Complete => FRAME,
        };
        let room = self.0.room.clone().acquire_many_owned(size as u32).await.map_err(|_| Gone)?;
        self.0.frames().push_back(Frame { operation: operation.clone(), content, _room: room });
        self.0.taker.wake();
        Ok(())
    }
}

impl Outlet {
    /// The first frame, if there is one.
    pub fn take(&self) -> Option<Frame> {
        let mut frames = self.0.frames();
        let frame = frames.pop_front();
        if frames.is_empty() && frames.capacity() > SPARE {
            frames.shrink_to(SPARE);
        }
        frame
    }

    /// The same; whoever finds none is woken by the next.
    pub fn poll_take(&self, context: &mut Context<'_>) -> Poll<Frame> {
        if let Some(frame) = self.take() {
            return Poll::Ready(frame);
        }
        self.0.taker.register(context.waker());
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Whoever looks anyway is not woken: a task that wakes itself is polled twice.
    pub fn look(&self) {
        self.0.taker.take();
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.0.room.close();
    }
}

impl Inner {
    fn frames(&self) -> MutexGuard<'_, VecDeque<Frame>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
