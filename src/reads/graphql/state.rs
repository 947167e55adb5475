//! How the viewer keeps one conversation.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::accounts::preferences::NotificationLevel;
use crate::context::Ask;
use crate::conversations::graphql::{Conversation, ConversationMember};
use crate::conversations::{MemberById, Sight};
use crate::error::Result;
use crate::id::{InboxId, MemberId};
use crate::messages::graphql::{Message, message_at};
use crate::messages::mentions::UnreadMentionsOf;
use crate::reads::{FirstUnreadOf, State, StateOf};
use crate::scalar::DateTime;
use crate::viewer::Viewer;

#[derive(Clone)]
pub struct ConversationViewerState {
    sight: Sight,
    state: Arc<State>,
}

impl ConversationViewerState {
    /// `None` for a state of somebody else.
    pub fn new(viewer: &Viewer, state: Arc<State>) -> Option<Self> {
        let sight = Sight::of_member(viewer.user_id, &state.conversation, &state.member)?;
        Some(Self { sight, state })
    }

    /// The conversation, as it was read together with the state.
    pub fn conversation(&self) -> Result<Conversation> {
        Conversation::new(self.sight, self.state.conversation.clone())
    }
}

/// How the viewer keeps a conversation; `None` while they are no member.
pub async fn viewer_state(ctx: &Context<'_>, sight: Sight) -> Result<Option<ConversationViewerState>> {
    let viewer = ctx.viewer()?;
    let state = ctx.load::<StateOf>((sight.id(), viewer.user_id)).await?;
    Ok(state.and_then(|state| ConversationViewerState::new(&viewer, state)))
}

/// The state of this id, if it is the viewer's.
pub async fn find(ctx: &Context<'_>, id: InboxId) -> Result<Option<ConversationViewerState>> {
    let viewer = ctx.viewer()?;
    let seat = ctx.load::<MemberById>(MemberId(id.0)).await?.filter(|seat| seat.user_id == viewer.user_id);
    let Some(seat) = seat else { return Ok(None) };
    let state = ctx.load::<StateOf>((seat.conversation_id, viewer.user_id)).await?;
    let state = state.filter(|state| state.member.id == seat.id);
    Ok(state.and_then(|state| ConversationViewerState::new(&viewer, state)))
}

/// How the viewer keeps a conversation; nobody else sees it.
#[Object]
impl ConversationViewerState {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        InboxId(self.state.member.id.0).into()
    }

    /// The conversation.
    #[graphql(name = "conversation")]
    async fn conversation_field(&self) -> Result<Conversation> {
        self.conversation()
    }

    /// The viewer's membership.
    async fn member(&self) -> ConversationMember {
        ConversationMember::new(self.sight, self.state.member.clone())
    }

    /// How far the viewer has read.
    async fn last_read_seq(&self) -> i32 {
        self.state.member.last_read_seq
    }

    /// The oldest unread message that is not deleted; null for none.
    async fn first_unread_message(&self, ctx: &Context<'_>) -> Option<Result<Message>> {
        self.first_unread(ctx).await.transpose()
    }

    /// Messages of others outside of threads after the read position, deleted and SYSTEM ones left out. Writing outside of
    /// a thread reads up to that message; joining, again too, reads all.
    async fn unread_count(&self) -> i32 {
        self.state.unread_count
    }

    /// Unread messages that mention the viewer, everyone or here, one's own and deleted ones left out, threads included:
    /// one in a thread is read by the thread's position.
    async fn mention_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let found = ctx.load::<UnreadMentionsOf>((self.sight.id(), self.state.member.user_id)).await?;
        Ok(found.map_or(0, |count| *count))
    }

    /// For what the viewer is notified; null for as the preferences say.
    async fn notification_level(&self) -> Option<NotificationLevel> {
        self.state.member.notification_level
    }

    /// Until when it is muted; null for not muted.
    async fn muted_until(&self, ctx: &Context<'_>) -> Option<DateTime> {
        let now = ctx.app().clock.now();
        self.state.member.muted_until.filter(|until| *until > now).map(DateTime)
    }

    /// Whether it is among the viewer's favourites.
    async fn is_favorite(&self) -> bool {
        self.state.member.is_favorite
    }

    /// Whether it is hidden from the inbox, until something new is written.
    async fn is_hidden(&self) -> bool {
        self.state.member.is_hidden(self.state.conversation.last_msg_no)
    }
}

impl ConversationViewerState {
    async fn first_unread(&self, ctx: &Context<'_>) -> Result<Option<Message>> {
        // Nothing is looked for where nothing is unread.
        if self.state.unread_count == 0 {
            return Ok(None);
        }
        let found = ctx.load::<FirstUnreadOf>((self.sight.id(), self.state.member.user_id)).await?;
        match found {
            Some(seq) => message_at(ctx, self.sight, *seq).await.map(Some),
            None => Ok(None),
        }
    }
}
