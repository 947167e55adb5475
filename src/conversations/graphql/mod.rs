//! Conversations in the API.

mod category;
mod event;
mod inputs;
mod kinds;
mod member;
mod mutation;
mod permissions;
mod query;

use std::sync::Arc;

use async_graphql::{Context, ID, Interface};

pub use category::{CategoryMutation, CategoryQuery, ChannelCategory, categories_of, find_category};
pub use event::ConversationEventBatch;
pub use inputs::{ChannelFilter, ChannelOrder, MemberFilter};
pub use kinds::{Channel, DirectConversation, direct_of_two};
pub use member::{ConversationMember, ConversationMemberConnection, ConversationMemberEdge};
pub use mutation::{ConversationMutation, RejectedMember};
pub use query::{ChannelConnection, ConversationQuery, ConversationSubscription, channels_as};

use super::{ConversationById, Kind, Reference, Sight};
use crate::context::Ask;
use crate::directive::perViewer;
use crate::error::{Error, Fallible, Result};
use crate::messages::graphql::{Message, MessageAnchor, MessageConnection};
use crate::messages::pins::graphql::PinConnection;
use crate::messages::threads::graphql::ThreadConnection;
use crate::reads::graphql::ConversationViewerState;
use crate::scalar::DateTime;
use crate::users::graphql::User;
use permissions::ConversationPermissions;

/// A place where messages are written: a channel, of the server or of a group, or a direct conversation. All of
/// messaging is written once, against this interface.
#[derive(Interface, Clone)]
#[graphql(
    field(name = "id", ty = "ID", desc = "Globally unique and opaque."),
    field(name = "kind", ty = "Kind", desc = "Which kind of place it is."),
    field(
        name = "title",
        ty = "Fallible<String>",
        desc = "What to show as its name: the channel's name, or the other people of a direct conversation.",
        directive = perViewer::apply()
    ),
    field(
        name = "seq",
        ty = "i32",
        desc = "Position of the latest event in its log; subscribe with `after` this to miss nothing."
    ),
    field(name = "version", ty = "i32", desc = "Counts the changes of its settings, for `expectedVersion`."),
    field(name = "created_by", ty = "Option<Result<User>>", desc = "Who created it."),
    field(name = "created_at", ty = "DateTime", desc = "When it was created."),
    field(name = "updated_at", ty = "DateTime", desc = "When its settings were last changed."),
    field(name = "archived_at", ty = "Option<DateTime>", desc = "When it was archived; null while open."),
    field(
        name = "last_message",
        ty = "Option<Result<Message>>",
        desc = "The newest message outside of threads, deleted ones left out; null for none."
    ),
    field(name = "last_activity_at", ty = "DateTime", desc = "When something was last written."),
    field(name = "member_count", ty = "i32", desc = "How many members it has."),
    field(
        name = "members",
        ty = "Fallible<ConversationMemberConnection>",
        desc = "Its members: by role, then by when they joined.",
        arg(name = "filter", ty = "Option<MemberFilter>"),
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>"),
        arg(name = "last", ty = "Option<i32>"),
        arg(name = "before", ty = "Option<String>")
    ),
    field(
        name = "messages",
        ty = "Fallible<MessageConnection>",
        desc = "Its messages outside of threads, oldest first: `last: 50` gives the newest, `before` scrolls up. Deleted ones keep their places.",
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>"),
        arg(name = "last", ty = "Option<i32>"),
        arg(name = "before", ty = "Option<String>")
    ),
    field(
        name = "messages_around",
        ty = "Fallible<MessageConnection>",
        desc = "Its messages around an anchor, up to 100 in all; the cursors go on in `messages`.",
        arg(name = "anchor", ty = "MessageAnchor"),
        arg(name = "before", ty = "i32", default = 25),
        arg(name = "after", ty = "i32", default = 25)
    ),
    field(
        name = "deleted_messages",
        ty = "Option<Result<MessageConnection>>",
        desc = "Its deleted messages outside of threads, oldest first and without content: who wrote and who deleted them. Null to all but its moderators.",
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>"),
        arg(name = "last", ty = "Option<i32>"),
        arg(name = "before", ty = "Option<String>"),
        directive = perViewer::apply()
    ),
    field(
        name = "threads",
        ty = "Fallible<ThreadConnection>",
        desc = "Its threads, latest reply first.",
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>"),
        arg(name = "last", ty = "Option<i32>"),
        arg(name = "before", ty = "Option<String>")
    ),
    field(
        name = "pins",
        ty = "Fallible<PinConnection>",
        desc = "Its pinned messages, last pinned first.",
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>"),
        arg(name = "last", ty = "Option<i32>"),
        arg(name = "before", ty = "Option<String>")
    ),
    field(
        name = "events",
        ty = "Fallible<ConversationEventBatch>",
        desc = "Up to `first` events of its log after a position, to catch up over HTTP.",
        arg(name = "after", ty = "i32"),
        arg(name = "first", ty = "i32", default = 100)
    ),
    field(
        name = "viewer_state",
        ty = "Option<Result<ConversationViewerState>>",
        desc = "How the viewer keeps it; null while not a member.",
        directive = perViewer::apply()
    ),
    field(
        name = "viewer_permissions",
        ty = "Fallible<ConversationPermissions>",
        desc = "What the viewer may do in it.",
        directive = perViewer::apply()
    )
)]
pub enum Conversation {
    Channel(Channel),
    Direct(DirectConversation),
}

impl Conversation {
    /// A conversation that the viewer sees.
    pub fn new(sight: Sight, row: Arc<super::Conversation>) -> Result<Self> {
        match row.kind {
            Kind::Channel => Ok(Self::Channel(Channel::new(sight, row)?)),
            Kind::Direct => Ok(Self::Direct(DirectConversation::new(sight, row))),
        }
    }

    fn channel(self) -> Option<Channel> {
        match self {
            Self::Channel(channel) => Some(channel),
            Self::Direct(_) => None,
        }
    }

    fn direct(self) -> Option<DirectConversation> {
        match self {
            Self::Direct(direct) => Some(direct),
            Self::Channel(_) => None,
        }
    }
}

/// The conversation of a sight.
pub async fn conversation(ctx: &Context<'_>, sight: Sight) -> Result<Conversation> {
    let row = ctx.load::<ConversationById>(sight.id()).await?;
    Conversation::new(sight, row.ok_or_else(|| Error::internal("a conversation in sight is missing"))?)
}

/// The conversation with this name, if the viewer sees it.
pub async fn find(ctx: &Context<'_>, reference: Reference) -> Result<Option<Conversation>> {
    match super::in_sight(ctx.scope(), &ctx.viewer()?, reference).await? {
        Some(sight) => conversation(ctx, sight).await.map(Some),
        None => Ok(None),
    }
}

/// A conversation's id from outside.
fn reference(argument: &'static str, id: &ID) -> Result<Reference> {
    Reference::parse(id).ok_or_else(|| Error::not_an_id(argument))
}
