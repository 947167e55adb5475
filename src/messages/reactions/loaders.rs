//! Reactions by the handful. Whoever asks has sight of the conversation.

use std::collections::HashMap;

use super::reactors::Reactors;
use super::store::{self, ReactionGroup, Reactor};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::page::Direction;

/// All reactions to the message at a position, by emoji: the first one used first.
pub struct ReactionsTo;

impl Load for ReactionsTo {
    type Key = (ConversationId, i32);
    type Value = Vec<ReactionGroup>;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Vec<ReactionGroup>>> {
        let keys = keys.to_vec();
        let groups = app.db.read(async move |conn| store::groups(conn, &keys).await).await?;
        let mut found = HashMap::<_, Vec<_>>::new();
        for group in groups {
            found.entry((group.conversation_id, group.seq)).or_default().push(group);
        }
        Ok(found)
    }
}

/// What somebody reacted with to the message at a position.
pub struct ReactionsOf;

impl Load for ReactionsOf {
    type Key = (UserId, ConversationId, i32);
    type Value = Vec<String>;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Vec<String>>> {
        let keys = keys.to_vec();
        let mut found = HashMap::<_, Vec<_>>::new();
        for (user, conversation, seq, emoji) in app.db.read(async move |conn| store::own(conn, &keys).await).await? {
            found.entry((user, conversation, seq)).or_default().push(emoji);
        }
        Ok(found)
    }
}

/// Parts of lists of those who reacted, in the direction in which they are read.
pub struct ReactorsOf;

impl Load for ReactorsOf {
    type Key = Reactors;
    type Value = Vec<Reactor>;

    async fn load(app: &App, keys: &[Reactors]) -> Result<HashMap<Reactors, Vec<Reactor>>> {
        // Those that are equally long are read together; most often that is all of them.
        let mut alike = HashMap::<(Direction, i64), Vec<Reactors>>::new();
        for key in keys {
            alike.entry((key.direction, key.limit)).or_default().push(key.clone());
        }
        let mut found = HashMap::<_, Vec<_>>::new();
        for ((direction, limit), keys) in alike {
            let parts = &keys;
            let reactors = app.db.read(async move |conn| store::reactors(conn, parts, direction, limit).await).await?;
            for (place, reactor) in reactors {
                found.entry(keys[place].clone()).or_default().push(reactor);
            }
        }
        Ok(found)
    }
}
