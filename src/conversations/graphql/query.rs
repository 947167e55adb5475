//! Finding and following conversations.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Subscription};
use futures_util::future::try_join_all;

use super::event::ConversationEventBatch;
use super::inputs::{ChannelFilter, ChannelLocator, ChannelOrder, GroupChannelLocator};
use super::{Channel, Conversation, conversation, find, reference};
use crate::context::Ask;
use crate::conversations::{
    self, CatchUpDraft, ChannelCursor, ChannelOrderField, Followed, Reference, in_sight, in_sight_by_id,
};
use crate::error::{Error, Result};
use crate::page::{Arguments, Order, Page, connection};
use crate::subscription::Response;

connection! {
    /// A page of channels.
    ChannelConnection {},
    /// One of the channels, and where it stands.
    ChannelEdge,
    /// Where to go on from.
    cursor,
    /// The channel.
    Channel
}

/// Where one stands in a conversation's log.
#[derive(InputObject)]
pub struct ConversationPosition {
    /// The conversation.
    conversation_id: ID,
    /// The position, as in `ConversationEventBatch.seq`.
    after: i32,
}

/// What came in a conversation after a position.
#[derive(SimpleObject)]
pub struct ConversationCatchUp {
    /// The conversation.
    conversation: Conversation,
    /// Its next events.
    batch: ConversationEventBatch,
}

#[derive(Default)]
pub struct ConversationQuery;

#[Object]
impl ConversationQuery {
    /// One conversation of any kind.
    async fn conversation(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Conversation>> {
        one(ctx, id).await.transpose()
    }

    /// One channel, by id or by its address.
    async fn channel(&self, ctx: &Context<'_>, by: ChannelLocator) -> Option<Result<Channel>> {
        channel(ctx, by).await.transpose()
    }

    /// Channels the viewer may see, joined or not: the place to discover and join.
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
    ) -> Option<Result<ChannelConnection>> {
        Some(channels(ctx, filter, order_by, Arguments { first, after, last, before }).await)
    }

    /// Events of up to 100 conversations after their positions, to catch up over HTTP; of those out of sight nothing comes.
    async fn conversation_events_since(
        &self,
        ctx: &Context<'_>,
        positions: Vec<ConversationPosition>,
        #[graphql(default = 20)] first_per_conversation: i32,
    ) -> Option<Result<Vec<ConversationCatchUp>>> {
        Some(events_since(ctx, &positions, first_per_conversation).await)
    }
}

async fn events_since(
    ctx: &Context<'_>,
    positions: &[ConversationPosition],
    first: i32,
) -> Result<Vec<ConversationCatchUp>> {
    let viewer = ctx.viewer()?;
    let positions: Vec<_> = positions.iter().map(|at| (at.conversation_id.as_str(), at.after)).collect();
    let found = conversations::catch_up(ctx.scope(), &viewer, CatchUpDraft::from(&positions, first)?).await?;
    let shown = found.into_iter().map(async |(sight, batch)| {
        let conversation = conversation(ctx, sight).await?;
        Ok(ConversationCatchUp { conversation, batch: ConversationEventBatch::new(sight, &batch) })
    });
    try_join_all(shown).await
}

async fn one(ctx: &Context<'_>, id: ID) -> Result<Option<Conversation>> {
    ctx.viewer()?;
    find(ctx, reference("id", &id)?).await
}

async fn channel(ctx: &Context<'_>, by: ChannelLocator) -> Result<Option<Channel>> {
    ctx.viewer()?;
    let named = match by {
        ChannelLocator::Id(id) => Some(Reference::parse_channel(&id).ok_or_else(|| Error::not_an_id("by"))?),
        ChannelLocator::Slug(slug) => conversations::channel_by_slug(ctx.app(), None, slug).await?,
        ChannelLocator::InGroup(GroupChannelLocator { group, channel }) => {
            conversations::channel_by_slug(ctx.app(), Some(group), channel).await?
        }
    };
    match named {
        Some(named) => Ok(find(ctx, named).await?.and_then(Conversation::channel)),
        None => Ok(None),
    }
}

async fn channels(
    ctx: &Context<'_>,
    filter: Option<ChannelFilter>,
    order: Option<ChannelOrder>,
    arguments: Arguments,
) -> Result<ChannelConnection> {
    let order = order.map(Into::into).unwrap_or_default();
    channels_as(ctx, filter.map(ChannelFilter::read).transpose()?.unwrap_or_default(), order, arguments).await
}

/// A page of the channels that the viewer sees.
pub async fn channels_as(
    ctx: &Context<'_>,
    filter: conversations::ChannelFilter,
    order: Order<ChannelOrderField>,
    arguments: Arguments,
) -> Result<ChannelConnection> {
    let viewer = ctx.viewer()?;
    let list = filter.list();
    let window = arguments.window_of(|cursor: &ChannelCursor| cursor.is_of(list, order))?;
    let found = conversations::channels(ctx.app(), &viewer, filter, order, window).await?;
    let mut edges = Vec::with_capacity(found.rows.len());
    // What is listed was in sight; the loader proves it, for all in one statement.
    let sights = found.rows.iter().map(|(_, row)| in_sight_by_id(ctx.scope(), viewer.user_id, row.id));
    let sights = try_join_all(sights).await?;
    for ((cursor, row), sight) in found.rows.into_iter().zip(sights) {
        if let Some(sight) = sight {
            edges.push(ChannelEdge::at(&cursor, Channel::new(sight, row.into())?));
        }
    }
    Ok(ChannelConnection::new(Page { rows: edges, has_previous: found.has_previous, has_next: found.has_next }))
}

#[derive(Default)]
pub struct ConversationSubscription;

#[Subscription]
impl ConversationSubscription {
    /// The log of one conversation that the viewer may read, gapless: what came after position `after`, then what comes.
    /// Without `after` it begins now; an `after` that cannot be resumed from is answered with `hasGap`.
    async fn conversation_events(
        &self,
        ctx: &Context<'_>,
        conversation_id: ID,
        after: Option<i32>,
    ) -> Result<Response<ConversationEventBatch>> {
        match ctx.scope().event::<Followed>() {
            Some(followed) => Ok(Response::showing(ConversationEventBatch::new(followed.sight, &followed.batch))),
            None => follow(ctx, &conversation_id, after).await,
        }
    }
}

async fn follow(
    ctx: &Context<'_>,
    conversation_id: &ID,
    after: Option<i32>,
) -> Result<Response<ConversationEventBatch>> {
    let viewer = ctx.viewer()?;
    let reference = reference("conversationId", conversation_id)?;
    let sight = in_sight(ctx.scope(), &viewer, reference).await?.ok_or_else(|| Error::not_found("conversation"))?;
    Ok(ctx.scope().open(conversations::follow(ctx.app(), viewer, sight, after, ctx.scope().sharing())))
}
