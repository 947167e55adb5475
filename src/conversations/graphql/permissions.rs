//! What the viewer may.

use async_graphql::{Context, SimpleObject};

use crate::context::Ask;
use crate::conversations::{Action, MemberRole, Sight, Standing, StandingOf, Verdict, may};
use crate::error::Result;

/// What the viewer may do in a conversation now, archive and sanctions included.
#[derive(SimpleObject, Clone, Copy, Default)]
pub struct ConversationPermissions {
    /// May write messages.
    can_post: bool,
    /// May react.
    can_react: bool,
    /// May attach files.
    can_attach: bool,
    /// May mention everyone at once.
    can_mention_everyone: bool,
    /// May pin and unpin.
    can_pin: bool,
    /// May start a call.
    can_start_call: bool,
    /// May add people.
    can_add_members: bool,
    /// May remove members and mute them.
    can_remove_members: bool,
    /// May change roles.
    can_manage_roles: bool,
    /// May delete the messages of others.
    can_moderate: bool,
    /// May change its settings.
    can_update: bool,
    /// May archive and unarchive it.
    can_archive: bool,
    /// May join.
    can_join: bool,
    /// May leave.
    can_leave: bool,
}

impl ConversationPermissions {
    /// Of what depends on whom it is done to, whether it may be done to those of the lowest role.
    fn of(standing: &Standing) -> Self {
        let lowest = MemberRole::Guest;
        let can = |action| may(action, standing) == Verdict::Allowed;
        Self {
            can_post: can(Action::Post),
            can_react: can(Action::React),
            can_attach: can(Action::Post),
            can_mention_everyone: can(Action::MentionEveryone),
            can_pin: can(Action::Pin),
            can_start_call: can(Action::Call),
            can_add_members: can(Action::AddMembers(MemberRole::Member)),
            can_remove_members: can(Action::Remove(lowest)),
            can_manage_roles: can(Action::ChangeRole(lowest, MemberRole::Member)),
            can_moderate: can(Action::DeleteOf(Some(lowest))),
            can_update: can(Action::UpdateSettings),
            can_archive: can(Action::Archive),
            // Who is a member has joined already.
            can_join: standing.seat_role.is_none() && can(Action::Join),
            can_leave: can(Action::Leave),
        }
    }
}

/// What the viewer may do in a conversation; nothing where they have just lost sight of it.
pub async fn viewer_permissions(ctx: &Context<'_>, sight: Sight) -> Result<ConversationPermissions> {
    let found = ctx.load::<StandingOf>((ctx.viewer()?.user_id, sight.id())).await?;
    Ok(found.map(|found| ConversationPermissions::of(&found.standing)).unwrap_or_default())
}
