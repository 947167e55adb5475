//! Viewers' streams in the API. Events say what something is like when they are shown.

use async_graphql::{Context, ID, Interface, Object, SimpleObject, Subscription};
use futures_util::future::try_join_all;

use crate::accounts::graphql::Viewer;
use crate::clock::Instant;
use crate::context::Ask;
use crate::conversations::graphql::Conversation;
use crate::conversations::{Departed, Departure, DepartureOf};
use crate::error::{Error, InputCode, Result};
use crate::id::{ConversationId, SessionId, UserId};
use crate::page::Cursor;
use crate::reads::StateOf;
use crate::reads::graphql::{ConversationViewerState, UnreadSummary};
use crate::realtime::Subject;
use crate::realtime::viewers::{Batch, Position};
use crate::scalar::DateTime;
use crate::subscription::Response;
use crate::text::Fault;
use crate::viewer::Viewer as Who;

/// Something that concerns the viewer. New kinds are added over time: leave those you do not know.
#[derive(Interface)]
#[graphql(field(name = "occurred_at", ty = "DateTime", desc = "When it happened."))]
pub enum ViewerEvent {
    InboxChanged(InboxChangedEvent),
    ConversationAdded(ConversationAddedEvent),
    ConversationRemoved(ConversationRemovedEvent),
    ViewerChanged(ViewerChangedEvent),
    SessionRevoked(SessionRevokedEvent),
}

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
            events: try_join_all(events).await?.into_iter().flatten().collect(),
            cursor: batch.position.encode(),
            is_caught_up: batch.is_caught_up,
            has_gap: batch.has_gap,
        })
    }
}

impl ViewerEvent {
    /// What is to be said of a subject; nothing where there is nothing any more.
    async fn of(ctx: &Context<'_>, viewer: Who, subject: Subject, at: Instant, is_new: bool) -> Result<Option<Self>> {
        Ok(match subject {
            Subject::Conversation(id) => Self::of_conversation(ctx, viewer, id, at, is_new).await?,
            Subject::Viewer => Some(Self::ViewerChanged(ViewerChangedEvent { at, viewer: Viewer(viewer) })),
            Subject::Session(id) => Some(Self::SessionRevoked(SessionRevokedEvent { at, id })),
        })
    }

    /// Whoever is a member hears of the conversation, whoever is one no longer that they are not.
    async fn of_conversation(
        ctx: &Context<'_>,
        viewer: Who,
        id: ConversationId,
        at: Instant,
        is_new: bool,
    ) -> Result<Option<Self>> {
        let user_id = viewer.user_id;
        let state = ctx.load::<StateOf>((id, user_id)).await?;
        if let Some(state) = state.and_then(|state| ConversationViewerState::new(&viewer, state)) {
            let conversation = state.conversation()?;
            return Ok(Some(match is_new {
                true => Self::ConversationAdded(ConversationAddedEvent { at, conversation }),
                false => Self::InboxChanged(InboxChangedEvent { at, conversation, user_id }),
            }));
        }
        let departed = ctx.load::<DepartureOf>((id, user_id)).await?;
        Ok(departed.map(|departed| Self::ConversationRemoved(ConversationRemovedEvent { at, departed: *departed })))
    }
}

pub struct InboxChangedEvent {
    at: Instant,
    conversation: Conversation,
    user_id: UserId,
}

/// A conversation of the inbox changed: something new, `lastMessage` edited or deleted, something read, a setting, what the
/// viewer may do. What changes within a second may come as one.
#[Object]
impl InboxChangedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The conversation, with its `viewerState` and `lastMessage`.
    async fn conversation(&self) -> Conversation {
        self.conversation.clone()
    }

    /// Numbers for badges.
    async fn unread(&self) -> UnreadSummary {
        UnreadSummary(self.user_id)
    }
}

pub struct ConversationAddedEvent {
    at: Instant,
    conversation: Conversation,
}

/// The viewer became a member of a conversation.
#[Object]
impl ConversationAddedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The conversation.
    async fn conversation(&self) -> Conversation {
        self.conversation.clone()
    }
}

pub struct ConversationRemovedEvent {
    at: Instant,
    departed: Departed,
}

/// The viewer is no longer a member of a conversation, also where they may still see it.
#[Object]
impl ConversationRemovedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// Its id, since it may be out of sight.
    async fn conversation_id(&self) -> ID {
        self.departed.reference.to_string().into()
    }

    /// How.
    async fn reason(&self) -> Departure {
        self.departed.departure
    }
}

pub struct ViewerChangedEvent {
    at: Instant,
    viewer: Viewer,
}

/// The viewer's account, profile or preferences changed, here or elsewhere.
#[Object]
impl ViewerChangedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The viewer.
    async fn viewer(&self) -> Viewer {
        self.viewer.clone()
    }
}

pub struct SessionRevokedEvent {
    at: Instant,
    id: SessionId,
}

/// A session of the viewer ended; if it is this one, the stream completes after this.
#[Object]
impl SessionRevokedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// Its id.
    async fn session_id(&self) -> ID {
        self.id.into()
    }

    /// Whether it is the session of this stream.
    async fn is_current(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.session_id == self.id)
    }
}

/// A position of `viewerEvents` before anything else of the answer.
pub async fn events_cursor(ctx: &Context<'_>) -> Result<String> {
    let position = match ctx.scope().stood_at() {
        Some(position) => position,
        None => super::position(&ctx.app().db).await?,
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
