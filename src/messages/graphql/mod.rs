//! Messages in the API.

mod message;
mod mutation;
mod permissions;

use async_graphql::{Context, ID, Object, OneofObject};

pub use message::{Message, MessageConnection, MessageEdge, deleted_messages, message_at};
pub use mutation::MessageMutation;

use super::{Anchor, MessageById};
use crate::context::Ask;
use crate::conversations::in_sight_by_id;
use crate::error::{Error, InputCode, Result};
use crate::id::MessageId;
use crate::scalar::DateTime;

/// A message to open a conversation or thread at.
#[derive(OneofObject)]
pub enum MessageAnchor {
    /// This message.
    MessageId(ID),
    /// The message at or after this position.
    Seq(i32),
    /// The first message at or after this instant.
    Time(DateTime),
    /// The first message the viewer has not read, or the newest one; must be true.
    FirstUnread(bool),
}

impl MessageAnchor {
    pub fn read(self) -> Result<Anchor> {
        Ok(match self {
            Self::MessageId(id) => Anchor::Message(MessageId::parse(&id).ok_or_else(|| Error::not_an_id("anchor"))?),
            Self::Seq(seq) => Anchor::Seq(seq),
            Self::Time(time) => Anchor::Time(time.0),
            Self::FirstUnread(true) => Anchor::FirstUnread,
            Self::FirstUnread(false) => return Err(Error::invalid("anchor", InputCode::NotAllowed, "Must be true")),
        })
    }
}

#[derive(Default)]
pub struct MessageQuery;

#[Object]
impl MessageQuery {
    /// One message.
    async fn message(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Message>> {
        one(ctx, id).await.transpose()
    }
}

async fn one(ctx: &Context<'_>, id: ID) -> Result<Option<Message>> {
    ctx.viewer()?;
    find(ctx, MessageId::parse(&id).ok_or_else(|| Error::not_an_id("id"))?).await
}

/// The message with this id, if the viewer sees its conversation.
pub async fn find(ctx: &Context<'_>, id: MessageId) -> Result<Option<Message>> {
    let viewer = ctx.viewer()?;
    let Some(row) = ctx.load::<MessageById>(id).await? else { return Ok(None) };
    let sight = in_sight_by_id(ctx.scope(), viewer.user_id, row.conversation_id).await?;
    Ok(sight.map(|sight| Message::new(sight, row)))
}
