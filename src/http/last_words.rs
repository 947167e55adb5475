//! The end of a session, for the streams that ride on it.

use async_stream::stream;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, Stream, StreamExt};

/// What a stream tells before the end, and what it says of it at once: that the session was revoked.
pub fn until_last_words<A: Send>(
    mut answers: BoxStream<'static, A>,
    end: impl Future<Output = ()> + Send,
) -> impl Stream<Item = A> + Send {
    stream! {
        let mut end = std::pin::pin!(end);
        loop {
            let answer = tokio::select! {
                biased;
                () = &mut end => break,
                answer = answers.next() => answer,
            };
            match answer {
                Some(answer) => yield answer,
                None => return,
            }
        }
        if let Some(answer) = answers.next().now_or_never().flatten() {
            yield answer;
        }
    }
}
