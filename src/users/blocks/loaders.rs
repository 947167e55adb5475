//! Blocks by the handful.

use std::collections::HashMap;

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
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::existing(conn, &keys).await).await?;
        Ok(found.into_iter().map(|pair| (pair, ())).collect())
    }
}
