//! What the viewer may.

use async_graphql::{Context, SimpleObject};

use crate::context::Ask;
use crate::error::Result;
use crate::groups::{Action, MemberRole, Sight, Standing, StandingOf, Verdict, may};

/// What the viewer may do in a group now, archive and sanctions included.
#[derive(SimpleObject, Clone, Copy, Default)]
pub struct GroupPermissions {
    /// May create channels.
    can_create_channel: bool,
    /// May create, change and delete categories, and move channels.
    can_manage_categories: bool,
    /// May add people.
    can_add_members: bool,
    /// May remove members and mute them.
    can_remove_members: bool,
    /// May change roles.
    can_manage_roles: bool,
    /// May delete the messages of others in all of its channels.
    can_moderate: bool,
    /// May change its settings.
    can_update: bool,
    /// May archive it.
    can_archive: bool,
    /// May join.
    can_join: bool,
    /// May leave.
    can_leave: bool,
}

impl GroupPermissions {
    /// Of what depends on whom it is done to, whether it may be done to those of the lowest role.
    fn of(standing: &Standing) -> Self {
        let lowest = MemberRole::Guest;
        let can = |action| may(action, standing) == Verdict::Allowed;
        Self {
            can_create_channel: can(Action::CreateChannel),
            can_manage_categories: can(Action::ManageCategories),
            can_add_members: can(Action::AddMembers(MemberRole::Member)),
            can_remove_members: can(Action::Remove(lowest)),
            can_manage_roles: can(Action::ChangeRole(lowest, MemberRole::Member)),
            can_moderate: can(Action::Moderate),
            can_update: can(Action::UpdateSettings),
            can_archive: can(Action::Archive),
            // Who is a member has joined already.
            can_join: standing.role.is_none() && can(Action::Join),
            can_leave: can(Action::Leave),
        }
    }
}

/// What the viewer may do in a group; nothing where they have just lost sight of it.
pub async fn viewer_permissions(ctx: &Context<'_>, sight: Sight) -> Result<GroupPermissions> {
    let found = ctx.load::<StandingOf>((ctx.viewer()?.user_id, sight.id())).await?;
    Ok(found.map(|found| GroupPermissions::of(&found.standing)).unwrap_or_default())
}
