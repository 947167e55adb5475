//! Saying how present one is, and that one types.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::context::Ask;
use crate::error::Result;
use crate::presence::{self, CustomStatusDraft, CustomStatusInput, TypingDraft};
use crate::realtime::PresenceStatus;
use crate::scalar::DateTime;
use crate::users::graphql::{User, user};

/// Whether the viewer is typing.
#[derive(InputObject)]
pub struct SetTypingInput {
    /// The conversation.
    conversation_id: ID,
    /// The message whose thread it is in; absent outside of threads.
    thread_root_id: Option<ID>,
    /// False when done without sending.
    #[graphql(default = true)]
    is_typing: bool,
}

/// How long others will see it.
#[derive(SimpleObject)]
pub struct SetTypingPayload {
    /// When it fades unless repeated; null when done, and where the viewer does not share it.
    expires_at: Option<DateTime>,
}

/// How present the viewer wants to look.
#[derive(InputObject)]
pub struct SetPresenceInput {
    /// OFFLINE to look away while here.
    status: PresenceStatus,
}

/// A changed presence.
#[derive(SimpleObject)]
pub struct SetPresencePayload {
    /// The viewer's public side.
    user: User,
}

/// A custom status; null for both text and emoji clears it.
#[derive(InputObject)]
pub struct SetCustomStatusInput {
    /// Up to 100 characters.
    text: Option<String>,
    /// One emoji.
    emoji: Option<String>,
    /// When it clears itself; absent for never.
    expires_at: Option<DateTime>,
}

/// A changed custom status.
#[derive(SimpleObject)]
pub struct SetCustomStatusPayload {
    /// The viewer's public side.
    user: User,
}

#[derive(Default)]
pub struct PresenceMutation;

#[Object]
impl PresenceMutation {
    /// Say how present the viewer is; lasts until changed or the last connection closes. Errors: FAILED_PRECONDITION (no
    /// WebSocket is open).
    async fn set_presence(&self, ctx: &Context<'_>, input: SetPresenceInput) -> Option<Result<SetPresencePayload>> {
        Some(set_presence(ctx, input).await)
    }

    /// Set the viewer's custom status, or clear it.
    async fn set_custom_status(
        &self,
        ctx: &Context<'_>,
        input: SetCustomStatusInput,
    ) -> Option<Result<SetCustomStatusPayload>> {
        Some(set_custom_status(ctx, input).await)
    }

    /// Tell the others that the viewer is typing, or no longer; repeat every 5 seconds, it fades after 8.
    async fn set_typing(&self, ctx: &Context<'_>, input: SetTypingInput) -> Option<Result<SetTypingPayload>> {
        Some(set_typing(ctx, input).await)
    }
}

async fn set_presence(ctx: &Context<'_>, input: SetPresenceInput) -> Result<SetPresencePayload> {
    let viewer = ctx.viewer()?;
    presence::set_presence(ctx.app(), &viewer, input.status).await?;
    ctx.scope().forget_loaded();
    Ok(SetPresencePayload { user: user(ctx, viewer.user_id).await? })
}

async fn set_custom_status(ctx: &Context<'_>, input: SetCustomStatusInput) -> Result<SetCustomStatusPayload> {
    let viewer = ctx.viewer()?;
    let SetCustomStatusInput { text, emoji, expires_at } = input;
    let input = CustomStatusInput { text, emoji, expires_at: expires_at.map(|end| end.0) };
    let draft = CustomStatusDraft::from(input, ctx.app().clock.now())?;
    presence::set_custom_status(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(SetCustomStatusPayload { user: user(ctx, viewer.user_id).await? })
}

async fn set_typing(ctx: &Context<'_>, input: SetTypingInput) -> Result<SetTypingPayload> {
    let viewer = ctx.viewer()?;
    let root = input.thread_root_id.as_deref().map(String::as_str);
    let draft = TypingDraft::from(&input.conversation_id, root, input.is_typing)?;
    let expires_at = presence::set_typing(ctx.scope(), &viewer, draft).await?;
    Ok(SetTypingPayload { expires_at: expires_at.map(DateTime) })
}
