//! Blocks by the handful.

use std::collections::{HashMap, HashSet};

use super::store;
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::UserId;

/// Whether the first has blocked the second; there is nothing where not.
pub struct HasBlocked;

impl Load for HasBlocked {
    type Key = (UserId, UserId);
    type Value = ();

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, ()>> {
        // One viewer asks in a request; more come only where somebody signs in within it.
        let blockers: Vec<_> = keys.iter().map(|(blocker, _)| *blocker).collect::<HashSet<_>>().into_iter().collect();
        let blocked: Vec<_> = keys.iter().map(|(_, blocked)| *blocked).collect();
        let found = app.db.read(async move |conn| store::pairs(conn, &blockers, &blocked).await).await?;
        Ok(found.into_iter().map(|pair| (pair, ())).collect())
    }
}
