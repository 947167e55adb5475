//! Hearing and looking.

use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures_util::{Stream, StreamExt, TryStreamExt};

use super::signal::ConversationSignalBatch;
use crate::context::{Ask, Scope};
use crate::conversations::{Reference, seat_in};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::page::MOST;
use crate::presence;
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
    ) -> Result<impl Stream<Item = Result<ConversationSignalBatch>>> {
        let viewer = ctx.viewer()?;
        let reference = Reference::parse(&conversation_id).ok_or_else(|| Error::not_an_id("conversationId"))?;
        let seat = seat_in(ctx.scope(), &viewer, reference).await?;
        let heard = presence::hear(ctx.app(), viewer, seat);
        let scope = ctx.data_unchecked::<Arc<Scope>>().clone();
        Ok(heard.and_then(move |heard| ConversationSignalBatch::new(scope.clone(), seat.sight(), heard)))
    }

    /// Presence of up to 100 users on screen: first the present state of all, then changes.
    async fn presences(
        &self,
        ctx: &Context<'_>,
        user_ids: Vec<ID>,
    ) -> Result<impl Stream<Item = Result<PresenceBatch>>> {
        let viewer = ctx.viewer()?;
        let looked = presence::look(ctx.data_unchecked::<Arc<Scope>>().clone(), viewer, people(&user_ids)?);
        Ok(looked.map(|looked| looked.map(|users| PresenceBatch { users: users.into_iter().map(User).collect() })))
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
