//! Who wants nothing to do with whom. A block is one's own doing; what follows from it holds for both.

mod block;
mod list;
mod loaders;
mod store;

use std::collections::HashSet;

pub use block::{block, unblock};
pub use list::{BlockCursor, blocked_users};
pub use loaders::HasBlocked;

use crate::app::App;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;

/// Everybody who stands in a block with somebody, whoever of the two has blocked.
pub async fn in_block_with(app: &App, user: UserId) -> Result<HashSet<UserId>> {
    let pairs = app.db.read(async move |conn| store::with(conn, user).await).await?;
    Ok(pairs.into_iter().map(|pair| other_of(pair, user)).collect())
}

/// The same among some people.
pub async fn in_block_among(tx: &mut Tx, user: UserId, others: &[UserId]) -> Result<HashSet<UserId>> {
    if others.is_empty() {
        return Ok(HashSet::new());
    }
    let both_ways: Vec<_> = others.iter().flat_map(|&other| [(user, other), (other, user)]).collect();
    let pairs = store::existing(tx, &both_ways).await?;
    Ok(pairs.into_iter().map(|pair| other_of(pair, user)).collect())
}

/// Forgets whom somebody has blocked. Whoever has blocked them keeps that.
pub async fn forget_blocks(tx: &mut Tx, blocker: UserId) -> Result<()> {
    Ok(store::delete_by(tx, blocker).await?)
}

/// Of these pairs, those in which the first has blocked the second.
pub async fn blocks_of(tx: &Tx, pairs: &[(UserId, UserId)]) -> Result<HashSet<(UserId, UserId)>> {
    Ok(store::existing(tx, pairs).await?.into_iter().collect())
}

fn other_of((blocker, blocked): (UserId, UserId), user: UserId) -> UserId {
    if blocker == user { blocked } else { blocker }
}
