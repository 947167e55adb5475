//! Deleting one's account.

use chrono::TimeDelta;
use serde_json::json;

use super::Erase;
use super::erase::forget;
use crate::accounts::{self, Fresh};
use crate::app::App;
use crate::audit;
use crate::error::Result;
use crate::id::UserId;
use crate::mail::{self, Letter};
use crate::oauth;
use crate::users;

/// Whatever was under way when somebody went is done by then.
const SETTLED: TimeDelta = TimeDelta::minutes(2);

/// Deletes the account of whoever has given the proof.
pub async fn delete_account(app: &App, fresh: &Fresh, deletes_messages: bool) -> Result<UserId> {
    let (now, user_id) = (app.clock.now(), fresh.viewer().user_id);
    app.db
        .transaction(async move |tx| {
            let account = fresh.hold(app, tx).await?;
            users::go(tx, now, user_id).await?;
            if let Some(address) = account.proven_email() {
                mail::send(app, tx, address, &letter(), None);
            }
            oauth::forget(tx, user_id).await?;
            accounts::close(tx, user_id, now).await?;
            forget(tx, user_id).await?;
            let details = json!({ "deletesMessages": deletes_messages });
            audit::record(tx, now, Some(user_id), "user.delete", user_id.to_string(), details).await?;
            let erase = || Erase { user_id, deletes_messages, after: None };
            tx.enqueue(erase()).keyed(user_id.to_string());
            tx.enqueue(erase()).keyed(format!("{user_id} again")).at(now + SETTLED);
            Ok(user_id)
        })
        .await
}

fn letter() -> Letter {
    Letter::new("Your account was deleted")
        .paragraph("Your account was deleted, as somebody who was signed in to it asked for.")
        .paragraph("If that was not you, tell those who run the server. What was deleted cannot be brought back.")
}
