//! The administration desk in the API.

use async_graphql::{Context, Object};

use crate::context::Ask;
use crate::error::Result;
use crate::invitations::graphql::{InvitationConnection, InvitationFilter, invitations_for};
use crate::page::Arguments;
use crate::users::Administrator;

/// Made for those alone who may use it.
pub struct Admin(Administrator);

/// What admins work with. It opens nobody's conversations.
#[Object]
impl Admin {
    /// Invitations to register, newest first.
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        filter: Option<InvitationFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<InvitationConnection> {
        invitations_for(ctx, self.0, filter, Arguments { first, after, last, before }).await
    }
}

#[derive(Default)]
pub struct AdminQuery;

#[Object]
impl AdminQuery {
    /// Administration desk. Needs the server role ADMIN, otherwise FORBIDDEN.
    async fn admin(&self, ctx: &Context<'_>) -> Option<Result<Admin>> {
        Some(Administrator::who_asks(ctx.scope()).await.map(Admin))
    }
}
