//! Changing groups.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::inputs::{
    AddGroupMembersInput, ArchiveGroupInput, CreateGroupInput, JoinGroupInput, LeaveGroupInput, RemoveGroupMemberInput,
    TransferGroupOwnershipInput, UnarchiveGroupInput, UpdateGroupInput, UpdateGroupMemberInput,
};
use super::{Group, GroupMember};
use crate::context::Ask;
use crate::conversations::graphql::RejectedMember;
use crate::conversations::{self, RemoveFromGroupDraft, RoleInGroupDraft};
use crate::error::{Error, Result};
use crate::groups::{self, AddDraft, Changed, GroupDraft, UpdateDraft};
use crate::id::{GroupId, GroupMemberId};
use crate::text::Fault;

/// A created group.
#[derive(SimpleObject)]
pub struct CreateGroupPayload {
    /// The group.
    group: Group,
    /// Whether it was there already, from an earlier call with the same `clientKey`.
    is_replay: bool,
}

/// A changed group.
#[derive(SimpleObject)]
pub struct UpdateGroupPayload {
    /// The group.
    group: Group,
}

/// An archived group.
#[derive(SimpleObject)]
pub struct ArchiveGroupPayload {
    /// The group.
    group: Group,
}

/// A group that is open again.
#[derive(SimpleObject)]
pub struct UnarchiveGroupPayload {
    /// The group.
    group: Group,
}

/// A joined group.
#[derive(SimpleObject)]
pub struct JoinGroupPayload {
    /// The group, with its `viewerMember`.
    group: Group,
}

/// A group the viewer is no longer in.
#[derive(SimpleObject)]
pub struct LeaveGroupPayload {
    /// Its id.
    group_id: ID,
    /// The group, where the viewer can still see it.
    group: Option<Group>,
}

/// Who was added and who was not.
#[derive(SimpleObject)]
pub struct AddGroupMembersPayload {
    /// The group.
    group: Group,
    /// Those who are members now, those who were before included.
    members: Vec<GroupMember>,
    /// Those who could not be added.
    rejected: Vec<RejectedMember>,
}

/// A changed group member.
#[derive(SimpleObject)]
pub struct UpdateGroupMemberPayload {
    /// The membership.
    member: GroupMember,
}

/// A removed group member.
#[derive(SimpleObject)]
pub struct RemoveGroupMemberPayload {
    /// The id of the membership that ended.
    member_id: ID,
    /// The group.
    group: Group,
}

/// A group with a new owner.
#[derive(SimpleObject)]
pub struct TransferGroupOwnershipPayload {
    /// The group.
    group: Group,
    /// The new owner.
    owner: GroupMember,
}

#[derive(Default)]
pub struct GroupMutation;

#[Object]
impl GroupMutation {
    /// Create a group; its creator becomes the owner. Errors: CONFLICT (slug taken).
    async fn create_group(&self, ctx: &Context<'_>, input: CreateGroupInput) -> Option<Result<CreateGroupPayload>> {
        Some(create_group(ctx, input).await)
    }

    /// Change a group. Errors: VERSION_CONFLICT.
    async fn update_group(&self, ctx: &Context<'_>, input: UpdateGroupInput) -> Option<Result<UpdateGroupPayload>> {
        Some(update_group(ctx, input).await)
    }

    /// Close a group and all of its channels.
    async fn archive_group(&self, ctx: &Context<'_>, input: ArchiveGroupInput) -> Option<Result<ArchiveGroupPayload>> {
        Some(archive_group(ctx, input).await)
    }

    /// Open an archived group again; channels that were archived by themselves stay so.
    async fn unarchive_group(
        &self,
        ctx: &Context<'_>,
        input: UnarchiveGroupInput,
    ) -> Option<Result<UnarchiveGroupPayload>> {
        Some(unarchive_group(ctx, input).await)
    }

    /// Join a public group.
    async fn join_group(&self, ctx: &Context<'_>, input: JoinGroupInput) -> Option<Result<JoinGroupPayload>> {
        Some(join_group(ctx, input).await)
    }

    /// Leave a group and all of its channels. Errors: FAILED_PRECONDITION (the owner hands it over first).
    async fn leave_group(&self, ctx: &Context<'_>, input: LeaveGroupInput) -> Option<Result<LeaveGroupPayload>> {
        Some(leave_group(ctx, input).await)
    }

    /// Add people to a group; those who cannot be added come back with the reason, the others are added.
    async fn add_group_members(
        &self,
        ctx: &Context<'_>,
        input: AddGroupMembersInput,
    ) -> Option<Result<AddGroupMembersPayload>> {
        Some(add_group_members(ctx, input).await)
    }

    /// Change the role of a group member of lower rank, up to one's own.
    async fn update_group_member(
        &self,
        ctx: &Context<'_>,
        input: UpdateGroupMemberInput,
    ) -> Option<Result<UpdateGroupMemberPayload>> {
        Some(update_group_member(ctx, input).await)
    }

    /// Remove a member of lower rank from a group and all of its channels.
    async fn remove_group_member(
        &self,
        ctx: &Context<'_>,
        input: RemoveGroupMemberInput,
    ) -> Option<Result<RemoveGroupMemberPayload>> {
        Some(remove_group_member(ctx, input).await)
    }

