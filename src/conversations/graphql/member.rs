//! Members.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Conversation, conversation};
use crate::accounts::preferences::PrivacyOf;
use crate::context::Ask;
use crate::conversations::{Member, MemberRole, Sight};
use crate::error::Result;
use crate::page::connection;
use crate::scalar::DateTime;
use crate::users::graphql::{User, user};

#[derive(Clone)]
pub struct ConversationMember {
    sight: Sight,
    row: Arc<Member>,
}

impl ConversationMember {
    pub fn new(sight: Sight, row: impl Into<Arc<Member>>) -> Self {
        Self { sight, row: row.into() }
    }
}

impl ConversationMember {
    /// Something of their position, unless they keep it to themselves.
    async fn if_shared<T>(&self, ctx: &Context<'_>, value: Option<T>) -> Result<Option<T>> {
        let privacy = ctx.load::<PrivacyOf>(self.row.user_id).await?;
        Ok(value.filter(|_| privacy.is_some_and(|privacy| privacy.shares_read_position)))
    }
}

/// Someone's membership in a conversation, as its other members see it.
#[Object]
impl ConversationMember {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.row.id.into()
    }

    /// Who.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        user(ctx, self.row.user_id).await
    }

    /// Where.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Conversation> {
        conversation(ctx, self.sight).await
    }

    /// Their role in it.
    async fn role(&self) -> MemberRole {
        self.row.role
    }

    /// Since when.
    async fn joined_at(&self) -> DateTime {
        self.row.joined_at.into()
    }

    /// Who added them; null where they joined by themselves.
    async fn added_by(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        Some(user(ctx, self.row.added_by_id?).await)
    }

    /// How far they have read; null where they do not share it.
    async fn last_read_seq(&self, ctx: &Context<'_>) -> Option<Result<i32>> {
        self.if_shared(ctx, Some(self.row.last_read_seq)).await.transpose()
    }

    /// When they read that far; null where they do not share it.
    async fn last_read_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime>> {
        self.if_shared(ctx, self.row.last_read_at.map(DateTime)).await.transpose()
    }
}

connection! {
    /// A page of members of a conversation.
    ConversationMemberConnection {},
    /// One of the members of a conversation, and where it stands.
    ConversationMemberEdge,
    /// Where to go on from.
    cursor,
    /// The member.
    ConversationMember
}
