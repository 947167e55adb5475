//! Conversations, sights and seats by the handful.

use std::collections::HashMap;

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
