//! Readers in the API.

use std::sync::Arc;

use async_graphql::Context;

use super::{ReadMessage, ReaderCursor, ReadersOf};
use crate::context::Ask;
use crate::conversations::Sight;
use crate::conversations::graphql::{ConversationMember, ConversationMemberConnection, ConversationMemberEdge};
use crate::error::Result;
use crate::messages::Message;
use crate::page::Arguments;

/// Those who have read a message and share that, as members are listed. What they have read of a thread is not for all to
/// see.
pub async fn readers_of(
    ctx: &Context<'_>,
    sight: Sight,
    message: &Message,
    arguments: Arguments,
) -> Result<ConversationMemberConnection> {
    let Message { conversation_id, seq, author_id, .. } = *message;
    let read = ReadMessage { conversation_id, seq, author_id };
    let window = read.window(arguments)?;
    let found = match message.thread_root_seq {
        None => ctx.load::<ReadersOf>(read.readers(&window)).await?,
        Some(_) => None,
    };
    let page = window.page(found.map(Arc::unwrap_or_clone).unwrap_or_default());
    Ok(ConversationMemberConnection::new(page.map(|member| {
        ConversationMemberEdge::at(&ReaderCursor::of(seq, &member), ConversationMember::new(sight, member))
    })))
}
