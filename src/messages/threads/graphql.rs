//! Threads in the API.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use futures_util::future::try_join_all;

use super::{
    ConversationThreadCursor, FollowedThreadCursor, MarkThreadReadDraft, PARTICIPANTS, ParticipantsOf, Root,
    ThreadStateOf, ThreadUnder,
};
use crate::context::Ask;
use crate::conversations::graphql::{Conversation, conversation};
use crate::conversations::{Reference, Sight, in_sight_by_id};
use crate::directive::perViewer;
use crate::error::{Error, Result};
use crate::id::{MessageId, ThreadId};
use crate::messages::graphql::{Message, MessageAnchor, MessageConnection, message_at};
use crate::messages::{self, Timeline, threads};
use crate::page::{Arguments, Page, connection};
use crate::reads::graphql::UnreadSummary;
use crate::text::Fault;
use crate::users::graphql::{User, user};
use crate::viewer::Viewer;

#[derive(Clone)]
pub struct Thread {
    sight: Sight,
    row: Arc<threads::Thread>,
}

/// The thread under the message at this position of a conversation in sight; `None` before the first reply.
pub async fn find_thread(ctx: &Context<'_>, sight: Sight, root_seq: i32) -> Result<Option<Thread>> {
    let row = ctx.load::<ThreadUnder>((sight.id(), root_seq)).await?;
    Ok(row.map(|row| Thread { sight, row }))
}

/// The thread under a message that has one or may get one, also before the first reply.
pub async fn thread_under(ctx: &Context<'_>, sight: Sight, root_seq: i32) -> Result<Thread> {
    let found = find_thread(ctx, sight, root_seq).await?;
    let empty = || Thread { sight, row: threads::Thread::empty(sight.id(), root_seq).into() };
    Ok(found.unwrap_or_else(empty))
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

    /// Who wrote in it, last one first.
    async fn participants(&self, ctx: &Context<'_>, #[graphql(default = 5)] limit: i32) -> Result<Vec<User>> {
        if !(0..=PARTICIPANTS as i32).contains(&limit) {
            return Err(Error::bad_input(vec![Fault::out_of_range(0, PARTICIPANTS).of_argument("limit")]));
        }
        let found = ctx.load::<ParticipantsOf>((self.sight.id(), self.row.root_seq, limit.into())).await?;
        let people = found.map(Arc::unwrap_or_clone).unwrap_or_default();
        // All at once, so that everybody is looked up by one statement.
        try_join_all(people.into_iter().map(|id| user(ctx, id))).await
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
        let page = messages::page(ctx.app(), self.sight, self.timeline(), arguments).await?;
        Ok(MessageConnection::of(ctx, self.sight, page).await)
    }

    /// The replies around an anchor, up to 100 in all; the cursors go on in `replies`.
    async fn replies_around(
        &self,
        ctx: &Context<'_>,
        anchor: MessageAnchor,
        #[graphql(default = 25)] before: i32,
        #[graphql(default = 25)] after: i32,
    ) -> Result<MessageConnection> {
        let (app, viewer, anchor) = (ctx.app(), ctx.viewer()?, anchor.read()?);
        let page = messages::around(app, &viewer, self.sight, self.timeline(), anchor, before, after).await?;
        Ok(MessageConnection::of(ctx, self.sight, page).await)
    }

    /// How the viewer keeps it.
    #[graphql(directive = perViewer::apply())]
    async fn viewer_state(&self, ctx: &Context<'_>) -> Result<ThreadViewerState> {
        let key = (self.sight.id(), self.row.root_seq, ctx.viewer()?.user_id);
        let state = ctx.load::<ThreadStateOf>(key).await?.map(|state| *state).unwrap_or_default();
        let threads::ThreadState { is_following, last_read_seq, unread_count, .. } = state;
        Ok(ThreadViewerState { is_following, last_read_seq, unread_count })
    }
}

impl Thread {
    fn timeline(&self) -> Timeline {
        Timeline::Thread(self.row.root_seq)
    }
}

/// How the viewer keeps a thread; nobody else sees it.
#[derive(SimpleObject)]
pub struct ThreadViewerState {
    /// Whether the viewer is notified of replies.
    is_following: bool,
    /// How far the viewer has read in it.
    last_read_seq: i32,
    /// Unread replies of others.
    unread_count: i32,
}

connection! {
    /// A page of threads.
    ThreadConnection {},
    /// One of the threads, and where it stands.
    ThreadEdge,
    /// Where to go on from.
    cursor,
    /// The thread.
    Thread
}

/// A page of a conversation's threads.
pub async fn threads_in(ctx: &Context<'_>, sight: Sight, arguments: Arguments) -> Result<ThreadConnection> {
    let page = threads::in_conversation(ctx.app(), sight, arguments).await?;
    Ok(ThreadConnection::new(
        page.map(|row| ThreadEdge::at(&ConversationThreadCursor::of(&row), Thread { sight, row: row.into() })),
    ))
}

/// Which threads.
#[derive(InputObject)]
pub struct ThreadFilter {
    /// Only those with unread replies.
    is_unread: Option<bool>,
    /// Only in this conversation.
    conversation_id: Option<ID>,
}