    /// Hand a group over to another member; the former owner becomes an admin of it. A server ADMIN hands over what has no
    /// owner.
    async fn transfer_group_ownership(
        &self,
        ctx: &Context<'_>,
        input: TransferGroupOwnershipInput,
    ) -> Option<Result<TransferGroupOwnershipPayload>> {
        Some(transfer_group_ownership(ctx, input).await)
    }
}

async fn create_group(ctx: &Context<'_>, input: CreateGroupInput) -> Result<CreateGroupPayload> {
    let viewer = ctx.viewer()?;
    let created = groups::create_group(ctx.app(), &viewer, GroupDraft::from(input.into())?).await?;
    Ok(CreateGroupPayload { group: group(ctx, created.changed), is_replay: created.is_replay })
}

async fn update_group(ctx: &Context<'_>, input: UpdateGroupInput) -> Result<UpdateGroupPayload> {
    let viewer = ctx.viewer()?;
    let updated = groups::update_group(ctx.app(), &viewer, UpdateDraft::from(input.into())?).await?;
    Ok(UpdateGroupPayload { group: group(ctx, updated) })
}

async fn archive_group(ctx: &Context<'_>, input: ArchiveGroupInput) -> Result<ArchiveGroupPayload> {
    let viewer = ctx.viewer()?;
    let archived = conversations::archive_group(ctx.app(), &viewer, group_id(&input.group_id)?).await?;
    Ok(ArchiveGroupPayload { group: group(ctx, archived) })
}

async fn unarchive_group(ctx: &Context<'_>, input: UnarchiveGroupInput) -> Result<UnarchiveGroupPayload> {
    let viewer = ctx.viewer()?;
    let opened = conversations::unarchive_group(ctx.app(), &viewer, group_id(&input.group_id)?).await?;
    Ok(UnarchiveGroupPayload { group: group(ctx, opened) })
}

async fn join_group(ctx: &Context<'_>, input: JoinGroupInput) -> Result<JoinGroupPayload> {
    let viewer = ctx.viewer()?;
    let joined = groups::join_group(ctx.app(), &viewer, group_id(&input.group_id)?).await?;
    Ok(JoinGroupPayload { group: group(ctx, joined) })
}

async fn leave_group(ctx: &Context<'_>, input: LeaveGroupInput) -> Result<LeaveGroupPayload> {
    let viewer = ctx.viewer()?;
    let left = conversations::leave_group(ctx.app(), &viewer, group_id(&input.group_id)?).await?;
    // Also where it is out of sight now: what follows in the same request knows no membership any more.
    ctx.scope().forget_loaded();
    Ok(LeaveGroupPayload { group_id: input.group_id, group: left.map(|left| group(ctx, left)) })
}

async fn add_group_members(ctx: &Context<'_>, input: AddGroupMembersInput) -> Result<AddGroupMembersPayload> {
    let viewer = ctx.viewer()?;
    let ids: Vec<String> = input.user_ids.into_iter().map(|id| id.0).collect();
    let draft = AddDraft::from(&input.group_id, &ids, input.role)?;
    let added = groups::add_members(ctx.app(), &viewer, draft).await?;
    let sight = added.changed.sight;
    let rejected = added.rejected.into_iter();
    Ok(AddGroupMembersPayload {
        group: group(ctx, added.changed),
        members: added.members.into_iter().map(|member| GroupMember::new(sight, member)).collect(),
        rejected: rejected.map(|(user, reason)| RejectedMember { user_id: user.into(), reason }).collect(),
    })
}

async fn update_group_member(ctx: &Context<'_>, input: UpdateGroupMemberInput) -> Result<UpdateGroupMemberPayload> {
    let viewer = ctx.viewer()?;
    let draft = RoleInGroupDraft::from(&input.member_id, input.role)?;
    let changed = conversations::change_group_role(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(UpdateGroupMemberPayload { member: GroupMember::new(changed.changed.sight, changed.member) })
}

async fn remove_group_member(ctx: &Context<'_>, input: RemoveGroupMemberInput) -> Result<RemoveGroupMemberPayload> {
    let viewer = ctx.viewer()?;
    let draft = RemoveFromGroupDraft::from(&input.member_id, input.reason)?;
    let removed = conversations::remove_group_member(ctx.app(), &viewer, draft).await?;
    Ok(RemoveGroupMemberPayload { member_id: input.member_id, group: group(ctx, removed) })
}

async fn transfer_group_ownership(
    ctx: &Context<'_>,
    input: TransferGroupOwnershipInput,
) -> Result<TransferGroupOwnershipPayload> {
    let viewer = ctx.viewer()?;
    let id = GroupMemberId::parse(&input.member_id).ok_or_else(|| not_an_id("memberId"))?;
    let handed = conversations::transfer_group(ctx.app(), &viewer, id).await?;
    let owner = GroupMember::new(handed.changed.sight, handed.member);
    Ok(TransferGroupOwnershipPayload { group: group(ctx, handed.changed), owner })
}

/// What was changed, with everything that was loaded before it forgotten.
fn group(ctx: &Context<'_>, changed: Changed) -> Group {
    ctx.scope().forget_loaded();
    Group::new(changed.sight, changed.group)
}

fn group_id(id: &ID) -> Result<GroupId> {
    GroupId::parse(id).ok_or_else(|| not_an_id("groupId"))
}

fn not_an_id(field: &'static str) -> Error {
    Error::bad_input(vec![Fault::not_an_id().of(field)])
}
