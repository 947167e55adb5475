//! Groups.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::member::{GroupMember, GroupMemberConnection, GroupMemberEdge};
use super::permissions::{GroupPermissions, viewer_permissions};
use crate::context::Ask;
use crate::conversations::ChannelOrderField;
use crate::conversations::graphql::{
    ChannelCategory, ChannelConnection, ChannelFilter, ChannelOrder, MemberFilter, categories_of, channels_as,
};
use crate::directive::perViewer;
use crate::error::Result;
use crate::groups::{self, GroupCursor, MemberCursor, OwnMembership, Sight, Visibility};
use crate::messages::mentions::UnreadMentionsInGroup;
use crate::page::{Arguments, Order, OrderDirection, Page, connection};
use crate::reads::UnreadInGroup;
use crate::scalar::DateTime;
use crate::users::graphql::{User, user};
use crate::viewer::Viewer;

#[derive(Clone)]
pub struct Group {
    sight: Sight,
    row: Arc<groups::Group>,
}

impl Group {
    pub fn new(sight: Sight, row: impl Into<Arc<groups::Group>>) -> Self {
        Self { sight, row: row.into() }
    }
}

/// A community with members, categories and channels of its own.
#[Object]
impl Group {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.row.id.into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Its address among the public groups; null while private.
    async fn slug(&self) -> Option<&str> {
        self.row.slug.as_deref()
    }

    /// What it is about.
    async fn description(&self) -> Option<&str> {
        self.row.description.as_deref()
    }

    /// Who can see and join it.
    async fn visibility(&self) -> Visibility {
        self.row.visibility
    }

    /// Who created it.
    async fn created_by(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        Some(user(ctx, self.row.created_by_id).await)
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When its settings were last changed.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }

    /// When it was archived; null while open.
    async fn archived_at(&self) -> Option<DateTime> {
        self.row.archived_at.map(DateTime)
    }

    /// Counts the changes of its settings, for `expectedVersion`.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// How many members it has.
    async fn member_count(&self) -> i32 {
        self.row.member_count
    }

    /// Its members: by role, then by when they joined; to a guest, those of the channels they were added to.
    #[graphql(directive = perViewer::apply())]
    async fn members(
        &self,
        ctx: &Context<'_>,
        filter: Option<MemberFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<GroupMemberConnection> {
        let arguments = Arguments { first, after, last, before };
        let filter = match filter {
            Some(filter) => filter.read_of_group(ctx).await?,
            None => groups::MemberFilter::default(),
        };
        let page = groups::members(ctx.app(), &ctx.viewer()?, self.sight, filter, arguments).await?;
        Ok(GroupMemberConnection::new(
            page.map(|member| GroupMemberEdge::at(&MemberCursor::of(&member), GroupMember::new(self.sight, member))),
        ))
    }

    /// Its categories, in display order; to a guest, those of the channels they were added to.
    #[graphql(directive = perViewer::apply())]
    async fn categories(&self, ctx: &Context<'_>) -> Result<Vec<ChannelCategory>> {
        categories_of(ctx, self.row.id).await
    }

    /// Its channels that the viewer may see, in display order.
    #[graphql(directive = perViewer::apply())]
    #[expect(clippy::too_many_arguments, reason = "the four of a page, and what they are a page of")]
    async fn channels(
        &self,
        ctx: &Context<'_>,
        filter: Option<ChannelFilter>,
        order_by: Option<ChannelOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ChannelConnection> {
        let display = Order { field: ChannelOrderField::Position, direction: OrderDirection::Asc };
        let filter = filter.map(ChannelFilter::read).transpose()?.unwrap_or_default().within(self.row.id);
        let order = order_by.map_or(display, Into::into);
        channels_as(ctx, filter, order, Arguments { first, after, last, before }).await
    }

    /// The viewer's membership; null while not a member.
    #[graphql(directive = perViewer::apply())]
    async fn viewer_member(&self, ctx: &Context<'_>) -> Option<Result<GroupMember>> {
        self.own_membership(ctx).await.transpose()
    }

    /// Unread messages in its channels, muted ones left out.
    #[graphql(directive = perViewer::apply())]
    async fn viewer_unread_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = ctx.load::<UnreadInGroup>((ctx.viewer()?.user_id, self.row.id)).await?;
        Ok(count.map_or(0, |count| *count))
    }

    /// Unread messages in its channels that mention the viewer.
    #[graphql(directive = perViewer::apply())]
    async fn viewer_mention_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = ctx.load::<UnreadMentionsInGroup>((ctx.viewer()?.user_id, self.row.id)).await?;
        Ok(count.map_or(0, |count| *count))
    }

    /// What the viewer may do in it.
    #[graphql(directive = perViewer::apply())]
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<GroupPermissions> {
        viewer_permissions(ctx, self.sight).await
    }
}

impl Group {
    async fn own_membership(&self, ctx: &Context<'_>) -> Result<Option<GroupMember>> {
        let own = ctx.load::<OwnMembership>((ctx.viewer()?.user_id, self.row.id)).await?;
        Ok(own.map(|own| GroupMember::new(self.sight, own)))
    }
}

connection! {
    /// A page of groups.
    GroupConnection {},
    /// One of the groups, and where it stands.
    GroupEdge,
    /// Where to go on from.
    cursor,
    /// The group.
    Group
}

impl GroupConnection {
    pub fn of(page: Page<(GroupCursor, Sight, groups::Group)>) -> Self {
        Self::new(page.map(|(cursor, sight, row)| GroupEdge::at(&cursor, Group::new(sight, row))))
    }
}

/// A page of the groups that the viewer is a member of.
pub async fn groups_of(ctx: &Context<'_>, viewer: &Viewer, arguments: Arguments) -> Result<GroupConnection> {
    Ok(GroupConnection::of(groups::groups_of(ctx.app(), viewer, arguments).await?))
}
