//! What a socket has still to send. Bounded in bytes: an operation that has more waits for room, in the order of asking,
//! so a chatty subscription delays others by one frame of its own at most. Followers of a log cope with waiting by
//! themselves.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::protocol::Running;

/// What may wait. A burst of a busy room fits: with room for 64 frames, a healthy client was taken for a slow one.
const ROOM: usize = 256 * 1024;
/// What a frame takes at least, so that this many small ones are bounded as well: 1,024.
const FRAME: usize = ROOM / 1024;

/// The entrance of a socket's queue.
#[derive(Clone)]
pub struct Queue {
    room: Arc<Semaphore>,
    frames: UnboundedSender<Frame>,
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
    pub fn new() -> (Self, UnboundedReceiver<Frame>) {
        let (frames, outlet) = unbounded_channel();
        (Self { room: Arc::new(Semaphore::new(ROOM)), frames }, outlet)
    }

    /// Waits for room.
    pub async fn push(&self, operation: &Arc<Running>, content: Content) -> Result<(), Gone> {
        let size = match &content {
            Content::Next(body) | Content::Error(body) => body.len().clamp(FRAME, ROOM),
            Content::Complete => FRAME,
        };
        let room = self.room.clone().acquire_many_owned(size as u32).await.map_err(|_| Gone)?;
        self.frames.send(Frame { operation: operation.clone(), content, _room: room }).map_err(|_| Gone)
    }
}
