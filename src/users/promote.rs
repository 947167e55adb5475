//! Roles on the server.

use serde_json::json;

use super::{ServerRole, store};
use crate::app::App;
use crate::audit;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::realtime::{Mark, Subject};

/// Gives somebody a role, and notes by whom; `None` is the server or its operator.
pub async fn give_role(
    tx: &mut Tx,
    now: crate::clock::Instant,
    by: Option<UserId>,
    id: UserId,
    role: ServerRole,
) -> Result<()> {
    store::set_role(tx, id, role, now).await?;
    tx.outbox().marks.push((id, Mark::Changed(Subject::Viewer)));
    audit::record(tx, now, by, "user.role", id.to_string(), json!({ "role": role })).await
}

/// What `chinwag user promote` does.
pub async fn promote(app: &App, username: &str, role: ServerRole) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let user = store::by_username(tx, &username.to_lowercase()).await?;
            let user = user.filter(|user| user.is_claimed).ok_or_else(|| Error::not_found("user"))?;
            if user.role == role {
                return Ok(());
            }
            give_role(tx, now, None, user.id, role).await
        })
        .await
}
