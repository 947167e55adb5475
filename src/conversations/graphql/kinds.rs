//! Channels and direct conversations. What both have is written once.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use futures_util::future::try_join_all;

use super::category::{ChannelCategory, category_of};
use super::conversation;
use super::event::ConversationEventBatch;
use super::inputs::MemberFilter;
use super::member::{ConversationMember, ConversationMemberConnection, ConversationMemberEdge};
use super::permissions::{ConversationPermissions, viewer_permissions};
use crate::context::Ask;
use crate::conversations::{
    self, Conversation, DirectOfTwo, Kind, Member, MemberCursor, MemberRole, ParticipantsOf, Sight, Visibility,
    in_sight_by_id,
};
use crate::directive::perViewer;
use crate::error::{Error, Fallible, Result};
use crate::groups::graphql::{Group, group_of};
use crate::id::UserId;
use crate::log;
use crate::messages::graphql::{Message, MessageAnchor, MessageConnection, deleted_messages, message_at};
use crate::messages::pins::graphql::{PinConnection, pins_in};
use crate::messages::threads::graphql::{ThreadConnection, threads_in};
use crate::messages::{self, Timeline};
use crate::page::{Arguments, MOST};
use crate::reads::graphql::{ConversationViewerState, viewer_state};
use crate::scalar::DateTime;
use crate::text::Fault;
use crate::users::graphql::{User, user};

#[derive(Clone)]
pub struct Channel {
    sight: Sight,
    row: Arc<Conversation>,
    settings: Arc<conversations::Channel>,
}

#[derive(Clone)]
pub struct DirectConversation {
    sight: Sight,
    row: Arc<Conversation>,
}

impl Channel {
    pub fn new(sight: Sight, row: Arc<Conversation>) -> Result<Self> {
        let settings = row.channel.clone().ok_or_else(|| Error::internal("a channel without settings"))?;
        Ok(Self { sight, row, settings: Arc::new(settings) })
    }
}

impl DirectConversation {
    pub fn new(sight: Sight, row: Arc<Conversation>) -> Self {
        Self { sight, row }
    }

    async fn members_as_listed(&self, ctx: &Context<'_>) -> Result<Vec<Arc<Member>>> {
        let found = ctx.load::<ParticipantsOf>(self.sight.id()).await?;
        Ok(found.map(|members| members.to_vec()).unwrap_or_default())
    }
}

/// The direct conversation of the viewer and somebody alone, if there is one.
pub async fn direct_of_two(ctx: &Context<'_>, other: UserId) -> Result<Option<DirectConversation>> {
    let viewer = ctx.viewer()?;
    let Some(id) = ctx.load::<DirectOfTwo>((viewer.user_id, other)).await? else { return Ok(None) };
    let Some(sight) = in_sight_by_id(ctx.scope(), viewer.user_id, *id).await? else { return Ok(None) };
    conversation(ctx, sight).await.map(super::Conversation::direct)
}

