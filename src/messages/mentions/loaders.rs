//! Mentions by the handful. Whoever asks has sight of the conversation.

use std::collections::{HashMap, HashSet};

use super::MentionKind;
use super::store;
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{ConversationId, GroupId, UserId};

/// Who is mentioned by name in the message at a position.
pub struct NamedIn;

impl Load for NamedIn {
    type Key = (ConversationId, i32);
    type Value = HashSet<UserId>;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, HashSet<UserId>>> {
        let keys = keys.to_vec();
        let mut found = HashMap::<_, HashSet<_>>::new();
        for (id, seq, user) in app.db.read(async move |conn| store::named_in(conn, &keys).await).await? {
            found.entry((id, seq)).or_default().insert(user);
        }
        Ok(found)
    }
}

/// How everyone is mentioned at once in the message at a position.
pub struct BroadcastsIn;

impl Load for BroadcastsIn {
    type Key = (ConversationId, i32);
    type Value = Vec<MentionKind>;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Vec<MentionKind>>> {
        let keys = keys.to_vec();
        let mut found = HashMap::<_, Vec<_>>::new();
        for (id, seq, kind) in app.db.read(async move |conn| store::broadcasts_in(conn, &keys).await).await? {
            found.entry((id, seq)).or_default().push(kind);
        }
        Ok(found)
    }
}

/// How many messages that mention a member are unread in a conversation; nothing where they are none.
pub struct UnreadMentionsOf;

impl Load for UnreadMentionsOf {
    type Key = (ConversationId, UserId);
    type Value = i32;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, i32>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::unread_in(conn, &keys).await).await?;
        Ok(found.into_iter().map(|(id, user, count)| ((id, user), count)).collect())
    }
}

/// How many messages that mention somebody are unread, wherever they are a member, for a badge.
pub struct MentionsWaitingFor;

impl Load for MentionsWaitingFor {
    type Key = UserId;
    type Value = i32;

    async fn load(app: &App, keys: &[UserId]) -> Result<HashMap<UserId, i32>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::unread_of(conn, &keys).await).await?;
        Ok(found.into_iter().map(|(user, count)| (user, i32::try_from(count).unwrap_or(i32::MAX))).collect())
    }
}

/// How many messages that mention somebody are unread in the channels of a group that they are a member of; nothing where
/// they are a member of none.
pub struct UnreadMentionsInGroup;

impl Load for UnreadMentionsInGroup {
    type Key = (UserId, GroupId);
    type Value = i32;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, i32>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::unread_in_groups(conn, &keys).await).await?;
        let capped = |count| i32::try_from(count).unwrap_or(i32::MAX);
        Ok(found.into_iter().map(|(user, group, count)| ((user, group), capped(count))).collect())
    }
}
