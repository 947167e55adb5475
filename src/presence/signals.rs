//! Hearing what passes in a conversation, for as long as one is a member.

use std::collections::HashSet;
use std::sync::Arc;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};

use crate::app::App;
use crate::conversations::{self, Seat};
use crate::error::{Error, Result};
use crate::id::{ConversationId, UserId};
use crate::realtime::Signal;
use crate::users;
use crate::viewer::Viewer;

/// From whom somebody's signals in a conversation are hidden; `None` where nobody would hear them.
pub async fn hidden_from(app: &App, user: UserId, id: ConversationId) -> Result<Option<Arc<HashSet<UserId>>>> {
    Ok(match app.realtime.signals.is_heard(id) {
        true => Some(Arc::new(users::in_block_with(app, user).await?)),
        false => None,
    })
}

/// A delivery: what passed that is for this one. Empty only at first, to say that the stream is live.
pub type Heard = Vec<Signal>;

/// What passes, from now on. It ends where a stream of the conversation's log would: with the session, and with the
/// membership that opened it.
pub fn hear(app: &App, viewer: Viewer, seat: Seat) -> impl Stream<Item = Result<Heard, Error>> + use<> {
    let mut listening = app.realtime.signals.listen(seat.sight().id());
    let log = conversations::follow(app, viewer, seat.sight(), None);
    try_stream! {
        let mut log = std::pin::pin!(log);
        yield Vec::new();
        loop {
            let passed = tokio::select! {
                biased;
                batch = log.next() => Err(batch),
                signals = listening.next() => Ok(signals),
            };
            let signals = match passed {
                Ok(Some(signals)) => signals,
                Err(Some(batch)) => {
                    batch?;
                    continue;
                }
                Ok(None) | Err(None) => break,
            };
            let heard: Heard = signals.iter().filter(|signal| signal.is_for(viewer.user_id)).cloned().collect();
            if !heard.is_empty() {
                yield heard;
            }
        }
    }
}
