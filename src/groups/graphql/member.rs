//! Members of groups.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Group, shown};
use crate::error::Result;
use crate::groups::{Member, MemberRole, Sight};
use crate::page::connection;
use crate::scalar::DateTime;
use crate::users::graphql::{User, user};

#[derive(Clone)]
pub struct GroupMember {
    sight: Sight,
    row: Arc<Member>,
}

impl GroupMember {
    pub fn new(sight: Sight, row: impl Into<Arc<Member>>) -> Self {
        Self { sight, row: row.into() }
    }
}

/// Someone's membership in a group.
#[Object]
impl GroupMember {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.row.id.into()
    }

    /// Who.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        user(ctx, self.row.user_id).await
    }

    /// Where.
    async fn group(&self, ctx: &Context<'_>) -> Result<Group> {
        shown(ctx, self.sight).await
    }

    /// Their role in it; it counts in its public channels and in those they are a member of, unless they have a higher one
    /// there.
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
}

connection! {
    /// A page of members of a group.
    GroupMemberConnection {},
    /// One of the members of a group, and where it stands.
    GroupMemberEdge,
    /// Where to go on from.
    cursor,
    /// The member.
    GroupMember
}
