//! What the viewer may on this server.

use async_graphql::{Context, SimpleObject};

use crate::context::Ask;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::users::UserById;

/// What the viewer may do on this server.
#[derive(SimpleObject)]
pub struct ServerPermissions {
    /// May create server-wide channels.
    can_create_channel: bool,
    /// May create groups.
    can_create_group: bool,
    /// May open direct conversations.
    can_open_direct_conversation: bool,
    /// May upload files.
    can_upload: bool,
    /// May offer things on the marketplace.
    can_sell: bool,
    /// May use `Query.moderation`.
    can_moderate: bool,
    /// May use `Query.admin`.
    can_administer: bool,
}

pub async fn server_permissions(ctx: &Context<'_>, user_id: UserId) -> Result<ServerPermissions> {
    let user = ctx.load::<UserById>(user_id).await?.ok_or_else(Error::unauthenticated)?;
    Ok(ServerPermissions {
        // Whoever is signed in: no rule asks for more.
        can_create_channel: true,
        can_create_group: true,
        can_open_direct_conversation: true,
        // There is nothing of that here.
        can_upload: false,
        can_sell: false,
        can_moderate: user.role.moderates(),
        can_administer: user.role.administers(),
    })
}
