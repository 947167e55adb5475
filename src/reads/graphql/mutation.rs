//! Marking read, muting, favourites and hiding.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::{ConversationViewerState, UnreadSummary, viewer_state};
use crate::accounts::preferences::NotificationLevel;
use crate::context::Ask;
use crate::conversations::{Seat, seat_in};
use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::messages;
use crate::reads::{self, KeepDraft, MarkReadDraft};
use crate::scalar::DateTime;
use crate::text::Fault;

/// How far the viewer has read.
#[derive(InputObject)]
pub struct MarkConversationReadInput {
    /// The conversation.
    conversation_id: ID,
    /// The position read, as in `Message.seq`; absent for everything.
    seq: Option<i32>,
    /// The last message read, instead of `seq`.
    message_id: Option<ID>,
}

/// A new read position.
#[derive(SimpleObject)]
pub struct MarkConversationReadPayload {
    /// How the viewer keeps the conversation now.
    viewer_state: ConversationViewerState,
    /// Numbers for badges.
    unread: UnreadSummary,
}

/// From where on to have it unread.
#[derive(InputObject)]
pub struct MarkConversationUnreadInput {
    /// The first message that is to be unread.
    message_id: ID,
}

/// A new read position.
#[derive(SimpleObject)]
pub struct MarkConversationUnreadPayload {
    /// How the viewer keeps the conversation now.
    viewer_state: ConversationViewerState,
    /// Numbers for badges.
    unread: UnreadSummary,
}

/// Changes to how the viewer keeps a conversation: what is absent stays.
#[derive(InputObject)]
pub struct UpdateConversationViewerStateInput {
    /// The conversation.
    conversation_id: ID,
    /// For what to notify; null for as the preferences say.
    notification_level: MaybeUndefined<NotificationLevel>,
    /// Until when to mute; null to unmute.
    muted_until: MaybeUndefined<DateTime>,
    /// Whether it is a favourite.
    is_favorite: Option<bool>,
    /// Whether it is hidden from the inbox.
    is_hidden: Option<bool>,
}

/// How the viewer keeps a conversation now.
#[derive(SimpleObject)]
pub struct UpdateConversationViewerStatePayload {
    /// The state.
    viewer_state: ConversationViewerState,
}

#[derive(Default)]
pub struct ReadMutation;

#[Object]
impl ReadMutation {
    /// Change how the viewer keeps a conversation: notifications, muting, favourite, hidden.
    async fn update_conversation_viewer_state(
        &self,
        ctx: &Context<'_>,
        input: UpdateConversationViewerStateInput,
    ) -> Option<Result<UpdateConversationViewerStatePayload>> {
        Some(update_conversation_viewer_state(ctx, input).await)
    }

    /// Move the viewer's read position forward; a position behind the present one changes nothing.
    async fn mark_conversation_read(
        &self,
        ctx: &Context<'_>,
        input: MarkConversationReadInput,
    ) -> Option<Result<MarkConversationReadPayload>> {
        Some(mark_conversation_read(ctx, input).await)
    }

    /// Move the viewer's read position back to just before a message; one that is unread already changes nothing.
    async fn mark_conversation_unread(
        &self,
        ctx: &Context<'_>,
        input: MarkConversationUnreadInput,
    ) -> Option<Result<MarkConversationUnreadPayload>> {
        Some(mark_conversation_unread(ctx, input).await)
    }
}

async fn update_conversation_viewer_state(
    ctx: &Context<'_>,
    input: UpdateConversationViewerStateInput,
) -> Result<UpdateConversationViewerStatePayload> {
    let viewer = ctx.viewer()?;
    let muted_until = input.muted_until.map_value(|until| until.0).into();
    let level = input.notification_level.into();
    let draft = KeepDraft::from(&input.conversation_id, level, muted_until, input.is_favorite, input.is_hidden)?;
    let seat = seat_in(ctx.scope(), &viewer, draft.conversation).await?;
    reads::keep(ctx.app(), &viewer, seat, draft).await?;
    Ok(UpdateConversationViewerStatePayload { viewer_state: state_now(ctx, seat).await? })
}

async fn mark_conversation_read(
    ctx: &Context<'_>,
    input: MarkConversationReadInput,
) -> Result<MarkConversationReadPayload> {
    let viewer = ctx.viewer()?;
    let message_id = input.message_id.as_deref().map(String::as_str);
    let draft = MarkReadDraft::from(&input.conversation_id, input.seq, message_id)?;
    let seat = seat_in(ctx.scope(), &viewer, draft.conversation).await?;
    reads::mark_read(ctx.app(), &viewer, seat, draft).await?;
    Ok(MarkConversationReadPayload { viewer_state: state_now(ctx, seat).await?, unread: UnreadSummary(viewer.user_id) })
}

async fn mark_conversation_unread(
    ctx: &Context<'_>,
    input: MarkConversationUnreadInput,
) -> Result<MarkConversationUnreadPayload> {
    let viewer = ctx.viewer()?;
    let id = MessageId::parse(&input.message_id)
        .ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("messageId")]))?;
    let message = messages::graphql::find(ctx, id).await?.ok_or_else(|| Error::not_found("message"))?;
    let seat = seat_in(ctx.scope(), &viewer, message.sight.reference()).await?;
    reads::mark_unread(ctx.app(), seat, id).await?;
    Ok(MarkConversationUnreadPayload {
        viewer_state: state_now(ctx, seat).await?,
        unread: UnreadSummary(viewer.user_id),
    })
}

/// How the viewer keeps it after a change. Whoever left while it was made keeps nothing.
async fn state_now(ctx: &Context<'_>, seat: Seat) -> Result<ConversationViewerState> {
    ctx.scope().forget_loaded();
    viewer_state(ctx, seat.sight()).await?.ok_or_else(|| Error::not_found("conversation"))
}