/// Declares a kind of conversation, with what all of them have.
macro_rules! kind {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[Object]
        impl $name {
            /// Globally unique and opaque.
            pub async fn id(&self) -> ID {
                self.sight.reference().into()
            }

            $($own)*

            /// Position of the latest event in its log; subscribe with `after` this to miss nothing.
            pub async fn seq(&self) -> i32 {
                self.row.last_seq
            }

            /// Counts the changes of its settings, for `expectedVersion`.
            pub async fn version(&self) -> i32 {
                self.row.version
            }

            /// Who created it.
            pub async fn created_by(&self, ctx: &Context<'_>) -> Option<Result<User>> {
                Some(user(ctx, self.row.created_by_id?).await)
            }

            /// When it was created.
            pub async fn created_at(&self) -> DateTime {
                self.row.created_at.into()
            }

            /// When its settings were last changed.
            pub async fn updated_at(&self) -> DateTime {
                self.row.updated_at.into()
            }

            /// When it was archived; null while open.
            pub async fn archived_at(&self) -> Option<DateTime> {
                self.row.archived_at.map(DateTime)
            }

            /// The newest message outside of threads, deleted ones left out; null for none.
            pub async fn last_message(&self, ctx: &Context<'_>) -> Option<Result<Message>> {
                Some(message_at(ctx, self.sight, self.row.last_message_seq?).await)
            }

            /// When something was last written.
            pub async fn last_activity_at(&self) -> DateTime {
                self.row.last_activity_at.into()
            }

            /// How many members it has.
            pub async fn member_count(&self) -> i32 {
                self.row.member_count
            }

            /// Its members: by role, then by when they joined.
            pub async fn members(
                &self,
                ctx: &Context<'_>,
                filter: Option<MemberFilter>,
                first: Option<i32>,
                after: Option<String>,
                last: Option<i32>,
                before: Option<String>,
            ) -> Fallible<ConversationMemberConnection> {
                let arguments = Arguments { first, after, last, before };
                let filter = match filter {
                    Some(filter) => filter.read(ctx).await?,
                    None => conversations::MemberFilter::default(),
                };
                let page = conversations::members(ctx.app(), self.sight, filter, arguments).await?;
                Ok(ConversationMemberConnection::new(page.map(|member| {
                    ConversationMemberEdge::at(&MemberCursor::of(&member), ConversationMember::new(self.sight, member))
                })))
            }

            /// Its messages outside of threads, oldest first: `last: 50` gives the newest, `before` scrolls up. Deleted ones keep
            /// their places.
            pub async fn messages(
                &self,
                ctx: &Context<'_>,
                first: Option<i32>,
                after: Option<String>,
                last: Option<i32>,
                before: Option<String>,
            ) -> Fallible<MessageConnection> {
                let arguments = Arguments { first, after, last, before };
                let page = messages::page(ctx.app(), self.sight, Timeline::Conversation, arguments).await?;
                Ok(MessageConnection::of(ctx, self.sight, page).await)
            }

            /// Its messages around an anchor, up to 100 in all; the cursors go on in `messages`.
            pub async fn messages_around(
                &self,
                ctx: &Context<'_>,
                anchor: MessageAnchor,
                #[graphql(default = 25)] before: i32,
                #[graphql(default = 25)] after: i32,
            ) -> Fallible<MessageConnection> {
                let (app, viewer, anchor) = (ctx.app(), ctx.viewer()?, anchor.read()?);
                let page = messages::around(app, &viewer, self.sight, Timeline::Conversation, anchor, before, after).await?;
                Ok(MessageConnection::of(ctx, self.sight, page).await)
            }

            /// Its deleted messages outside of threads, oldest first and without content: who wrote and who deleted them.
            /// Null to all but its moderators.
            #[graphql(directive = perViewer::apply())]
            pub async fn deleted_messages(
                &self,
                ctx: &Context<'_>,
                first: Option<i32>,
                after: Option<String>,
                last: Option<i32>,
                before: Option<String>,
            ) -> Option<Result<MessageConnection>> {
                deleted_messages(ctx, self.sight, Arguments { first, after, last, before }).await.transpose()
            }

            /// Its threads, latest reply first.
            pub async fn threads(
                &self,
                ctx: &Context<'_>,
                first: Option<i32>,
                after: Option<String>,
                last: Option<i32>,
                before: Option<String>,
            ) -> Fallible<ThreadConnection> {
                threads_in(ctx, self.sight, Arguments { first, after, last, before }).await
            }

            /// Its pinned messages, last pinned first.
            pub async fn pins(
                &self,
                ctx: &Context<'_>,
                first: Option<i32>,
                after: Option<String>,
                last: Option<i32>,
                before: Option<String>,
            ) -> Fallible<PinConnection> {
                pins_in(ctx, self.sight, Arguments { first, after, last, before }).await
            }

            /// Up to `first` events of its log after a position, to catch up over HTTP.
            pub async fn events(
                &self,
                ctx: &Context<'_>,
                after: i32,
                #[graphql(default = 100)] first: i32,
            ) -> Fallible<ConversationEventBatch> {
                if !(0..=MOST as i32).contains(&first) {
                    return Err(Error::bad_input(vec![Fault::out_of_range(0, MOST).of_argument("first")]));
                }
                let batch = log::read(&ctx.app().db, self.sight.id(), after, first.into()).await?;
                Ok(ConversationEventBatch::new(self.sight, &batch))
            }

            /// How the viewer keeps it; null while not a member.
            #[graphql(directive = perViewer::apply())]
            pub async fn viewer_state(&self, ctx: &Context<'_>) -> Option<Result<ConversationViewerState>> {
                viewer_state(ctx, self.sight).await.transpose()
            }

            /// What the viewer may do in it.
            #[graphql(directive = perViewer::apply())]
            pub async fn viewer_permissions(&self, ctx: &Context<'_>) -> Fallible<ConversationPermissions> {
                viewer_permissions(ctx, self.sight).await
            }
        }
    };
}

