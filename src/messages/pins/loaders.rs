//! Pins by the handful. Whoever asks has sight of the conversation.

use std::collections::HashMap;

use super::store::{self, Pin};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::ConversationId;

/// The pin of the message at a position, if it is pinned.
pub struct PinOf;

impl Load for PinOf {
    type Key = (ConversationId, i32);
    type Value = Pin;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Pin>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::of_messages(conn, &keys).await).await?;
        Ok(found.into_iter().map(|pin| ((pin.conversation_id, pin.seq), pin)).collect())
    }
}
