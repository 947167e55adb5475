//! Threads: the replies under a message.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::message::{Message, MessageConnection, message_at};
use crate::context::Ask;
use crate::conversations::Sight;
use crate::conversations::graphql::{Conversation, conversation};
use crate::error::Result;
use crate::id::ThreadId;
use crate::messages::{self, ThreadUnder, Timeline};
use crate::page::Arguments;

#[derive(Clone)]
pub struct Thread {
    sight: Sight,
    row: Arc<messages::Thread>,
}

/// The thread under the message at this position of a conversation in sight, if there is one.
pub async fn find_thread(ctx: &Context<'_>, sight: Sight, root_seq: i32) -> Result<Option<Thread>> {
    let row = ctx.load::<ThreadUnder>((sight.id(), root_seq)).await?;
    Ok(row.map(|row| Thread { sight, row }))
}

/// The replies under a message.
#[Object]
impl Thread {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        let root = message_at(ctx, self.sight, self.row.root_seq).await?;
        Ok(ThreadId(root.row.id.0).into())
    }

    /// The message they are under.
    async fn root(&self, ctx: &Context<'_>) -> Result<Message> {
        message_at(ctx, self.sight, self.row.root_seq).await
    }

    /// Where it is.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Conversation> {
        conversation(ctx, self.sight).await
    }

    /// How many replies there are, deleted ones left out.
    async fn reply_count(&self) -> i32 {
        self.row.reply_count
    }

    /// The newest reply that is not deleted; null for none.
    async fn last_reply(&self, ctx: &Context<'_>) -> Option<Result<Message>> {
        Some(message_at(ctx, self.sight, self.row.last_reply_seq?).await)
    }

    /// The replies, oldest first.
    async fn replies(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<MessageConnection> {
        let arguments = Arguments { first, after, last, before };
        let page = messages::page(ctx.app(), self.sight, Timeline::Thread(self.row.root_seq), arguments).await?;
        Ok(MessageConnection::of(ctx, self.sight, page).await)
    }
}