kind! {
    /// A named room, of the server or of a group.
    Channel {
        /// Always CHANNEL.
        pub async fn kind(&self) -> Kind {
            self.row.kind
        }

        /// What to show as its name: the channel's name, or the other people of a direct conversation.
        pub async fn title(&self) -> Fallible<String> {
            Ok(self.settings.name.clone())
        }

        /// Its name, as in Release planning.
        async fn name(&self) -> &str {
            &self.settings.name
        }

        /// Its address among the public channels of its group or of the server, as in release-planning; null while private.
        async fn slug(&self) -> Option<&str> {
            self.settings.slug.as_deref()
        }

        /// What it is about.
        async fn topic(&self) -> Option<&str> {
            self.settings.topic.as_deref()
        }

        /// Who can see and join it.
        async fn visibility(&self) -> Visibility {
            self.settings.visibility
        }

        /// The least role that may write in it: ADMIN makes it one for announcements.
        async fn posting_role(&self) -> MemberRole {
            self.settings.posting_role
        }

        /// The group it belongs to; null for a channel of the server.
        async fn group(&self, ctx: &Context<'_>) -> Option<Result<Group>> {
            Some(group_of(ctx, self.settings.group_id?).await)
        }

        /// The category it is shown under; null for none.
        async fn category(&self, ctx: &Context<'_>) -> Option<Result<ChannelCategory>> {
            category_of(ctx, self.settings.category_id?).await.transpose()
        }

        /// Its place in the category, from 0.
        async fn position(&self) -> i32 {
            self.settings.position
        }
    }
}

kind! {
    /// A conversation between two or more people, seen by nobody else. All are MEMBER; nobody owns it, and nobody removes
    /// another.
    DirectConversation {
        /// Always DIRECT.
        pub async fn kind(&self) -> Kind {
            self.row.kind
        }

        /// What to show as its name: the channel's name, or the other people of a direct conversation.
        #[graphql(directive = perViewer::apply())]
        pub async fn title(&self, ctx: &Context<'_>) -> Fallible<String> {
            if let Some(name) = &self.row.name {
                return ctx.scope().write(name.clone());
            }
            let viewer = ctx.viewer()?;
            let members = self.members_as_listed(ctx).await?;
            // Who notes something for themselves is the only one to be named.
            let is_alone = members.len() == 1;
            let named = members.iter().filter(|member| is_alone || member.user_id != viewer.user_id);
            let users = try_join_all(named.map(|member| user(ctx, member.user_id))).await?;
            let names: Vec<_> = users.iter().map(|user| user.0.display_name.as_str()).collect();
            ctx.scope().write(names.join(", "))
        }

        /// The name its people gave it; null for none, and always between two.
        async fn name(&self) -> Option<&str> {
            self.row.name.as_deref()
        }

        /// Everyone in it, the viewer included, at most `ServerLimits.directConversationSize`.
        async fn participants(&self, ctx: &Context<'_>) -> Result<Vec<ConversationMember>> {
            let members = self.members_as_listed(ctx).await?;
            Ok(members.into_iter().map(|member| ConversationMember::new(self.sight, member)).collect())
        }
    }
}
