//! Linked accounts by the handful.

use std::collections::HashMap;

use super::store::{self, Linked};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::OAuthAccountId;

pub struct LinkedById;

impl Load for LinkedById {
    type Key = OAuthAccountId;
    type Value = Linked;

    async fn load(app: &App, keys: &[OAuthAccountId]) -> Result<HashMap<OAuthAccountId, Linked>> {
        let found = app.db.read(async |conn| store::by_ids(conn, keys).await).await?;
        Ok(found.into_iter().map(|linked| (linked.id, linked)).collect())
    }
}
