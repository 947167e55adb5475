//! Users in the API.

mod directory;
mod mutation;
mod permissions;

use std::sync::Arc;

use async_graphql::{Context, ID, Object, OneofObject};

pub use directory::{UserConnection, blocked_users};
use directory::{UserFilter, UserOrder};
pub use mutation::UserMutation;
pub use permissions::{ServerPermissions, server_permissions};

use super::{HasBlocked, ServerRole, UserById};
use crate::context::Ask;
use crate::conversations::graphql::{DirectConversation, direct_of_two};
use crate::directive::perViewer;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::page::Arguments;
use crate::presence::graphql::{Presence, presence};
use crate::scalar::DateTime;

#[derive(Clone)]
pub struct User(pub Arc<super::User>);

/// A person, as anyone on the server may see them. What is private to them is under `Viewer`.
#[Object]
impl User {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Unique handle, without the @; that of an unclaimed account ends in ~ and where it was imported from.
    async fn username(&self) -> &str {
        &self.0.username
    }

    /// Name to show.
    async fn display_name(&self) -> &str {
        &self.0.display_name
    }

    /// A few words about themselves.
    async fn bio(&self) -> Option<&str> {
        self.0.bio.as_deref()
    }

    /// Role on the server.
    async fn role(&self) -> ServerRole {
        self.0.role
    }

    /// Whether they are here, and their custom status; OFFLINE without `lastSeenAt` to those who share nothing with them or
    /// stand in a block.
    #[graphql(directive = perViewer::apply())]
    async fn presence(&self, ctx: &Context<'_>) -> Result<Presence> {
        presence(ctx, self.0.id).await
    }

    /// Whether the account is gone; name and handle are placeholders then.
    async fn is_deleted(&self) -> bool {
        self.0.deleted_at.is_some()
    }

    /// Whether somebody can sign in to it; false for authors of imported messages.
    async fn is_claimed(&self) -> bool {
        self.0.is_claimed
    }

    /// When they joined.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the profile was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// Counts the changes of the profile, for `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The direct conversation of this user and the viewer alone, if there is one.
    #[graphql(directive = perViewer::apply())]
    async fn direct_conversation(&self, ctx: &Context<'_>) -> Option<Result<DirectConversation>> {
        direct_of_two(ctx, self.0.id).await.transpose()
    }

    /// Whether the viewer has blocked them: clients fold their messages.
    #[graphql(directive = perViewer::apply())]
    async fn viewer_has_blocked(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = ctx.viewer()?;
        Ok(ctx.load::<HasBlocked>((viewer.user_id, self.0.id)).await?.is_some())
    }
}

/// Names one user.
#[derive(OneofObject)]
pub enum UserLocator {
    /// By id.
    Id(ID),
    /// By handle, without the @.
    Username(String),
}

/// The user with this id, who must exist: something refers to them.
pub async fn user(ctx: &Context<'_>, id: UserId) -> Result<User> {
    find(ctx, id).await?.ok_or_else(|| Error::internal(format!("{id} is referred to and missing")))
}

/// The user with this id, if there is one.
pub async fn find(ctx: &Context<'_>, id: UserId) -> Result<Option<User>> {
    Ok(ctx.load::<UserById>(id).await?.map(User))
}

#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// One user.
    async fn user(&self, ctx: &Context<'_>, by: UserLocator) -> Option<Result<User>> {
        find_by(ctx, by).await.transpose()
    }

    /// The user directory, by display name unless ordered otherwise; deleted and unclaimed accounts are left out.
    #[expect(clippy::too_many_arguments, reason = "the four of a page, and what they are a page of")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        filter: Option<UserFilter>,
        order_by: Option<UserOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Option<Result<UserConnection>> {
        Some(directory::users(ctx, filter, order_by, Arguments { first, after, last, before }).await)
    }
}

async fn find_by(ctx: &Context<'_>, by: UserLocator) -> Result<Option<User>> {
    ctx.viewer()?;
    match by {
        UserLocator::Id(id) => find(ctx, UserId::parse(&id).ok_or_else(|| Error::not_an_id("by"))?).await,
        UserLocator::Username(username) => super::find_by_handle(ctx.app(), username).await.map(|user| user.map(User)),
    }
}
