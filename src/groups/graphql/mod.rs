//! Groups in the API.

mod group;
mod inputs;
mod member;
mod mutation;
mod permissions;

use std::sync::Arc;

use async_graphql::{Context, Object};

pub use group::{Group, GroupConnection, groups_of};
use inputs::{GroupFilter, GroupLocator};
pub use member::GroupMember;
pub use mutation::GroupMutation;

use super::{GroupById, Member, MemberShown, Sight, in_sight};
use crate::context::Ask;
use crate::error::{Error, Result};
use crate::groups;
use crate::id::{GroupId, GroupMemberId};
use crate::page::Arguments;

#[derive(Default)]
pub struct GroupQuery;

#[Object]
impl GroupQuery {
    /// One group, by id or slug.
    async fn group(&self, ctx: &Context<'_>, by: GroupLocator) -> Option<Result<Group>> {
        group(ctx, by).await.transpose()
    }

    /// Groups the viewer may see, joined or not.
    async fn groups(
        &self,
        ctx: &Context<'_>,
        filter: Option<GroupFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Option<Result<GroupConnection>> {
        Some(groups(ctx, filter, Arguments { first, after, last, before }).await)
    }
}

async fn group(ctx: &Context<'_>, by: GroupLocator) -> Result<Option<Group>> {
    ctx.viewer()?;
    let named = match by {
        GroupLocator::Id(id) => Some(GroupId::parse(&id).ok_or_else(|| Error::not_an_id("by"))?),
        GroupLocator::Slug(slug) => groups::group_by_slug(ctx.app(), slug).await?,
    };
    match named {
        Some(id) => find_group(ctx, id).await,
        None => Ok(None),
    }
}

async fn groups(ctx: &Context<'_>, filter: Option<GroupFilter>, arguments: Arguments) -> Result<GroupConnection> {
    let viewer = ctx.viewer()?;
    let filter = filter.unwrap_or_default().read()?;
    Ok(GroupConnection::of(groups::groups(ctx.app(), &viewer, filter, arguments).await?))
}

/// The group of this id, if the viewer sees it.
pub async fn find_group(ctx: &Context<'_>, id: GroupId) -> Result<Option<Group>> {
    match in_sight(ctx.scope(), &ctx.viewer()?, id).await? {
        Some(sight) => shown(ctx, sight).await.map(Some),
        None => Ok(None),
    }
}

/// The group of a channel, or of a category, that is in sight.
pub async fn group_of(ctx: &Context<'_>, id: GroupId) -> Result<Group> {
    shown(ctx, Sight::through_its_channel(id)).await
}

/// The group of somebody who is its member.
pub async fn group_of_member(ctx: &Context<'_>, member: &Member) -> Result<Group> {
    shown(ctx, Sight::of_its_member(member)).await
}

/// The membership of this id, if the viewer is shown it.
pub async fn find_member(ctx: &Context<'_>, id: GroupMemberId) -> Result<Option<GroupMember>> {
    let member = ctx.load::<MemberShown>((ctx.viewer()?.user_id, id)).await?;
    let Some(member) = member else { return Ok(None) };
    let sight = in_sight(ctx.scope(), &ctx.viewer()?, member.group_id).await?;
    Ok(sight.map(|sight| GroupMember::new(sight, member)))
}

async fn shown(ctx: &Context<'_>, sight: Sight) -> Result<Group> {
    let row: Option<Arc<_>> = ctx.load::<GroupById>(sight.id()).await?;
    Ok(Group::new(sight, row.ok_or_else(|| Error::internal("a group in sight is missing"))?))
}
