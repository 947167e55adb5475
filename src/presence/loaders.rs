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
        let mut found = HashMap::new();
        // One viewer asks in a request; more come only where somebody signs in within it.
        let viewers: std::collections::HashSet<UserId> = keys.iter().map(|(viewer, _)| *viewer).collect();
        for viewer in viewers {
            let people: Vec<_> = keys.iter().filter(|key| key.0 == viewer).map(|key| key.1).collect();
            let kept = app.db.read(async move |conn| store::kept(conn, viewer, &people).await).await?;
            found.extend(kept.into_iter().map(|kept| ((viewer, kept.user_id), visible_presence(app, viewer, kept))));
        }
        Ok(found)
    }
}
