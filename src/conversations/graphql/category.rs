//! Categories of channels, and the order of channels.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::Channel;
use super::query::{ChannelConnection, channels_as};
use crate::context::Ask;
use crate::conversations::{
    self, CategoriesShown, Category, CategoryById, CategoryChanges, CategoryDraft, CategoryUpdateDraft, ChannelFilter,
    ChannelOrderField, Heading, MoveDraft, category_in_sight,
};
use crate::directive::perViewer;
use crate::error::{Error, Result};
use crate::groups::graphql::{Group, group_of};
use crate::id::{CategoryId, GroupId};
use crate::page::{Arguments, Order, OrderDirection};
use crate::text::Fault;

#[derive(Clone)]
pub struct ChannelCategory(Arc<Category>);

/// A heading that channels are shown under.
#[Object]
impl ChannelCategory {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its place among the categories, from 0.
    async fn position(&self) -> i32 {
        self.0.position
    }

    /// The group it belongs to; null for one of the server.
    async fn group(&self, ctx: &Context<'_>) -> Option<Result<Group>> {
        Some(group_of(ctx, self.0.group_id?).await)
    }

    /// Counts the changes, for `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Its channels that the viewer may see, in display order.
    #[graphql(directive = perViewer::apply())]
    async fn channels(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ChannelConnection> {
        let heading = Some(Heading { group_id: self.0.group_id, category_id: Some(self.0.id) });
        let order = Order { field: ChannelOrderField::Position, direction: OrderDirection::Asc };
        let filter = ChannelFilter { heading, ..ChannelFilter::default() };
        channels_as(ctx, filter, order, Arguments { first, after, last, before }).await
    }
}

/// The category of a channel that is in sight; `None` where it has just been deleted.
pub async fn category_of(ctx: &Context<'_>, id: CategoryId) -> Result<Option<ChannelCategory>> {
    Ok(ctx.load::<CategoryById>(id).await?.map(ChannelCategory))
}

/// The categories of a group that the viewer is shown.
pub async fn categories_of(ctx: &Context<'_>, group: GroupId) -> Result<Vec<ChannelCategory>> {
    let shown = ctx.load::<CategoriesShown>((ctx.viewer()?.user_id, group)).await?;
    let shown = shown.iter().flat_map(|shown| shown.iter());
    Ok(shown.map(|category| ChannelCategory(Arc::new(category.clone()))).collect())
}

/// The category of this id, if the viewer sees it.
pub async fn find_category(ctx: &Context<'_>, id: CategoryId) -> Result<Option<ChannelCategory>> {
    Ok(category_in_sight(ctx.scope(), &ctx.viewer()?, id).await?.map(ChannelCategory))
}

#[derive(Default)]
pub struct CategoryQuery;

#[Object]
impl CategoryQuery {
    /// Categories of the server-wide channels, in display order.
    async fn categories(&self, ctx: &Context<'_>) -> Option<Result<Vec<ChannelCategory>>> {
        Some(categories(ctx).await)
    }
}

async fn categories(ctx: &Context<'_>) -> Result<Vec<ChannelCategory>> {
    ctx.viewer()?;
    let found = conversations::server_categories(ctx.app()).await?;
    Ok(found.into_iter().map(|category| ChannelCategory(category.into())).collect())
}

/// A new category.
#[derive(InputObject)]
pub struct CreateChannelCategoryInput {
    /// 1 to 80 characters.
    name: String,
    /// The group it is for; absent for one of the server.
    group_id: Option<ID>,
    /// Its place, from 0; last when absent.
    position: Option<i32>,
}

/// Changes to a category: what is absent stays.
#[derive(InputObject)]
pub struct UpdateChannelCategoryInput {
    /// The category.
    category_id: ID,
    /// 1 to 80 characters.
    name: MaybeUndefined<String>,
    /// Its place, from 0.
    position: MaybeUndefined<i32>,
    /// The version that was shown; absent to overwrite whatever is there.
    expected_version: Option<i32>,
}

/// Which category to delete.
#[derive(InputObject)]
pub struct DeleteChannelCategoryInput {
    /// The category.
    category_id: ID,
}

/// A new place for a channel.
#[derive(InputObject)]
pub struct MoveChannelInput {
    /// The channel.
    channel_id: ID,
    /// The category; null for none.
    category_id: Option<ID>,
    /// The channel to come after; absent for the first place.
    after_channel_id: Option<ID>,
}

/// A created category.
#[derive(SimpleObject)]
pub struct CreateChannelCategoryPayload {
    /// The category.
    category: ChannelCategory,
}

/// A changed category.
#[derive(SimpleObject)]
pub struct UpdateChannelCategoryPayload {
    /// The category.
    category: ChannelCategory,
}

/// A deleted category.
#[derive(SimpleObject)]
pub struct DeleteChannelCategoryPayload {
    /// Its id.
    category_id: ID,
}

/// A channel in its new place.
#[derive(SimpleObject)]
pub struct MoveChannelPayload {
    /// The channel.
    channel: Channel,
}

#[derive(Default)]
pub struct CategoryMutation;

#[Object]
impl CategoryMutation {
    /// Put a channel into a category, at a place in the list.
    async fn move_channel(&self, ctx: &Context<'_>, input: MoveChannelInput) -> Option<Result<MoveChannelPayload>> {
        Some(move_channel(ctx, input).await)
    }

