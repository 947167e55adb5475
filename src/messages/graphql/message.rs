//! A message, and pages of them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::permissions::{MessagePermissions, message_permissions};
use crate::context::Ask;
use crate::conversations::Sight;
use crate::conversations::graphql::{Conversation, ConversationMemberConnection, conversation};
use crate::directive::perViewer;
use crate::error::{Error, Result};
use crate::links;
use crate::messages::mentions::graphql::{Mention, mentions_in};
use crate::messages::pins::graphql::{Pin, pin_of};
use crate::messages::reactions::graphql::{ReactionGroup, reactions_to, viewer_reactions};
use crate::messages::threads::graphql::{Thread, find_thread};
use crate::messages::{self, Kind, MessageAt, MessageCursor};
use crate::page::{Arguments, Page, connection};
use crate::reads::readers::graphql::readers_of;
use crate::scalar::{DateTime, Url};
use crate::text::{self, Fault};
use crate::users;
use crate::users::graphql::{User, user};

/// Characters of an excerpt at most.
const EXCERPT: i32 = 1_000;

#[derive(Clone)]
pub struct Message {
    pub sight: Sight,
    pub row: Arc<messages::Message>,
}

impl Message {
    /// A message of a conversation that the viewer sees.
    pub fn new(sight: Sight, row: impl Into<Arc<messages::Message>>) -> Self {
        Self { sight, row: row.into() }
    }
}

/// The message at a position of a conversation in sight; it must exist: something refers to it.
pub async fn message_at(ctx: &Context<'_>, sight: Sight, seq: i32) -> Result<Message> {
    let row = ctx.load::<MessageAt>((sight.id(), seq)).await?;
    let row = row.ok_or_else(|| Error::internal(format!("{:?} has no message at {seq}", sight.id())))?;
    Ok(Message::new(sight, row))
}

/// A message. Once deleted it keeps its place in lists and its cursor, but neither content, files nor reactions: clients
/// hide it.
#[Object]
impl Message {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.row.id.into()
    }

    /// Position in the conversation's log: orders messages, threads included, and is what read positions count.
    async fn seq(&self) -> i32 {
        self.row.seq
    }

    /// What its sender chose to recognise it by, unique per sender and conversation; null for imported ones.
    async fn client_key(&self) -> Option<&str> {
        self.row.client_key.as_deref()
    }

    /// Where it was written.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Conversation> {
        conversation(ctx, self.sight).await
    }

    /// Who wrote it, or caused it.
    async fn author(&self, ctx: &Context<'_>) -> Result<User> {
        user(ctx, self.row.author_id).await
    }

    /// Whether a person wrote it or the server did.
    async fn kind(&self) -> Kind {
        self.row.kind
    }

    /// Markdown; mentions are written <@id>, <@everyone> and <@here>, channels <#id>; a leading /me is kept as it was
    /// written. Empty for files alone and system messages, null for deleted ones.
    async fn content(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        Some(ctx.scope().write(self.row.content.as_deref()?))
    }

    /// The beginning of the content as plain text, mentions by name.
    async fn excerpt(&self, ctx: &Context<'_>, #[graphql(default = 140)] length: i32) -> Result<String> {
        if !(1..=EXCERPT).contains(&length) {
            return Err(Error::bad_input(vec![Fault::out_of_range(1, EXCERPT as usize).of_argument("length")]));
        }
        let content = self.row.content.as_deref().unwrap_or_default();
        ctx.scope().write(text::excerpt(&users::with_names(ctx.scope(), content).await?, length as usize))
    }

    /// Whom it mentions.
    async fn mentions(&self, ctx: &Context<'_>) -> Result<Vec<Mention>> {
        mentions_in(ctx, &self.row).await
    }

    /// Reactions by emoji, first one first; at most 50 different ones.
    async fn reactions(&self, ctx: &Context<'_>) -> Result<Vec<ReactionGroup>> {
        match self.row.deleted_at {
            None => reactions_to(ctx, &self.row).await,
            Some(_) => Ok(Vec::new()),
        }
    }

    /// The message it quotes; null for none.
    async fn reply_to(&self, ctx: &Context<'_>) -> Option<Result<Message>> {
        Some(message_at(ctx, self.sight, self.row.reply_to_seq?).await)
    }

    /// The message whose thread it is in; null outside of threads.
    async fn thread_root(&self, ctx: &Context<'_>) -> Option<Result<Message>> {
        Some(message_at(ctx, self.sight, self.row.thread_root_seq?).await)
    }

    /// The thread under it; null before the first reply.
    async fn thread(&self, ctx: &Context<'_>) -> Option<Result<Thread>> {
        find_thread(ctx, self.sight, self.row.seq).await.transpose()
    }

    /// Since when and by whom it is pinned; null while it is not.
    async fn pin(&self, ctx: &Context<'_>) -> Option<Result<Pin>> {
        match self.row.deleted_at {
            None => pin_of(ctx, &self.row).await.transpose(),
            Some(_) => None,
        }
    }

    /// Members who have read it and share that, its author left out. Nobody for what is in a thread.
    async fn readers(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ConversationMemberConnection> {
        readers_of(ctx, self.sight, &self.row, Arguments { first, after, last, before }).await
    }

    /// When it was sent.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When its content was last changed; null for never.
    async fn edited_at(&self) -> Option<DateTime> {
        self.row.edited_at.map(DateTime)
    }

    /// When it was deleted; null while it is there.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.row.deleted_at.map(DateTime)
    }

    /// Who deleted it.
    async fn deleted_by(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        Some(user(ctx, self.row.deleted_by_id?).await)
    }

    /// Counts the changes of its content, for `expectedVersion`.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// Link that opens it in the web client.
    async fn permalink(&self, ctx: &Context<'_>) -> Url {
        Url(links::message(&ctx.app().config, self.row.id))
    }

    /// Emoji the viewer has reacted with.
    #[graphql(directive = perViewer::apply())]
    async fn viewer_reactions(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        match self.row.deleted_at {
            None => viewer_reactions(ctx, &self.row).await,
            Some(_) => Ok(Vec::new()),
        }
    }

    /// What the viewer may do with it.
    #[graphql(directive = perViewer::apply())]
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<MessagePermissions> {
        message_permissions(ctx, self).await
    }
}

