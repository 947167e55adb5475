//! The inbox, the sidebar, and numbers for badges.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object};

use super::ConversationViewerState;
use crate::context::Ask;
use crate::conversations::Kind;
use crate::conversations::graphql::Conversation;
use crate::error::{Error, Result};
use crate::id::{GroupId, UserId};
use crate::messages::mentions::MentionsWaitingFor;
use crate::messages::threads::UnreadThreadsOf;
use crate::notifications::UnreadNotificationsOf;
use crate::page::{Arguments, Page, connection};
use crate::reads::{self, InboxCursor, State, StateOf, UnreadConversationsOf};
use crate::text::Fault;
use crate::viewer::Viewer;

/// Which conversations of the inbox.
#[derive(InputObject)]
pub struct InboxFilter {
    /// Only of these kinds.
    kinds: Option<Vec<Kind>>,
    /// Only of this group.
    group_id: Option<ID>,
    /// Only those with something unread, or only others.
    is_unread: Option<bool>,
    /// Only favourites, or only others.
    is_favorite: Option<bool>,
    /// Hidden ones instead of the shown ones.
    #[graphql(default)]
    is_hidden: bool,
    /// Archived ones instead of open ones.
    #[graphql(default)]
    is_archived: bool,
}

impl InboxFilter {
    fn read(self) -> Result<reads::InboxFilter> {
        let Self { kinds, group_id, is_unread, is_favorite, is_hidden, is_archived } = self;
        let group = group_id.map(|id| GroupId::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
        let group = group.map_err(|fault| Error::bad_input(vec![fault.of_filter("groupId")]))?;
        Ok(reads::InboxFilter { kinds, group, is_unread, is_favorite, is_hidden, is_archived })
    }
}

connection! {
    /// A page of conversations.
    ConversationConnection {},
    /// One of the conversations, and where it stands.
    ConversationEdge,
    /// Where to go on from.
    cursor,
    /// The conversation.
    Conversation
}

/// Numbers for badges.
pub struct UnreadSummary(pub UserId);

/// Numbers for badges.
#[Object]
impl UnreadSummary {
    /// Conversations with unread messages, muted ones left out.
    async fn conversation_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(ctx.load::<UnreadConversationsOf>(self.0).await?.map_or(0, |count| *count))
    }

    /// Unread messages that mention the viewer, those of muted conversations included.
    async fn mention_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(ctx.load::<MentionsWaitingFor>(self.0).await?.map_or(0, |count| *count))
    }

    /// Followed threads with unread replies.
    async fn thread_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(ctx.load::<UnreadThreadsOf>(self.0).await?.map_or(0, |count| *count))
    }

    /// Unread notifications, counted up to 1000: more than that says 1001.
    async fn notification_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(ctx.load::<UnreadNotificationsOf>(self.0).await?.map_or(0, |count| *count))
    }
}

/// A page of the viewer's inbox.
pub async fn conversations(
    ctx: &Context<'_>,
    viewer: &Viewer,
    filter: Option<InboxFilter>,
    arguments: Arguments,
) -> Result<ConversationConnection> {
    let filter = filter.map(InboxFilter::read).transpose()?.unwrap_or_default();
    let Page { rows, has_previous, has_next } = reads::inbox(ctx.app(), viewer, filter, arguments).await?;
    let rows = states(ctx, viewer, rows).await?;
    let edges = rows
        .into_iter()
        .map(|(state, shown)| Ok(ConversationEdge::at(&InboxCursor::of(&state.conversation), shown.conversation()?)));
    Ok(ConversationConnection::new(Page { rows: edges.collect::<Result<_>>()?, has_previous, has_next }))
}

/// All conversations that the viewer is in.
pub async fn sidebar(ctx: &Context<'_>, viewer: &Viewer) -> Result<Vec<ConversationViewerState>> {
    let rows = reads::sidebar(ctx.app(), viewer).await?;
    Ok(states(ctx, viewer, rows).await?.into_iter().map(|(_, shown)| shown).collect())
}

/// States of the viewer as they are shown. Each is found again below its conversation without another look.
async fn states(
    ctx: &Context<'_>,
    viewer: &Viewer,
    rows: Vec<State>,
) -> Result<Vec<(Arc<State>, ConversationViewerState)>> {
    let rows: Vec<Arc<State>> = rows.into_iter().map(Arc::new).collect();
    let found = rows.iter().map(|state| ((state.conversation.id, state.member.user_id), state.clone()));
    ctx.scope().remember::<StateOf>(found.collect()).await;
    let not_theirs = || Error::internal("a list of somebody else's conversations");
    let shown = rows.into_iter().map(|state| {
        let shown = ConversationViewerState::new(viewer, state.clone()).ok_or_else(not_theirs)?;
        Ok((state, shown))
    });
    shown.collect()
}
