//! Taking notifications out of the bell of those who are not to see any more what they are about.

use super::{deliver, store};
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, UserId};

/// A message was deleted.
pub async fn withdraw_message(tx: &mut Tx, id: ConversationId, seq: i32, now: Instant) -> Result<()> {
    let withdrawn = store::withdraw_message(tx, id, seq, now).await?;
    deliver::gone(tx, withdrawn).await
}

/// Somebody took a reaction back.
pub async fn withdraw_reaction(
    tx: &mut Tx,
    message: (ConversationId, i32),
    actor: UserId,
    emoji: &str,
    now: Instant,
) -> Result<()> {
    let withdrawn = store::withdraw_reaction(tx, message, actor, emoji, now).await?;
    deliver::gone(tx, withdrawn).await
}

/// Somebody's membership in these conversations ended: what was about them goes with it, also where they still see them.
pub async fn withdraw_from(tx: &mut Tx, user: UserId, ids: &[ConversationId], now: Instant) -> Result<()> {
    let withdrawn = store::withdraw_from(tx, user, ids, now).await?;
    deliver::gone(tx, withdrawn).await
}
