//! Presences by the handful.

use std::collections::HashMap;

use super::{Presence, store, visible_presence};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::UserId;

/// What the first of the key sees of the second.
pub struct PresenceOf;

impl Load for PresenceOf {
    type Key = (UserId, UserId);
    type Value = Presence;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Presence>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::kept(conn, &keys).await).await?;
        Ok(found.into_iter().map(|kept| ((kept.viewer, kept.user_id), visible_presence(app, kept))).collect())
    }
}
