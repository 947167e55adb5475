//! Pins in the API.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{PinCursor, PinOf};
use crate::context::Ask;
use crate::conversations::Sight;
use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::messages::graphql::Message;
use crate::messages::{self, pins};
use crate::page::{Arguments, connection};
use crate::scalar::DateTime;
use crate::text::Fault;
use crate::users::graphql::{User, user};

#[derive(Clone)]
pub struct Pin(pins::Pin);

/// That a message is pinned.
#[Object]
impl Pin {
    /// Since when.
    async fn pinned_at(&self) -> DateTime {
        self.0.pinned_at.into()
    }

    /// By whom.
    async fn pinned_by(&self, ctx: &Context<'_>) -> Result<User> {
        user(ctx, self.0.pinned_by_id).await
    }
}

connection! {
    /// Pinned messages.
    PinConnection {
        /// How many there are on all pages.
        total_count: i32,
    },
    /// A pinned message, and since when and by whom.
    PinEdge {
        /// Since when and by whom.
        pin: Pin,
    },
    /// Where to go on from.
    cursor,
    /// The message.
    Message
}

/// A page of a conversation's pinned messages.
pub async fn pins_in(ctx: &Context<'_>, sight: Sight, arguments: Arguments) -> Result<PinConnection> {
    let (page, count) = pins::pins(ctx.app(), sight, arguments).await?;
    let page = page.map(|(pin, row)| PinEdge::at(&PinCursor::of(&pin), Message::new(sight, row), Pin(pin)));
    Ok(PinConnection::new(page, count as i32))
}

/// The pin of a message, if it is pinned.
pub async fn pin_of(ctx: &Context<'_>, message: &messages::Message) -> Result<Option<Pin>> {
    let found = ctx.load::<PinOf>((message.conversation_id, message.seq)).await?;
    Ok(found.map(|pin| Pin(pin.as_ref().clone())))
}

/// What to pin.
#[derive(InputObject)]
pub struct PinMessageInput {
    /// The message.
    message_id: ID,
}

/// A pinned message.
#[derive(SimpleObject)]
pub struct PinMessagePayload {
    /// The message.
    message: Message,
    /// Position of the latest event of its conversation.
    seq: i32,
}

/// What to unpin.
#[derive(InputObject)]
pub struct UnpinMessageInput {
    /// The message.
    message_id: ID,
}

/// A message that is no longer pinned.
#[derive(SimpleObject)]
pub struct UnpinMessagePayload {
    /// The message.
    message: Message,
    /// Position of the latest event of its conversation.
    seq: i32,
}

#[derive(Default)]
pub struct PinMutation;

#[Object]
impl PinMutation {
    /// Pin a message, as a moderator or in a direct conversation; pinning twice changes nothing. Errors: ARCHIVED,
    /// SANCTIONED, FAILED_PRECONDITION (the message was deleted, or 100 are pinned).
    async fn pin_message(&self, ctx: &Context<'_>, input: PinMessageInput) -> Option<Result<PinMessagePayload>> {
        Some(pin_message(ctx, input).await)
    }

    /// Unpin a message; unpinning what is not pinned changes nothing. Errors: ARCHIVED, SANCTIONED.
    async fn unpin_message(&self, ctx: &Context<'_>, input: UnpinMessageInput) -> Option<Result<UnpinMessagePayload>> {
        Some(unpin_message(ctx, input).await)
    }
}

async fn pin_message(ctx: &Context<'_>, input: PinMessageInput) -> Result<PinMessagePayload> {
    let viewer = ctx.viewer()?;
    let pinned = pins::pin_message(ctx.app(), &viewer, message_id(&input.message_id)?).await?;
    ctx.scope().forget_loaded();
    Ok(PinMessagePayload { message: Message::new(pinned.sight, pinned.message), seq: pinned.seq })
}

async fn unpin_message(ctx: &Context<'_>, input: UnpinMessageInput) -> Result<UnpinMessagePayload> {
    let viewer = ctx.viewer()?;
    let unpinned = pins::unpin_message(ctx.app(), &viewer, message_id(&input.message_id)?).await?;
    ctx.scope().forget_loaded();
    Ok(UnpinMessagePayload { message: Message::new(unpinned.sight, unpinned.message), seq: unpinned.seq })
}

fn message_id(id: &ID) -> Result<MessageId> {
    MessageId::parse(id).ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("messageId")]))
}
