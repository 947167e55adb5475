//! Threads by the handful. Whoever asks has sight of the conversation.

use std::collections::HashMap;

use super::store::{self, Thread, ThreadState};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{ConversationId, UserId};

/// The thread under the message at a position.
pub struct ThreadUnder;

impl Load for ThreadUnder {
    type Key = (ConversationId, i32);
    type Value = Thread;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Thread>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::threads(conn, &keys).await).await?;
        Ok(found.into_iter().map(|thread| ((thread.conversation_id, thread.root_seq), thread)).collect())
    }
}

/// How somebody keeps the thread under the message at a position; nothing where they are no member.
pub struct ThreadStateOf;

impl Load for ThreadStateOf {
    type Key = (ConversationId, i32, UserId);
    type Value = ThreadState;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, ThreadState>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::states(conn, &keys).await).await?;
        Ok(found.into_iter().map(|(id, root_seq, user, state)| ((id, root_seq, user), state)).collect())
    }
}

/// How many of the threads that somebody follows have unread replies, for a badge.
pub struct UnreadThreadsOf;

impl Load for UnreadThreadsOf {
    type Key = UserId;
    type Value = i32;

    async fn load(app: &App, keys: &[UserId]) -> Result<HashMap<UserId, i32>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::unread(conn, &keys).await).await?;
        Ok(found.into_iter().map(|(user, count)| (user, i32::try_from(count).unwrap_or(i32::MAX))).collect())
    }
}

/// Who wrote in the thread under the message at a position, last one first, and no more than so many.
pub struct ParticipantsOf;

impl Load for ParticipantsOf {
    type Key = (ConversationId, i32, i64);
    type Value = Vec<UserId>;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Vec<UserId>>> {
        // Most often all ask for the same number.
        let mut by_limit = HashMap::<i64, Vec<(ConversationId, i32)>>::new();
        for &(id, root_seq, limit) in keys {
            by_limit.entry(limit).or_default().push((id, root_seq));
        }
        let mut found = HashMap::<_, Vec<_>>::new();
        for (limit, threads) in by_limit {
            let wanted = &threads;
            for (id, root_seq, user) in
                app.db.read(async move |conn| store::participants(conn, wanted, limit).await).await?
            {
                found.entry((id, root_seq, limit)).or_default().push(user);
            }
        }
        Ok(found)
    }
}