connection! {
    /// A page of messages.
    MessageConnection {
        /// The log position that this page shows at least: subscribe `after` it, and prefer an event with a higher one.
        seq: i32,
    },
    /// One of the messages, and where it stands.
    MessageEdge,
    /// Where to go on from; the same in `messages`, `messagesAround`, `replies`, events and payloads, also once the
    /// message is deleted.
    cursor,
    /// The message.
    Message
}

impl MessageConnection {
    /// A page read after the sight was judged, so it shows at least what the log held then. Its messages mostly refer to one
    /// another: they are not looked up again.
    pub async fn of(ctx: &Context<'_>, sight: Sight, page: Page<messages::Message>) -> Self {
        let page = page.map(Arc::new);
        let known = page.rows.iter().map(|row| ((row.conversation_id, row.seq), row.clone()));
        ctx.scope().remember::<MessageAt>(known.collect()).await;
        Self::new(page.map(|row| MessageEdge::new(Message::new(sight, row))), sight.as_of())
    }
}

/// A page of a conversation's deleted messages; `None` to all but its moderators.
pub async fn deleted_messages(
    ctx: &Context<'_>,
    sight: Sight,
    arguments: Arguments,
) -> Result<Option<MessageConnection>> {
    match messages::deleted(ctx.scope(), &ctx.viewer()?, sight, arguments).await? {
        Some(page) => Ok(Some(MessageConnection::of(ctx, sight, page).await)),
        None => Ok(None),
    }
}

impl MessageEdge {
    fn new(node: Message) -> Self {
        Self::at(&MessageCursor::of(&node.row), node)
    }

    /// As an edge of `Conversation.messages`; `None` for a reply in a thread.
    pub fn in_timeline(message: Message) -> Option<Self> {
        message.row.thread_root_seq.is_none().then(|| Self::new(message))
    }

    /// As an edge of `Thread.replies`; `None` outside of threads.
    pub fn in_thread(message: Message) -> Option<Self> {
        message.row.thread_root_seq.is_some().then(|| Self::new(message))
    }
}
