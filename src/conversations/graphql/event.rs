//! A conversation's log in the API. Events refer to what changed; what they show is looked up when they are delivered.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, SimpleObject};
use serde::de::DeserializeOwned;

use super::member::ConversationMember;
use super::{Conversation, conversation};
use crate::context::Ask;
use crate::conversations::events::{
    CONVERSATION_ARCHIVED, CONVERSATION_UNARCHIVED, CONVERSATION_UPDATED, ConversationUpdated, MEMBER_JOINED,
    MEMBER_LEFT, MEMBER_UPDATED, MemberJoined, MemberLeft, MemberUpdated,
};
use crate::conversations::{Departure, MemberById, MemberRole, Sight};
use crate::error::{Error, Result};
use crate::id::MemberId;
use crate::log::{Batch, Event};
use crate::messages::events::{
    MESSAGE_DELETED, MESSAGE_EDITED, MESSAGE_PINNED, MESSAGE_SENT, MESSAGE_UNPINNED, REACTION_ADDED, REACTION_REMOVED,
    Reaction,
};
use crate::messages::graphql::{Message, MessageEdge, message_at};
use crate::scalar::DateTime;
use crate::users::graphql::{User, user};

/// A change of a conversation, in its log. Objects in it show their present state, not that of then: apply what is newer
/// than what you have. New kinds are added over time: of one you do not know, take `seq` and go on.
#[derive(Interface)]
#[graphql(
    field(
        name = "seq",
        ty = "i32",
        desc = "Position in the log: the next integer for every change of the conversation."
    ),
    field(name = "occurred_at", ty = "DateTime", desc = "When it happened."),
    field(name = "actor", ty = "Option<Result<User>>", desc = "Who did it; null for the server.")
)]
pub enum ConversationEvent {
    MessageSent(MessageSentEvent),
    MessageEdited(MessageEditedEvent),
    MessagesDeleted(MessagesDeletedEvent),
    ReactionAdded(ReactionAddedEvent),
    ReactionRemoved(ReactionRemovedEvent),
    MessagePinned(MessagePinnedEvent),
    MessageUnpinned(MessageUnpinnedEvent),
    MemberJoined(MemberJoinedEvent),
    MemberLeft(MemberLeftEvent),
    MemberUpdated(MemberUpdatedEvent),
    ConversationUpdated(ConversationUpdatedEvent),
    ConversationArchived(ConversationArchivedEvent),
    ConversationUnarchived(ConversationUnarchivedEvent),
}

/// A delivery of a conversation's log: its next events, in order and without a hole.
#[derive(SimpleObject)]
pub struct ConversationEventBatch {
    /// The events; none in a delivery that only says how things stand.
    events: Vec<ConversationEvent>,
    /// Position after this delivery: what to resume `after`.
    seq: i32,
    /// Whether nothing further waited when this was made. The first delivery with it ends a replay.
    is_caught_up: bool,
    /// Whether the server had to leave events out before this delivery, or could not resume from `after`: fetch the
    /// conversation anew, then go on with this stream.
    has_gap: bool,
}

impl ConversationEventBatch {
    pub fn new(sight: Sight, batch: &Batch) -> Self {
        // A stream's sight was judged long ago, and that of many in one group when the first of them came.
        let sight = sight.shows_at_least(batch.seq);
        Self {
            // A kind that a newer server wrote is left out; `seq` goes on past it.
            events: batch.events.iter().filter_map(|event| ConversationEvent::of(sight, event.clone())).collect(),
            seq: batch.seq,
            is_caught_up: batch.is_caught_up,
            has_gap: batch.has_gap,
        }
    }
}

