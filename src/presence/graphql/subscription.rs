//! Hearing and looking.

use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject, Subscription};

use super::signal::ConversationSignalBatch;
use crate::context::{Ask, Scope};
use crate::conversations::{Reference, seat_in};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::page::MOST;
use crate::presence::{self, Heard, Looked, PresenceOf};
use crate::subscription::Response;
use crate::text::Fault;
use crate::users::graphql::User;

/// A delivery of presences.
#[derive(SimpleObject)]
pub struct PresenceBatch {
    /// Users, each with their present `presence`.
    users: Vec<User>,
}

#[derive(Default)]
pub struct PresenceSubscription;

#[Subscription]
impl PresenceSubscription {
    /// What passes in one conversation and is kept nowhere: typing and read positions; only for members. Missed signals
    /// are not repeated.
    async fn conversation_signals(
        &self,
        ctx: &Context<'_>,
        conversation_id: ID,
    ) -> Result<Response<ConversationSignalBatch>> {
        match ctx.scope().event::<Heard>() {
            Some(heard) => Ok(Response::showing(ConversationSignalBatch::new(ctx.scope(), &heard).await?)),
            None => hear(ctx, &conversation_id).await,
        }
    }

    /// Presence of up to 100 users on screen: first the present state of all, then changes.
    async fn presences(&self, ctx: &Context<'_>, user_ids: Vec<ID>) -> Result<Response<PresenceBatch>> {
        match ctx.scope().event::<Looked>() {
            Some(looked) => Ok(Response::showing(PresenceBatch::new(ctx, &looked).await?)),
            None => look(ctx, &user_ids),
        }
    }
}

async fn hear(ctx: &Context<'_>, conversation_id: &ID) -> Result<Response<ConversationSignalBatch>> {
    let viewer = ctx.viewer()?;
    let reference = Reference::parse(conversation_id).ok_or_else(|| Error::not_an_id("conversationId"))?;
    let seat = seat_in(ctx.scope(), &viewer, reference).await?;
    Ok(ctx.scope().open(presence::hear(ctx.app(), viewer, seat, ctx.scope().sharing())))
}

fn look(ctx: &Context<'_>, user_ids: &[ID]) -> Result<Response<PresenceBatch>> {
    let viewer = ctx.viewer()?;
    Ok(ctx.scope().open(presence::look(ctx.data_unchecked::<Arc<Scope>>().clone(), viewer, people(user_ids)?)))
}

impl PresenceBatch {
    /// Each is shown as they were seen then, so that what is delivered is what the next change is compared with.
    async fn new(ctx: &Context<'_>, looked: &Looked) -> Result<Self> {
        let viewer_id = ctx.viewer()?.user_id;
        let seen = looked.iter().map(|(user, presence)| ((viewer_id, user.id), presence.clone())).collect();
        ctx.scope().remember::<PresenceOf>(seen).await;
        Ok(Self { users: looked.iter().map(|(user, _)| User(user.clone())).collect() })
    }
}

/// Each of them once.
fn people(ids: &[ID]) -> Result<Vec<UserId>> {
    if ids.len() > MOST {
        return Err(Error::bad_input(vec![Fault::too_many(MOST).of_argument("userIds")]));
    }
    let (mut people, mut wrong) = (Vec::new(), Vec::new());
    for (index, id) in ids.iter().enumerate() {
        match UserId::parse(id) {
            Some(id) if people.contains(&id) => {}
            Some(id) => people.push(id),
            None => wrong.push(Fault::not_an_id().of_argument("userIds").at(index)),
        }
    }
    if wrong.is_empty() { Ok(people) } else { Err(Error::bad_input(wrong)) }
}
