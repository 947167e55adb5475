//! Writing messages.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::message::{Message, MessageEdge};
use crate::context::Ask;
use crate::error::Result;
use crate::messages::{self, DeleteDraft, Draft, DraftInput, EditDraft};

/// A new message: content, files or both.
#[derive(InputObject)]
pub struct SendMessageInput {
    /// Where.
    conversation_id: ID,
    /// Chosen by the client, unique per sender and conversation for ever, 8 to 64 characters; a UUID will do. Send the
    /// same input again when unsure whether it arrived: the answer is the message as it is now.
    client_key: String,
    /// Markdown, with mentions as in `Message.content`.
    content: Option<String>,
    /// A message of the same conversation to quote.
    reply_to_id: Option<ID>,
    /// The message to answer in a thread; not one that is itself in a thread.
    thread_root_id: Option<ID>,
}

impl From<SendMessageInput> for DraftInput {
    fn from(input: SendMessageInput) -> Self {
        Self {
            conversation_id: input.conversation_id.0,
            client_key: input.client_key,
            content: input.content,
            reply_to_id: input.reply_to_id.map(|id| id.0),
            thread_root_id: input.thread_root_id.map(|id| id.0),
        }
    }
}

/// A sent message.
#[derive(SimpleObject)]
pub struct SendMessagePayload {
    /// The message.
    message: Message,
    /// The message as an edge of `Conversation.messages`; null for a reply in a thread.
    timeline_edge: Option<MessageEdge>,
    /// The message as an edge of `Thread.replies`; null outside of threads.
    thread_edge: Option<MessageEdge>,
    /// Whether it was there already, from an earlier call with the same `clientKey`.
    is_replay: bool,
}

/// New content for a message.
#[derive(InputObject)]
pub struct EditMessageInput {
    /// The message.
    message_id: ID,
    /// Markdown, with mentions as in `Message.content`.
    content: String,
    /// The version that was shown; absent to overwrite whatever is there.
    expected_version: Option<i32>,
}

/// A changed message.
#[derive(SimpleObject)]
pub struct EditMessagePayload {
    /// The message.
    message: Message,
    /// Position of the latest event of its conversation.
    seq: i32,
}

/// Which message to delete.
#[derive(InputObject)]
pub struct DeleteMessageInput {
    /// The message.
    message_id: ID,
    /// Why, for the audit log; for moderators.
    reason: Option<String>,
}

/// A deleted message.
#[derive(SimpleObject)]
pub struct DeleteMessagePayload {
    /// What stays of it.
    message: Message,
    /// Position of the latest event of its conversation.
    seq: i32,
}

#[derive(Default)]
pub struct MessageMutation;

#[Object]
impl MessageMutation {
    /// Send a message. The same `clientKey` again returns the first message. Errors: ARCHIVED, SANCTIONED,
    /// IDEMPOTENCY_KEY_REUSED.
    async fn send_message(&self, ctx: &Context<'_>, input: SendMessageInput) -> Option<Result<SendMessagePayload>> {
        Some(send_message(ctx, input).await)
    }

    /// Change the content of one's own message. Errors: VERSION_CONFLICT.
    async fn edit_message(&self, ctx: &Context<'_>, input: EditMessageInput) -> Option<Result<EditMessagePayload>> {
        Some(edit_message(ctx, input).await)
    }

    /// Delete a message, one's own or as a moderator that of someone of lower rank; what stays is a tombstone.
    async fn delete_message(
        &self,
        ctx: &Context<'_>,
        input: DeleteMessageInput,
    ) -> Option<Result<DeleteMessagePayload>> {
        Some(delete_message(ctx, input).await)
    }
}

async fn send_message(ctx: &Context<'_>, input: SendMessageInput) -> Result<SendMessagePayload> {
    let viewer = ctx.viewer()?;
    let sent = messages::send(ctx.app(), &viewer, Draft::from(input.into())?).await?;
    ctx.scope().forget_loaded();
    let message = Message::new(sent.sight, sent.message);
    Ok(SendMessagePayload {
        timeline_edge: MessageEdge::in_timeline(message.clone()),
        thread_edge: MessageEdge::in_thread(message.clone()),
        is_replay: sent.is_replay,
        message,
    })
}

async fn edit_message(ctx: &Context<'_>, input: EditMessageInput) -> Result<EditMessagePayload> {
    let viewer = ctx.viewer()?;
    let draft = EditDraft::from(&input.message_id, &input.content, input.expected_version)?;
    let edited = messages::edit(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(EditMessagePayload { message: Message::new(edited.sight, edited.message), seq: edited.seq })
}

async fn delete_message(ctx: &Context<'_>, input: DeleteMessageInput) -> Result<DeleteMessagePayload> {
    let viewer = ctx.viewer()?;
    let draft = DeleteDraft::from(&input.message_id, input.reason)?;
    let deleted = messages::delete(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(DeleteMessagePayload { message: Message::new(deleted.sight, deleted.message), seq: deleted.seq })
}