impl ConversationEvent {
    fn of(sight: Sight, event: Arc<Event>) -> Option<Self> {
        let kind = event.kind();
        let entry = Entry { sight, event };
        Some(match kind {
            MESSAGE_SENT => Self::MessageSent(MessageSentEvent(entry)),
            MESSAGE_EDITED => Self::MessageEdited(MessageEditedEvent(entry)),
            MESSAGE_DELETED => Self::MessagesDeleted(MessagesDeletedEvent(entry)),
            REACTION_ADDED => Self::ReactionAdded(ReactionAddedEvent(entry)),
            REACTION_REMOVED => Self::ReactionRemoved(ReactionRemovedEvent(entry)),
            MESSAGE_PINNED => Self::MessagePinned(MessagePinnedEvent(entry)),
            MESSAGE_UNPINNED => Self::MessageUnpinned(MessageUnpinnedEvent(entry)),
            MEMBER_JOINED => Self::MemberJoined(MemberJoinedEvent(entry)),
            MEMBER_LEFT => Self::MemberLeft(MemberLeftEvent(entry)),
            MEMBER_UPDATED => Self::MemberUpdated(MemberUpdatedEvent(entry)),
            CONVERSATION_UPDATED => Self::ConversationUpdated(ConversationUpdatedEvent(entry)),
            CONVERSATION_ARCHIVED => Self::ConversationArchived(ConversationArchivedEvent(entry)),
            CONVERSATION_UNARCHIVED => Self::ConversationUnarchived(ConversationUnarchivedEvent(entry)),
            _ => return None,
        })
    }
}

/// An event, and the sight of the one it is delivered to.
struct Entry {
    sight: Sight,
    event: Arc<Event>,
}

impl Entry {
    /// The message that it is about.
    async fn message(&self, ctx: &Context<'_>) -> Result<Message> {
        let seq = self.event.subject_seq.ok_or_else(|| Error::internal("an event of a message without one"))?;
        message_at(ctx, self.sight, seq).await
    }

    /// The membership that it is about, if it holds.
    async fn membership<T: DeserializeOwned>(
        &self,
        ctx: &Context<'_>,
        of: impl FnOnce(T) -> MemberId,
    ) -> Result<Option<ConversationMember>> {
        let id = of(self.event.payload()?);
        let member = ctx.load::<MemberById>(id).await?;
        Ok(member.filter(|member| member.holds()).map(|member| ConversationMember::new(self.sight, member)))
    }
}

