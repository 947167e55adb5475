//! Readers of messages by the handful. Whoever asks has sight of the conversation.

use std::collections::HashMap;

use super::{Reader, Readers, store};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::page::Direction;

/// Parts of lists of readers, in the direction in which they are read.
pub struct ReadersOf;

impl Load for ReadersOf {
    type Key = Readers;
    type Value = Vec<Reader>;

    async fn load(app: &App, keys: &[Readers]) -> Result<HashMap<Readers, Vec<Reader>>> {
        // Those that are equally long are read together; most often that is all of them.
        let mut alike = HashMap::<(Direction, i64), Vec<Readers>>::new();
        for key in keys {
            alike.entry((key.direction, key.limit)).or_default().push(key.clone());
        }
        let mut found = HashMap::<_, Vec<_>>::new();
        for ((direction, limit), keys) in alike {
            let parts = &keys;
            let readers = app.db.read(async move |conn| store::readers(conn, parts, direction, limit).await).await?;
            for (place, reader) in readers {
                found.entry(keys[place].clone()).or_default().push(reader);
            }
        }
        Ok(found)
    }
}
