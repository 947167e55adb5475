//! Conversations, sights and seats by the handful.

use std::collections::HashMap;
use std::sync::Arc;

use super::direct::People;
use super::store::{self, Conversation, Departed, Member, Viewpoint};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{ConversationId, MemberId, UserId};

/// A conversation, for whoever has sight of it already.
pub struct ConversationById;

impl Load for ConversationById {
    type Key = ConversationId;
    type Value = Conversation;

    async fn load(app: &App, keys: &[ConversationId]) -> Result<HashMap<ConversationId, Conversation>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::by_ids(conn, &keys).await).await?;
        Ok(found.into_iter().map(|conversation| (conversation.id, conversation)).collect())
    }
}

/// Where somebody stands in a conversation, if they see it.
pub struct StandingOf;

impl Load for StandingOf {
    type Key = (UserId, ConversationId);
    type Value = Viewpoint;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Viewpoint>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::standings(conn, &keys).await).await?;
        Ok(found.into_iter().map(|found| ((found.user_id, found.sight.id()), found)).collect())
    }
}

/// A seat by its id, for whoever has sight of its conversation.
pub struct MemberById;

impl Load for MemberById {
    type Key = MemberId;
    type Value = Member;

    async fn load(app: &App, keys: &[MemberId]) -> Result<HashMap<MemberId, Member>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::members_by_ids(conn, &keys).await).await?;
        Ok(found.into_iter().map(|member| (member.id, member)).collect())
    }
}

/// How somebody's membership of a conversation ended; nothing while it holds.
pub struct DepartureOf;

impl Load for DepartureOf {
    type Key = (ConversationId, UserId);
    type Value = Departed;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Departed>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::departures(conn, &keys).await).await?;
        Ok(found.into_iter().map(|departed| ((departed.reference.id, departed.user_id), departed)).collect())
    }
}

/// The members of a direct conversation, for whoever has sight of it.
pub struct ParticipantsOf;

impl Load for ParticipantsOf {
    type Key = ConversationId;
    type Value = Vec<Arc<Member>>;

    async fn load(app: &App, keys: &[ConversationId]) -> Result<HashMap<ConversationId, Vec<Arc<Member>>>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::participants(conn, &keys).await).await?;
        let mut all = HashMap::<_, Vec<_>>::new();
        for member in found {
            all.entry(member.conversation_id).or_default().push(Arc::new(member));
        }
        Ok(all)
    }
}

/// The direct conversation that was opened for two alone; sight of it is still to be asked for.
pub struct DirectOfTwo;

impl Load for DirectOfTwo {
    type Key = (UserId, UserId);
    type Value = ConversationId;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, ConversationId>> {
        let people: Vec<_> = keys.iter().map(|&(user, other)| People::pair(user, other).key()).collect();
        let wanted = people.clone();
        let found = app.db.read(async move |conn| store::found_by(conn, &wanted).await).await?;
        let found: HashMap<_, _> = found.into_iter().collect();
        Ok(keys.iter().zip(&people).filter_map(|(pair, key)| Some((*pair, *found.get(key)?))).collect())
    }
}
