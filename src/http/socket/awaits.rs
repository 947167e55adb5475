//! What a task waits for beside others: each is polled when it was woken, not whenever the task is.

use std::task::{Context, Poll};

use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};

/// Futures that a task runs itself, of any number.
pub(super) struct Awaits<T>(FuturesUnordered<Abortable<BoxFuture<'static, T>>>);

/// One of them. It ends when this is dropped, and is cleared away when the task looks for the next.
pub(super) struct Await(AbortHandle);

impl<T> Awaits<T> {
    pub(super) fn new() -> Self {
        Self(FuturesUnordered::new())
    }

    /// Polled from the next look on.
    pub(super) fn begin(&self, work: impl Future<Output = T> + Send + 'static) -> Await {
        let (handle, registration) = AbortHandle::new_pair();
        self.0.push(Abortable::new(work.boxed(), registration));
        Await(handle)
    }

    /// What one of them has come to.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<T> {
        loop {
            match self.0.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(outcome))) => return Poll::Ready(outcome),
                Poll::Ready(Some(Err(_aborted))) => {}
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// How many are in memory, those included that have ended since the last look.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Drop for Await {
    fn drop(&mut self) {
        self.0.abort();
    }
}