/// Declares a kind of event with what all of them have.
macro_rules! event {
    ($(#[$doc:meta])* $name:ident { $($field:tt)* }) => {
        pub struct $name(Entry);

        $(#[$doc])*
        #[Object]
        impl $name {
            /// Position in the log: the next integer for every change of the conversation.
            pub async fn seq(&self) -> i32 {
                self.0.event.seq
            }

            /// When it happened.
            pub async fn occurred_at(&self) -> DateTime {
                self.0.event.occurred_at.into()
            }

            /// Who did it; null for the server.
            pub async fn actor(&self, ctx: &Context<'_>) -> Option<Result<User>> {
                Some(user(ctx, self.0.event.actor_id?).await)
            }

            $($field)*
        }
    };
}

event! {
    /// A message was sent, in a thread if `message.threadRoot` says so.
    MessageSentEvent {
        /// The message.
        async fn message(&self, ctx: &Context<'_>) -> Result<Message> {
            self.0.message(ctx).await
        }

        /// The message as an edge of `Conversation.messages`; null for a reply in a thread.
        async fn timeline_edge(&self, ctx: &Context<'_>) -> Option<Result<MessageEdge>> {
            self.0.message(ctx).await.map(MessageEdge::in_timeline).transpose()
        }

        /// The message as an edge of `Thread.replies`; null outside of threads.
        async fn thread_edge(&self, ctx: &Context<'_>) -> Option<Result<MessageEdge>> {
            self.0.message(ctx).await.map(MessageEdge::in_thread).transpose()
        }
    }
}

event! {
    /// A message's content was changed.
    MessageEditedEvent {
        /// The message.
        async fn message(&self, ctx: &Context<'_>) -> Result<Message> {
            self.0.message(ctx).await
        }
    }
}

event! {
    /// Messages were deleted.
    MessagesDeletedEvent {
        /// What stays of them: they keep their places, hide them.
        async fn messages(&self, ctx: &Context<'_>) -> Result<Vec<Message>> {
            Ok(vec![self.0.message(ctx).await?])
        }
    }
}

event! {
    /// The actor reacted to a message.
    ReactionAddedEvent {
        /// The message, with its present reactions.
        async fn message(&self, ctx: &Context<'_>) -> Result<Message> {
            self.0.message(ctx).await
        }

        /// With what.
        async fn emoji(&self) -> Result<String> {
            Ok(self.0.event.payload::<Reaction>()?.emoji)
        }
    }
}

event! {
    /// A reaction was taken back.
    ReactionRemovedEvent {
        /// The message, with its present reactions.
        async fn message(&self, ctx: &Context<'_>) -> Result<Message> {
            self.0.message(ctx).await
        }

        /// With what.
        async fn emoji(&self) -> Result<String> {
            Ok(self.0.event.payload::<Reaction>()?.emoji)
        }

        /// Whose it was: the actor's, unless a moderator took it away.
        async fn user(&self, ctx: &Context<'_>) -> Result<User> {
            user(ctx, self.0.event.payload::<Reaction>()?.user_id).await
        }
    }
}

event! {
    /// A message was pinned.
    MessagePinnedEvent {
        /// The message.
        async fn message(&self, ctx: &Context<'_>) -> Result<Message> {
            self.0.message(ctx).await
        }
    }
}

event! {
    /// A message was unpinned.
    MessageUnpinnedEvent {
        /// The message.
        async fn message(&self, ctx: &Context<'_>) -> Result<Message> {
            self.0.message(ctx).await
        }
    }
}

event! {
    /// Someone became a member.
    MemberJoinedEvent {
        /// The membership; null once it has ended again.
        async fn member(&self, ctx: &Context<'_>) -> Option<Result<ConversationMember>> {
            self.0.membership(ctx, |joined: MemberJoined| joined.member_id).await.transpose()
        }

        /// Who.
        async fn user(&self, ctx: &Context<'_>) -> Result<User> {
            user(ctx, self.0.event.payload::<MemberJoined>()?.user_id).await
        }
    }
}

event! {
    /// Someone is no longer a member. To the one concerned it is the last event of the stream.
    MemberLeftEvent {
        /// The membership that ended.
        async fn member_id(&self) -> Result<ID> {
            Ok(self.0.event.payload::<MemberLeft>()?.member_id.into())
        }

        /// Who.
        async fn user(&self, ctx: &Context<'_>) -> Result<User> {
            user(ctx, self.0.event.payload::<MemberLeft>()?.user_id).await
        }

        /// How.
        async fn reason(&self) -> Result<Departure> {
            Ok(self.0.event.payload::<MemberLeft>()?.reason)
        }
    }
}

event! {
    /// A member's role changed.
    MemberUpdatedEvent {
        /// The membership; null once it has ended.
        async fn member(&self, ctx: &Context<'_>) -> Option<Result<ConversationMember>> {
            self.0.membership(ctx, |updated: MemberUpdated| updated.member_id).await.transpose()
        }

        /// Who.
        async fn user(&self, ctx: &Context<'_>) -> Result<User> {
            user(ctx, self.0.event.payload::<MemberUpdated>()?.user_id).await
        }

        /// The role before.
        async fn previous_role(&self) -> Result<MemberRole> {
            Ok(self.0.event.payload::<MemberUpdated>()?.previous_role)
        }

        /// The role after.
        async fn role(&self) -> Result<MemberRole> {
            Ok(self.0.event.payload::<MemberUpdated>()?.role)
        }
    }
}

event! {
    /// The conversation's settings changed: name, topic, visibility, rules.
    ConversationUpdatedEvent {
        /// The conversation.
        async fn conversation(&self, ctx: &Context<'_>) -> Result<Conversation> {
            conversation(ctx, self.0.sight).await
        }

        /// Names of the fields that changed.
        async fn changed_fields(&self) -> Result<Vec<String>> {
            Ok(self.0.event.payload::<ConversationUpdated>()?.changed_fields)
        }
    }
}

event! {
    /// The conversation was archived.
    ConversationArchivedEvent {
        /// The conversation.
        async fn conversation(&self, ctx: &Context<'_>) -> Result<Conversation> {
            conversation(ctx, self.0.sight).await
        }
    }
}

event! {
    /// The conversation was opened again.
    ConversationUnarchivedEvent {
        /// The conversation.
        async fn conversation(&self, ctx: &Context<'_>) -> Result<Conversation> {
            conversation(ctx, self.0.sight).await
        }
    }
}
