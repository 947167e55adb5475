//! Reactions in the API.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use futures_util::future::try_join_all;

use super::{ReactionDraft, ReactionsOf, ReactionsTo, ReactorCursor, ReactorsOf};
use crate::context::Ask;
use crate::error::{Error, Result};
use crate::messages::graphql::Message;
use crate::messages::{self, reactions};
use crate::page::{Arguments, Page, connection};
use crate::scalar::DateTime;
use crate::users::graphql::{User, user};

/// All reactions to a message with one emoji.
pub struct ReactionGroup(reactions::ReactionGroup);

/// All reactions to a message with one emoji. Holds nothing of the viewer's: see `Message.viewerReactions`.
#[Object]
impl ReactionGroup {
    /// A Unicode emoji.
    async fn emoji(&self) -> &str {
        &self.0.emoji
    }

    /// How many reacted with it.
    async fn count(&self) -> i32 {
        self.0.count
    }

    /// Who did, first one first.
    async fn reactors(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ReactorConnection> {
        let window = self.0.window(Arguments { first, after, last, before })?;
        let found = ctx.load::<ReactorsOf>(self.0.reactors(&window)).await?;
        let page = window.page(found.map(Arc::unwrap_or_clone).unwrap_or_default());
        let (has_previous, has_next) = (page.has_previous, page.has_next);
        // All at once, so that everybody is looked up by one statement.
        let edges = page.rows.iter().map(async |reactor| {
            let (cursor, user) = (ReactorCursor::of(&self.0, reactor), user(ctx, reactor.user_id).await?);
            Ok::<_, Error>(ReactorEdge::at(&cursor, user, reactor.reacted_at.into()))
        });
        Ok(ReactorConnection::new(Page { rows: try_join_all(edges).await?, has_previous, has_next }))
    }
}

connection! {
    /// Users who reacted with one emoji.
    ReactorConnection {},
    /// A user who reacted, and when.
    ReactorEdge {
        /// When they reacted.
        reacted_at: DateTime,
    },
    /// Where to go on from.
    cursor,
    /// The user.
    User
}

/// All reactions to a message, by emoji.
pub async fn reactions_to(ctx: &Context<'_>, message: &messages::Message) -> Result<Vec<ReactionGroup>> {
    let found = ctx.load::<ReactionsTo>((message.conversation_id, message.seq)).await?;
    Ok(found.iter().flat_map(|groups| groups.iter().cloned().map(ReactionGroup)).collect())
}

/// What the viewer reacted to a message with.
pub async fn viewer_reactions(ctx: &Context<'_>, message: &messages::Message) -> Result<Vec<String>> {
    let found = ctx.load::<ReactionsOf>((ctx.viewer()?.user_id, message.conversation_id, message.seq)).await?;
    Ok(found.map(Arc::unwrap_or_clone).unwrap_or_default())
}

/// A reaction.
#[derive(InputObject)]
pub struct AddReactionInput {
    /// To what.
    message_id: ID,
    /// One Unicode emoji.
    emoji: String,
}

/// A message with a reaction more.
#[derive(SimpleObject)]
pub struct AddReactionPayload {
    /// The message.
    message: Message,
    /// Position of the latest event of its conversation.
    seq: i32,
}

/// A reaction to take back.
#[derive(InputObject)]
pub struct RemoveReactionInput {
    /// From what.
    message_id: ID,
    /// The emoji.
    emoji: String,
}

/// A message with a reaction less.
#[derive(SimpleObject)]
pub struct RemoveReactionPayload {
    /// The message.
    message: Message,
    /// Position of the latest event of its conversation.
    seq: i32,
}

#[derive(Default)]
pub struct ReactionMutation;

#[Object]
impl ReactionMutation {
    /// React to a message; reacting twice with one emoji changes nothing. Errors: ARCHIVED, SANCTIONED,
    /// FAILED_PRECONDITION (the message was deleted, or has 50 other emoji).
    async fn add_reaction(&self, ctx: &Context<'_>, input: AddReactionInput) -> Option<Result<AddReactionPayload>> {
        Some(add_reaction(ctx, input).await)
    }

    /// Take a reaction back; taking back what is not there changes nothing. Errors: ARCHIVED, SANCTIONED.
    async fn remove_reaction(
        &self,
        ctx: &Context<'_>,
        input: RemoveReactionInput,
    ) -> Option<Result<RemoveReactionPayload>> {
        Some(remove_reaction(ctx, input).await)
    }
}

async fn add_reaction(ctx: &Context<'_>, input: AddReactionInput) -> Result<AddReactionPayload> {
    let viewer = ctx.viewer()?;
    let draft = ReactionDraft::from(&input.message_id, &input.emoji)?;
    let added = reactions::add_reaction(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(AddReactionPayload { message: Message::new(added.sight, added.message), seq: added.seq })
}

async fn remove_reaction(ctx: &Context<'_>, input: RemoveReactionInput) -> Result<RemoveReactionPayload> {
    let viewer = ctx.viewer()?;
    let draft = ReactionDraft::from(&input.message_id, &input.emoji)?;
    let removed = reactions::remove_reaction(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(RemoveReactionPayload { message: Message::new(removed.sight, removed.message), seq: removed.seq })
}
