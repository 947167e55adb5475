//! What passes in a conversation, in the API.

use async_graphql::{Context, ID, Interface, Object, SimpleObject};
use futures_util::future::try_join_all;

use crate::context::Scope;
use crate::conversations::MemberById;
use crate::conversations::graphql::ConversationMember;
use crate::error::{Fallible, Result};
use crate::id::MessageId;
use crate::presence::Heard;
use crate::realtime::{Passing, Signal};
use crate::scalar::DateTime;
use crate::users::graphql::{User, user};

/// Something that passes in a conversation and is kept nowhere.
#[derive(Interface)]
#[graphql(
    field(name = "user", ty = "Fallible<User>", desc = "Who."),
    field(name = "occurred_at", ty = "DateTime", desc = "When.")
)]
pub enum ConversationSignal {
    Typing(TypingSignal),
    Read(ReadSignal),
}

/// A delivery of signals.
#[derive(SimpleObject)]
pub struct ConversationSignalBatch {
    /// The signals; none in the first delivery.
    signals: Vec<ConversationSignal>,
}

impl ConversationSignalBatch {
    /// Of what was heard in a conversation. Who has left it since, even to come back to another seat, is passed over.
    pub async fn new(scope: &Scope, heard: &Heard) -> Result<Self> {
        let signals = heard.signals.iter().map(async |signal| -> Result<Option<ConversationSignal>> {
            let signal = signal.clone();
            Ok(match signal.passing {
                Passing::Typing { thread_root, until } => {
                    Some(TypingSignal { signal, thread_root, until: until.map(DateTime) }.into())
                }
                Passing::Reading { member_id } => {
                    let member = scope.load::<MemberById>(member_id).await?.filter(|member| member.holds());
                    member.map(|member| {
                        ReadSignal { signal, member: ConversationMember::new(heard.sight, member) }.into()
                    })
                }
            })
        });
        Ok(Self { signals: try_join_all(signals).await?.into_iter().flatten().collect() })
    }
}

pub struct TypingSignal {
    signal: Signal,
    thread_root: Option<MessageId>,
    until: Option<DateTime>,
}

/// Someone is typing, or no longer.
#[Object]
impl TypingSignal {
    /// Who.
    pub async fn user(&self, ctx: &Context<'_>) -> Fallible<User> {
        user(ctx, self.signal.user_id).await
    }

    /// When.
    pub async fn occurred_at(&self) -> DateTime {
        self.signal.at.into()
    }

    /// The message whose thread they type in; null outside of threads.
    async fn thread_root_id(&self) -> Option<ID> {
        self.thread_root.map(Into::into)
    }

    /// When it fades unless repeated; null when they are done.
    async fn expires_at(&self) -> Option<DateTime> {
        self.until
    }
}

pub struct ReadSignal {
    signal: Signal,
    member: ConversationMember,
}

/// Someone has read further, and shares it.
#[Object]
impl ReadSignal {
    /// Who.
    pub async fn user(&self, ctx: &Context<'_>) -> Fallible<User> {
        user(ctx, self.signal.user_id).await
    }

    /// When.
    pub async fn occurred_at(&self) -> DateTime {
        self.signal.at.into()
    }

    /// Their membership, with the new `lastReadSeq`.
    async fn member(&self) -> ConversationMember {
        self.member.clone()
    }
}
