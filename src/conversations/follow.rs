//! Following a conversation for as long as one may.

use async_stream::try_stream;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::time::sleep;

use super::Sight;
use super::ends::{End, judge_again};
use super::live::{self, ASK_AGAIN, live};
use crate::app::App;
use crate::error::{Error, Result};
use crate::log::{self, BATCH, Batch};
use crate::subscription::{Delivery, Sharing};
use crate::viewer::Viewer;

/// A delivery: the next events of the log, and the sight they are shown with.
pub struct Followed {
    pub sight: Sight,
    pub batch: Batch,
}

/// The log after a position, then what comes. It ends with the session, and with the sight that opened it: leaving or
/// being removed is the last event that the one concerned gets, also where the channel stays visible. A channel that turns
/// private ends it for readers, without a word: what is written from then on is not for them, not even that.
///
/// Each catches up by reading the table, and is then told by the group of those who are shown the same. Whoever falls
/// behind it, or whose sight may have ended, goes back to the table: a group hands out what it made for all, and
/// everything else is decided here.
pub fn follow(
    app: &App,
    viewer: Viewer,
    sight: Sight,
    after: Option<i32>,
    sharing: Sharing,
) -> impl Stream<Item = Result<Delivery, Error>> + use<> {
    let app = app.clone();
    let session_ended = app.realtime.ended_sessions.watch(viewer.session_id);
    let looking = app.realtime.onlookers.look(sight.id(), viewer.user_id);
    // What it does seldom is boxed: most who follow wait for most of the time, and there are many.
    let log = try_stream! {
        let _looking = looking;
        let mut sight = sight;
        // "Now" is when sight was judged: an end of it since then is not passed over.
        let mut position = after.unwrap_or(sight.as_of());
        let mut has_begun = false;
        let mut said_caught_up = false;
        // Joined before the table is read, so that nothing falls between. What a client says of its position is no place
        // for a group to begin.
        let mut tail = live::join(&app, sight, sight.as_of(), &sharing);
        'joined: loop {
            // Beyond what was judged nothing is known of the sight's end; nor is it, where a group gives it to a reader, until
            // it is known that they read.
            let mut is_doubtful = position > sight.as_of() || !has_begun && sight.group().is_some();
            loop {
                let mut batch = match log::read(&app.db, sight.id(), position, BATCH).boxed().await {
                    // A stream under way waits for a database that does not answer.
                    Err(error) if has_begun && error.passes() => {
                        sleep(ASK_AGAIN).await;
                        continue;
                    }
                    batch => batch?,
                };
                let is_at_head = batch.is_caught_up;
                // A gap is not passed over: where the database was set back, what follows it is not known yet.
                let more_waits = tail.skip(|told| !live(told).batch.has_gap && live(told).batch.seq <= batch.seq);
                batch.is_caught_up &= batch.has_gap || !more_waits;
                let ends = End::among(&batch.events)?;
                if let Some(last) = ends.iter().find_map(|end| end.departure_of(&viewer, sight)) {
                    let batch = Batch { is_caught_up: true, ..batch.up_to(last) };
                    yield Delivery::of(Followed { sight, batch });
                    break 'joined;
                }
                // The end may stand in a gap, or behind this batch in a long backlog, whose events would be shown with
                // what was written since. Of a batch in which it turned private a reader gets nothing: what came before
                // would be shown as it is now.
                if batch.has_gap || !batch.is_caught_up || is_doubtful || ends.iter().any(|end| end.closes(&viewer, sight)) {
                    match judge_again(&app, &viewer, sight).boxed().await {
                        Err(error) if has_begun && error.passes() => {
                            sleep(ASK_AGAIN).await;
                            continue;
                        }
                        now => match now? {
                            Some(now) => sight = now,
                            None => break 'joined,
                        },
                    }
                    is_doubtful = false;
                }
                position = batch.seq;
                if !has_begun || batch.is_news(said_caught_up) {
                    has_begun = true;
                    said_caught_up = batch.is_caught_up;
                    yield Delivery::of(Followed { sight, batch });
                }
                if is_at_head && position >= tail.joined_at() {
                    break;
                }
                if is_at_head {
                    // The table is behind its followers: the database was set back to an earlier state.
                    drop(tail);
                    sleep(ASK_AGAIN).await;
                    tail = live::join(&app, sight, position, &sharing);
                    continue 'joined;
                }
            }
            while let Ok(told) = tail.next().await {
                let (batch, ends) = (&live(&told).batch, &live(&told).ends);
                if batch.has_gap || batch.after > position || ends.iter().any(|end| end.concerns(&viewer, sight)) {
                    break;
                }
                let is_new = batch.seq > position || batch.seq == position && batch.is_caught_up && !said_caught_up;
                if !is_new {
                    continue;
                }
                let delivery = match told.answer() {
                    Some(answer) if batch.after == position => Delivery::Shown(answer),
                    _ => {
                        // It will be shown as things are now, and with what waits behind it the end may wait.
                        if tail.has_more() {
                            match judge_again(&app, &viewer, sight).boxed().await {
                                Ok(Some(now)) => sight = now,
                                Err(error) if !error.passes() => Err(error)?,
                                Ok(None) | Err(_) => break,
                            }
                        }
                        Delivery::of(Followed { sight, batch: batch.beyond(position) })
                    }
                };
                position = batch.seq;
                said_caught_up = batch.is_caught_up;
                yield delivery;
            }
            // The place is given up for another, not before: a group of one would end, and begin anew at the position of
            // the one who fell behind.
            tail = live::join(&app, sight, position, &sharing);
        }
    };
    log.take_until(async move { session_ended.cancelled().await })
}

/// Waits for the end of a sight, for what ends with it and is no log.
pub async fn out_of_sight(app: &App, viewer: &Viewer, sight: Sight) -> Result<()> {
    let mut sight = sight;
    loop {
        let mut tail = live::join_for_ends(app, sight);
        // Between the judgement and this nobody may have listened.
        let mut is_doubtful = tail.joined_at() > sight.as_of() || sight.group().is_some();
        loop {
            if is_doubtful {
                match judge_again(app, viewer, sight).await? {
                    Some(now) => sight = now,
                    None => return Ok(()),
                }
            }
            let Ok(told) = tail.next().await else { break };
            let live = live(&told);
            is_doubtful = live.batch.has_gap || live.ends.iter().any(|end| end.concerns(viewer, sight));
        }
        // What was said meanwhile is not known.
        match judge_again(app, viewer, sight).await? {
            Some(now) => sight = now,
            None => return Ok(()),
        }
    }
}
