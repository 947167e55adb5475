//! Following a conversation for as long as one may.

use std::sync::Arc;

use async_stream::try_stream;
use futures_util::Stream;

use super::events::{CONVERSATION_UPDATED, ConversationUpdated, MEMBER_LEFT, MemberLeft, VISIBILITY};
use super::{Sight, store};
use crate::app::App;
use crate::error::{Error, Result};
use crate::log::{Batch, Event, Follower};
use crate::viewer::Viewer;

/// The log after a position, then what comes. It ends with the session, and with the sight that opened it: leaving or
/// being removed is the last event that the one concerned gets, also where the channel stays visible. A channel that turns
/// private ends it for readers, without a word: what is written from then on is not for them, not even that.
pub fn follow(
    app: &App,
    viewer: Viewer,
    sight: Sight,
    after: Option<i32>,
) -> impl Stream<Item = Result<Batch, Error>> + use<> {
    let app = app.clone();
    let session_ended = app.realtime.ended_sessions.watch(viewer.session_id);
    // "Now" is when sight was judged: an end of it since then is not passed over.
    let after = after.unwrap_or(sight.as_of());
    let mut follower = Follower::new(app.db.clone(), &app.hub, sight.id(), after);
    let mut sight = sight;
    // Beyond what was judged nothing is known of the sight's end.
    let mut is_doubtful = after > sight.as_of();
    try_stream! {
        loop {
            let next = tokio::select! {
                biased;
                () = session_ended.cancelled() => break,
                next = follower.next() => next,
            };
            let batch = next?;
            if let Some(last) = last_event(&viewer, sight, &batch)? {
                let events = batch.events.iter().take_while(|event| event.seq <= last).cloned().collect();
                yield Batch { events, seq: last, is_caught_up: true, has_gap: batch.has_gap };
                break;
            }
            // The end may stand in a gap, or behind this batch in a long backlog, whose events would be shown with what
            // was written since. Of a batch in which it turned private a reader gets nothing: what came before would be
            // shown as it is now.
            if batch.has_gap || !batch.is_caught_up || is_doubtful || closes_to_readers(sight, &batch)? {
                match sight.continued(judge_again(&app, &viewer, sight).await?) {
                    Some(now) => sight = now,
                    None => break,
                }
                is_doubtful = false;
            }
            yield batch;
        }
    }
}

/// The viewer's sight of the same conversation as it is now.
async fn judge_again(app: &App, viewer: &Viewer, sight: Sight) -> Result<Option<Sight>> {
    let pair = (viewer.user_id, sight.id());
    let standings = app.db.read(async move |conn| store::standings(conn, &[pair]).await).await?;
    Ok(standings.into_iter().next().map(|found| found.sight))
}

/// Where this sight ends, if it does in this batch. A departure up to the position at which it was judged is one from
/// before: whoever came back since reads past it.
fn last_event(viewer: &Viewer, sight: Sight, batch: &Batch) -> Result<Option<i32>> {
    let departures = batch.events.iter().filter(|event| event.kind() == MEMBER_LEFT && event.seq > sight.as_of());
    for event in departures {
        if is_of(viewer, event)? {
            return Ok(Some(event.seq));
        }
    }
    Ok(None)
}

/// Whether this may be the end of a sight without a seat: who sees it was changed in this batch, after it was judged.
/// Whoever has joined since is a member, which only a look will tell.
fn closes_to_readers(sight: Sight, batch: &Batch) -> Result<bool> {
    if sight.seat().is_some() {
        return Ok(false);
    }
    let changes = batch.events.iter().filter(|event| event.kind() == CONVERSATION_UPDATED);
    for event in changes.filter(|event| event.seq > sight.as_of()) {
        if event.payload::<ConversationUpdated>()?.changed_fields.iter().any(|field| field == VISIBILITY) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_of(viewer: &Viewer, event: &Arc<Event>) -> Result<bool> {
    Ok(event.payload::<MemberLeft>()?.user_id == viewer.user_id)
}