    /// Create a category of channels, server-wide or in a group.
    async fn create_channel_category(
        &self,
        ctx: &Context<'_>,
        input: CreateChannelCategoryInput,
    ) -> Option<Result<CreateChannelCategoryPayload>> {
        Some(create_category(ctx, input).await)
    }

    /// Rename or move a category. Errors: VERSION_CONFLICT.
    async fn update_channel_category(
        &self,
        ctx: &Context<'_>,
        input: UpdateChannelCategoryInput,
    ) -> Option<Result<UpdateChannelCategoryPayload>> {
        Some(update_category(ctx, input).await)
    }

    /// Delete a category; its channels stay, without one.
    async fn delete_channel_category(
        &self,
        ctx: &Context<'_>,
        input: DeleteChannelCategoryInput,
    ) -> Option<Result<DeleteChannelCategoryPayload>> {
        Some(delete_category(ctx, input).await)
    }
}

async fn move_channel(ctx: &Context<'_>, input: MoveChannelInput) -> Result<MoveChannelPayload> {
    let viewer = ctx.viewer()?;
    let (category, after) = (input.category_id.map(|id| id.0), input.after_channel_id.map(|id| id.0));
    let draft = MoveDraft::from(&input.channel_id, category.as_deref(), after.as_deref())?;
    let moved = conversations::move_channel(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(MoveChannelPayload { channel: Channel::new(moved.sight, moved.conversation.into())? })
}

async fn create_category(ctx: &Context<'_>, input: CreateChannelCategoryInput) -> Result<CreateChannelCategoryPayload> {
    let viewer = ctx.viewer()?;
    let group = input.group_id.map(|id| id.0);
    let draft = CategoryDraft::from(&input.name, group.as_deref(), input.position)?;
    let created = conversations::create_category(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(CreateChannelCategoryPayload { category: ChannelCategory(created.into()) })
}

async fn update_category(ctx: &Context<'_>, input: UpdateChannelCategoryInput) -> Result<UpdateChannelCategoryPayload> {
    let viewer = ctx.viewer()?;
    let draft = CategoryUpdateDraft::from(CategoryChanges {
        category_id: input.category_id.0,
        name: input.name.into(),
        position: input.position.into(),
        expected_version: input.expected_version,
    })?;
    let updated = conversations::update_category(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(UpdateChannelCategoryPayload { category: ChannelCategory(updated.into()) })
}

async fn delete_category(ctx: &Context<'_>, input: DeleteChannelCategoryInput) -> Result<DeleteChannelCategoryPayload> {
    let viewer = ctx.viewer()?;
    let not_an_id = || Error::bad_input(vec![Fault::not_an_id().of("categoryId")]);
    let id = CategoryId::parse(&input.category_id).ok_or_else(not_an_id)?;
    conversations::delete_category(ctx.app(), &viewer, id).await?;
    ctx.scope().forget_loaded();
    Ok(DeleteChannelCategoryPayload { category_id: input.category_id })
}