impl ThreadFilter {
    fn read(self) -> Result<threads::ThreadFilter> {
        let conversation =
            self.conversation_id.map(|id| Reference::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
        let conversation = conversation.map_err(|fault| Error::bad_input(vec![fault.of_filter("conversationId")]))?;
        Ok(threads::ThreadFilter { is_unread: self.is_unread, conversation })
    }
}

/// A page of the threads that the viewer follows.
pub async fn followed_threads(
    ctx: &Context<'_>,
    viewer: &Viewer,
    filter: Option<ThreadFilter>,
    arguments: Arguments,
) -> Result<ThreadConnection> {
    let filter = filter.map(ThreadFilter::read).transpose()?.unwrap_or_default();
    let Page { rows, has_previous, has_next } = threads::followed(ctx.app(), viewer, filter, arguments).await?;
    // All at once, so that everything is looked up by one statement. Who lost sight just now is not shown it any more.
    let edges = rows.into_iter().map(async |row| {
        let sight = in_sight_by_id(ctx.scope(), viewer.user_id, row.conversation_id).await?;
        let cursor = FollowedThreadCursor::of(&row);
        Ok::<_, Error>(sight.map(|sight| ThreadEdge::at(&cursor, Thread { sight, row: row.into() })))
    });
    let rows = try_join_all(edges).await?.into_iter().flatten().collect();
    Ok(ThreadConnection::new(Page { rows, has_previous, has_next }))
}

/// Which thread to follow.
#[derive(InputObject)]
pub struct FollowThreadInput {
    /// The message that it is under.
    message_id: ID,
}

/// A followed thread.
#[derive(SimpleObject)]
pub struct FollowThreadPayload {
    /// The thread, also before its first reply.
    thread: Thread,
}

/// Which thread to follow no longer.
#[derive(InputObject)]
pub struct UnfollowThreadInput {
    /// The message that it is under.
    message_id: ID,
}

/// A thread that is no longer followed.
#[derive(SimpleObject)]
pub struct UnfollowThreadPayload {
    /// The thread, also before its first reply.
    thread: Thread,
}

/// How far the viewer has read in a thread.
#[derive(InputObject)]
pub struct MarkThreadReadInput {
    /// The message that it is under.
    message_id: ID,
    /// The position read, as in `Message.seq`; absent for everything.
    seq: Option<i32>,
}

/// A new read position.
#[derive(SimpleObject)]
pub struct MarkThreadReadPayload {
    /// The thread.
    thread: Thread,
    /// Numbers for badges.
    unread: UnreadSummary,
}

#[derive(Default)]
pub struct ThreadMutation;

#[Object]
impl ThreadMutation {
    /// Follow the thread under a message, to be notified of its replies, the first one too; writing in it or being
    /// mentioned there does the same.
    async fn follow_thread(&self, ctx: &Context<'_>, input: FollowThreadInput) -> Option<Result<FollowThreadPayload>> {
        Some(follow_thread(ctx, input).await)
    }

    /// Stop following a thread.
    async fn unfollow_thread(
        &self,
        ctx: &Context<'_>,
        input: UnfollowThreadInput,
    ) -> Option<Result<UnfollowThreadPayload>> {
        Some(unfollow_thread(ctx, input).await)
    }

    /// Move the viewer's read position in a thread forward.
    async fn mark_thread_read(
        &self,
        ctx: &Context<'_>,
        input: MarkThreadReadInput,
    ) -> Option<Result<MarkThreadReadPayload>> {
        Some(mark_thread_read(ctx, input).await)
    }
}

async fn follow_thread(ctx: &Context<'_>, input: FollowThreadInput) -> Result<FollowThreadPayload> {
    let root = root(ctx, &input.message_id).await?;
    threads::follow(ctx.app(), root).await?;
    Ok(FollowThreadPayload { thread: thread_now(ctx, root).await? })
}

async fn unfollow_thread(ctx: &Context<'_>, input: UnfollowThreadInput) -> Result<UnfollowThreadPayload> {
    let root = root(ctx, &input.message_id).await?;
    threads::unfollow(ctx.app(), root).await?;
    Ok(UnfollowThreadPayload { thread: thread_now(ctx, root).await? })
}

async fn mark_thread_read(ctx: &Context<'_>, input: MarkThreadReadInput) -> Result<MarkThreadReadPayload> {
    let viewer = ctx.viewer()?;
    let draft = MarkThreadReadDraft::from(&input.message_id, input.seq)?;
    let root = threads::root(ctx.scope(), &viewer, draft.root).await?;
    threads::mark_thread_read(ctx.app(), root, draft).await?;
    Ok(MarkThreadReadPayload { thread: thread_now(ctx, root).await?, unread: UnreadSummary(viewer.user_id) })
}

async fn root(ctx: &Context<'_>, message_id: &ID) -> Result<Root> {
    let viewer = ctx.viewer()?;
    let id = MessageId::parse(message_id);
    let id = id.ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("messageId")]))?;
    threads::root(ctx.scope(), &viewer, id).await
}

/// The thread after a change.
async fn thread_now(ctx: &Context<'_>, root: Root) -> Result<Thread> {
    ctx.scope().forget_loaded();
    thread_under(ctx, root.seat.sight(), root.seq).await
}
