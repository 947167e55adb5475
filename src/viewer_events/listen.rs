//! Listening to what concerns oneself.

use std::sync::Arc;

use async_stream::stream;
use futures_util::Stream;

use crate::app::App;
use crate::error::Result;
use crate::realtime::Subject;
use crate::realtime::viewers::{Batch, Position};
use crate::subscription::{Delivery, Show};
use crate::viewer::Viewer;

/// What was changed after a position, then what is; without a position from now on. It ends with the session, and says so
/// last. Each is shown their own, by `tend`, together with all to whom something is to be said at the same moment.
pub fn listen(
    app: &App,
    viewer: Viewer,
    after: Option<Position>,
    show: Arc<Show>,
) -> impl Stream<Item = Result<Delivery>> + use<> {
    let clock = app.clock.clone();
    let session_ended = app.realtime.ended_sessions.watch(viewer.session_id);
    // From here on, so that nothing falls between this and the look at the tables.
    let mut listening = app.realtime.viewers.listen(viewer, after, show);
    stream! {
        loop {
            let answer = tokio::select! {
                biased;
                () = session_ended.cancelled() => break,
                answer = listening.next() => answer,
            };
            match answer {
                Some(answer) => yield Ok(Delivery::Shown(answer)),
                None => return,
            }
        }
        if let Some(position) = listening.position() {
            let end = (Subject::Session(viewer.session_id), clock.now(), false);
            yield Ok(Delivery::of(Batch::answering(vec![end], position, true)));
        }
    }
}
