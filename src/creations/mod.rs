//! What a clientKey created, so that the same call again answers with it. Messages keep theirs themselves.

mod store;

use uuid::Uuid;

use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::id::UserId;

/// Forgets all keys of somebody, who creates nothing any more.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(store::delete_of(tx, user).await?)
}

/// A key that somebody chose for something to be created; it holds for ever.
#[derive(Clone)]
pub struct CreationKey {
    pub user_id: UserId,
    /// Each mutation has keys of its own.
    pub mutation: &'static str,
    pub client_key: String,
    /// See `text::input_digest`.
    pub input_digest: Vec<u8>,
}

impl CreationKey {
    /// What an earlier call with it created; IDEMPOTENCY_KEY_REUSED where that one had another input.
    pub async fn used(&self, tx: &mut Tx) -> Result<Option<Uuid>> {
        match store::used(tx, self).await? {
            Some((_, digest)) if digest != self.input_digest => {
                Err(Error::new(Code::IdempotencyKeyReused, "This clientKey came before with different input"))
            }
            used => Ok(used.map(|(created, _)| created)),
        }
    }

    /// Takes it for what this transaction creates. CONFLICT where the same call was under way and has just created it:
    /// then it is a replay.
    pub async fn take(&self, tx: &mut Tx, created: Uuid) -> Result<()> {
        let underway = || Error::new(Code::Conflict, "The same call runs right now, try again");
        store::insert(tx, self, created).await.on_constraint("creation_keys_pkey", underway)
    }
}
