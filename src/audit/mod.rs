//! Who did what to whom, for good: rows are added and never changed. The lowest area: it takes plain values.

mod store;

use serde_json::Value;

use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{AuditId, UserId};

/// Notes an action as part of the transaction that does it. `actor` is `None` for the server and its operator,
/// `subject` the public id of what it was done to.
pub async fn record(
    tx: &mut Tx,
    now: Instant,
    actor: Option<UserId>,
    action: &'static str,
    subject: String,
    details: Value,
) -> Result<()> {
    Ok(store::insert(tx, AuditId::at(now), now, actor, action, subject, details).await?)
}
