//! How people keep conversations, by the handful.

use std::collections::HashMap;

use super::store::{self, State};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{ConversationId, GroupId, UserId};

/// How somebody keeps a conversation; nothing where they are no member.
pub struct StateOf;

impl Load for StateOf {
    type Key = (ConversationId, UserId);
    type Value = State;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, State>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::states(conn, &keys).await).await?;
        Ok(found.into_iter().map(|state| ((state.conversation.id, state.member.user_id), state)).collect())
    }
}

/// In how many conversations somebody has something unread, for a badge. What the inbox does not show, archived or hidden,
/// is left out like what is muted: nobody could find what the number is about. Nothing for none.
pub struct UnreadConversationsOf;

impl Load for UnreadConversationsOf {
    type Key = UserId;
    type Value = i32;

    async fn load(app: &App, keys: &[UserId]) -> Result<HashMap<UserId, i32>> {
        let (now, keys) = (app.clock.now(), keys.to_vec());
        let found = app.db.read(async move |conn| store::unread_conversations(conn, &keys, now).await).await?;
        Ok(found.into_iter().map(|(id, count)| (id, capped(count))).collect())
    }
}

/// How much somebody has not read in the channels of a group; nothing where they have read everything.
pub struct UnreadInGroup;

impl Load for UnreadInGroup {
    type Key = (UserId, GroupId);
    type Value = i32;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, i32>> {
        let (keys, now) = (keys.to_vec(), app.clock.now());
        let found = app.db.read(async move |conn| store::unread_in_groups(conn, &keys, now).await).await?;
        Ok(found.into_iter().filter_map(|(user, group, count)| Some(((user, group?), capped(count?)))).collect())
    }
}

fn capped(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The position of the first message that somebody has not read; nothing where they have read everything.
pub struct FirstUnreadOf;

impl Load for FirstUnreadOf {
    type Key = (ConversationId, UserId);
    type Value = i32;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, i32>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::first_unread(conn, &keys).await).await?;
        Ok(found.into_iter().filter_map(|(id, user, seq)| Some(((id, user), seq?))).collect())
    }
}
