//! Hearing what passes in a conversation, for as long as one is a member.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};

use crate::app::App;
use crate::conversations::{self, Seat, Sight};
use crate::error::{Error, Result};
use crate::id::{ConversationId, UserId};
use crate::realtime::Signal;
use crate::subscription::{Behind, Delivery, Sharing, SourceEvent, Tail, Told, Topic};
use crate::users;
use crate::viewer::Viewer;

/// From whom somebody's signals in a conversation are hidden; `None` where nobody would hear them.
pub async fn hidden_from(app: &App, user: UserId, id: ConversationId) -> Result<Option<Arc<HashSet<UserId>>>> {
    Ok(match app.realtime.signals.is_heard(id) {
        true => Some(Arc::new(users::in_block_with(app, user).await?)),
        false => None,
    })
}

/// A delivery: what passed that is for this one, and the sight it is shown with. Without signals only at first, to say that
/// the stream is live.
pub struct Heard {
    pub sight: Sight,
    pub signals: Vec<Signal>,
}

/// What passes, from now on. It ends where a stream of the conversation's log would: with the session, and with the
/// membership that opened it. All are told the same, but for those whom a signal is about or hidden from.
pub fn hear(
    app: &App,
    viewer: Viewer,
    seat: Seat,
    sharing: Sharing,
) -> impl Stream<Item = Result<Delivery, Error>> + use<> {
    let app = app.clone();
    let session_ended = app.realtime.ended_sessions.watch(viewer.session_id);
    let sight = seat.sight();
    let mut tail = join(&app, sight, &sharing);
    let signals = try_stream! {
        let mut out_of_sight = pin!(conversations::out_of_sight(&app, &viewer, sight));
        yield Delivery::of(Heard { sight, signals: Vec::new() });
        loop {
            let next = tokio::select! {
                biased;
                end = &mut out_of_sight => Err(end),
                told = tail.next() => Ok(told),
            };
            match next {
                Ok(Ok(told)) => {
                    if let Some(delivery) = deliver(&told, viewer.user_id, sight) {
                        yield delivery;
                    }
                }
                // What was missed has passed.
                Ok(Err(Behind)) => tail = join(&app, sight, &sharing),
                Err(end) => {
                    end?;
                    break;
                }
            }
        }
    };
    signals.take_until(async move { session_ended.cancelled().await })
}

/// Joins those who are told in the same words.
fn join(app: &App, sight: Sight, sharing: &Sharing) -> Tail {
    app.groups.join(Topic::Signals(sight.id()), sharing.shape(), 0, |outlet| {
        let mut listening = app.realtime.signals.listen(sight.id());
        let sharing = sharing.clone();
        async move {
            while let Some(signals) = listening.next().await {
                let heard = Heard { sight: sight.of_all(), signals: signals.to_vec() };
                let event: SourceEvent = Arc::new(heard);
                let answer = sharing.show(event.clone()).await;
                outlet.send(0, Told::new(event, answer));
            }
        }
    })
}

/// What is for this one of what all are told.
fn deliver(told: &Told, user_id: UserId, sight: Sight) -> Option<Delivery> {
    let all: &Heard = told.event.downcast_ref().expect("groups of signals are told of nothing else");
    let is_for = |signal: &&Signal| signal.is_for(user_id);
    match told.answer() {
        Some(answer) if all.signals.iter().all(|signal| is_for(&signal)) => Some(Delivery::Shown(answer)),
        _ => {
            let signals: Vec<Signal> = all.signals.iter().filter(is_for).cloned().collect();
            (!signals.is_empty()).then(|| Delivery::of(Heard { sight, signals }))
        }
    }
}
