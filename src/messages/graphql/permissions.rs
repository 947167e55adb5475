//! What the viewer may do with a message.

use async_graphql::{Context, SimpleObject};

use super::Message;
use crate::context::Ask;
use crate::conversations::{Action, StandingOf, Verdict, may};
use crate::error::Result;

/// What the viewer may do with a message now.
#[derive(SimpleObject, Default)]
pub struct MessagePermissions {
    /// May change its content.
    can_edit: bool,
    /// May delete it.
    can_delete: bool,
    /// May pin or unpin it.
    can_pin: bool,
    /// May react to it.
    can_react: bool,
    /// May write in its thread.
    can_reply: bool,
}

/// What the viewer may do with a message; nothing where they have just lost sight of it.
pub async fn message_permissions(ctx: &Context<'_>, message: &Message) -> Result<MessagePermissions> {
    let (viewer, row, id) = (ctx.viewer()?.user_id, &message.row, message.sight.id());
    let Some(own) = ctx.load::<StandingOf>((viewer, id)).await? else { return Ok(MessagePermissions::default()) };
    let can = |action| may(action, &own.standing) == Verdict::Allowed;
    let (is_own, is_there) = (row.author_id == viewer, row.deleted_at.is_none());
    let can_delete = match is_own {
        true => can(Action::DeleteOwn),
        false => {
            let author = ctx.load::<StandingOf>((row.author_id, id)).await?;
            can(Action::DeleteOf(author.and_then(|author| author.standing.role())))
        }
    };
    Ok(MessagePermissions {
        can_edit: is_there && is_own && can(Action::Edit),
        can_delete: is_there && can_delete,
        can_pin: is_there && can(Action::Pin),
        can_react: is_there && can(Action::React),
        // A thread outlives the message it is under, and does not grow another one.
        can_reply: row.msg_no.is_some() && can(Action::Reply),
    })
}
