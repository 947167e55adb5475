//! Unlinking.

use super::store;
use crate::accounts::{self, Fresh, Incident, alarm};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::id::OAuthAccountId;
use crate::realtime::{Mark, Subject};

/// Unlinks an account of the viewer's, unless they could not come back without it: no password, and no other that is linked
/// and whose provider is still asked.
pub async fn unlink(app: &App, fresh: &Fresh, id: OAuthAccountId) -> Result<()> {
    app.db
        .transaction(async move |tx| {
            let account = fresh.hold(app, tx).await?;
            let (gone, others): (Vec<_>, Vec<_>) =
                store::of_user(tx, account.user_id).await?.into_iter().partition(|linked| linked.id == id);
            if gone.is_empty() {
                return Err(Error::not_found("OAuth account"));
            }
            let is_another_way_in = others.iter().any(|linked| app.providers.of(&linked.issuer).is_some());
            if account.password_hash.is_none() && !is_another_way_in {
                let message = "This is the only way left to sign in: set a password first, or link another account";
                return Err(Error::new(Code::FailedPrecondition, message).with("reason", "ONLY_WAY_IN"));
            }
            store::delete(tx, id).await?;
            accounts::touch(tx, account.user_id).await?;
            tx.outbox().marks.push((account.user_id, Mark::Changed(Subject::Viewer)));
            alarm(app, tx, &account, Incident::OauthAccountUnlinked).await
        })
        .await
}
