//! Messages by the handful. Whoever asks has sight of the conversation, but for `MessageById`.

use std::collections::HashMap;

use super::store::{self, Message};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{ConversationId, MessageId};

/// A message by its position.
pub struct MessageAt;

impl Load for MessageAt {
    type Key = (ConversationId, i32);
    type Value = Message;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Message>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::at(conn, &keys).await).await?;
        Ok(found.into_iter().map(|message| ((message.conversation_id, message.seq), message)).collect())
    }
}

/// A message by its id: sight of its conversation is still to be asked for.
pub struct MessageById;

impl Load for MessageById {
    type Key = MessageId;
    type Value = Message;

    async fn load(app: &App, keys: &[MessageId]) -> Result<HashMap<MessageId, Message>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::by_ids(conn, &keys).await).await?;
        Ok(found.into_iter().map(|message| (message.id, message)).collect())
    }
}
