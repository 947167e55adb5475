//! Viewers' streams in the API.

mod event;

use async_graphql::{Context, SimpleObject, Subscription};
use futures_util::future::try_join_all;

pub use event::ViewerEvent;
use event::as_few;

use crate::context::Ask;
use crate::error::{Error, InputCode, Result};
use crate::page::Cursor;
use crate::realtime::viewers::{Batch, Position};
use crate::subscription::Response;
use crate::text::Fault;
use crate::viewer::Viewer as Who;

/// A delivery of what concerns the viewer.
#[derive(SimpleObject)]
pub struct ViewerEventBatch {
    /// The events; none in a delivery that only says how things stand.
    events: Vec<ViewerEvent>,
    /// Opaque position after this delivery: what to resume `after`.
    cursor: String,
    /// Whether nothing further waited when this was sent. The first delivery with it ends a replay.
    is_caught_up: bool,
    /// Whether the server could not resume from where it was asked to: fetch `viewer` anew, then go on with this stream.
    has_gap: bool,
}

impl ViewerEventBatch {
    /// As things are now.
    pub async fn new(ctx: &Context<'_>, viewer: Who, batch: &Batch) -> Result<Self> {
        // What is shown below is at least as new as that.
        ctx.scope().stand_at(batch.position);
        let events =
            batch.changes.iter().map(|&(subject, at, is_new)| ViewerEvent::of(ctx, viewer, subject, at, is_new));
        Ok(Self {
            events: as_few(try_join_all(events).await?.into_iter().flatten()),
            cursor: batch.position.encode(),
            is_caught_up: batch.is_caught_up,
            has_gap: batch.has_gap,
        })
    }
}

/// A position of `viewerEvents` before anything else of the answer.
pub async fn events_cursor(ctx: &Context<'_>) -> Result<String> {
    let position = match ctx.scope().stood_at() {
        Some(position) => position,
        None => super::position(ctx.app()).await?,
    };
    Ok(position.encode())
}

/// What a stream that resumes `after` a position would tell, up to `first` of it.
pub async fn events(ctx: &Context<'_>, viewer: Who, after: &str, first: i32) -> Result<ViewerEventBatch> {
    let batch = super::catch_up(ctx.app(), &viewer, position(after)?, first).await?;
    ViewerEventBatch::new(ctx, viewer, &batch).await
}

#[derive(Default)]
pub struct ViewerSubscription;

#[Subscription]
impl ViewerSubscription {
    /// Everything that concerns the viewer, in one stream: inbox, notifications, memberships, calls, sessions. Pass
    /// `Viewer.eventsCursor`, later the last `cursor`; without `after` it begins now. Keep it open for as long as the app
    /// runs.
    async fn viewer_events(&self, ctx: &Context<'_>, after: Option<String>) -> Result<Response<ViewerEventBatch>> {
        let viewer = ctx.viewer()?;
        match ctx.scope().event::<Batch>() {
            Some(batch) => Ok(Response::showing(ViewerEventBatch::new(ctx, viewer, &batch).await?)),
            None => listen(ctx, viewer, after.as_deref()),
        }
    }
}

fn listen(ctx: &Context<'_>, viewer: Who, after: Option<&str>) -> Result<Response<ViewerEventBatch>> {
    let after = after.map(position).transpose()?;
    let show = ctx.scope().show().ok_or_else(|| Error::internal("a stream that is not being opened"))?;
    Ok(ctx.scope().open(super::listen(ctx.app(), viewer, after, show)))
}

fn position(after: &str) -> Result<Position> {
    let wrong = || Fault::new(InputCode::BadFormat, "Not a cursor of this stream").of_argument("after");
    Position::decode(after).ok_or_else(|| Error::bad_input(vec![wrong()]))
}
