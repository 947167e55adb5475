//! Linking an account elsewhere to the viewer's.

use super::{Completed, Linked, store};
use crate::accounts::{self, Account, Incident, alarm};
use crate::app::App;
use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::id::OAuthAccountId;
use crate::providers::{Identity, Provider};
use crate::realtime::{Mark, Subject};
use crate::viewer::Viewer;

/// Accounts that one may have linked.
const MOST: usize = 20;

/// Links it to the viewer, who gave proof when they set out. What is linked to them already stays as it is.
pub(super) async fn link(app: &App, viewer: &Viewer, provider: &Provider, identity: Identity) -> Result<Completed> {
    let identity = &identity;
    let linked = app
        .db
        .transaction(async move |tx| {
            let account = accounts::hold(app, tx, viewer).await?;
            match store::find(tx, &provider.issuer, &identity.subject).await? {
                Some(linked) if linked.user_id == viewer.user_id => Ok(linked),
                Some(_) => Err(taken()),
                None => tie(app, tx, &account, provider, identity).await,
            }
        })
        .await?;
    Ok(Completed { linked, signed_in: None, is_new_user: false })
}

/// Links it to an account, which is locked, and tells its owner. CONFLICT where somebody was faster.
pub(super) async fn tie(
    app: &App,
    tx: &mut Tx,
    account: &Account,
    provider: &Provider,
    identity: &Identity,
) -> Result<Linked> {
    if store::of_user(tx, account.user_id).await?.len() >= MOST {
        let message = "No more accounts can be linked: unlink one first";
        return Err(Error::new(Code::FailedPrecondition, message).with("reason", "TOO_MANY_OAUTH_ACCOUNTS"));
    }
    let linked = keep(app, tx, account, provider, identity).await?;
    tx.outbox().marks.push((account.user_id, Mark::Changed(Subject::Viewer)));
    alarm(app, tx, account, Incident::OauthAccountLinked).await?;
    Ok(linked)
}

/// Writes down whose it is.
pub(super) async fn keep(
    app: &App,
    tx: &mut Tx,
    account: &Account,
    provider: &Provider,
    identity: &Identity,
) -> Result<Linked> {
    let now = app.clock.now();
    let linked = Linked {
        id: OAuthAccountId::at(now),
        user_id: account.user_id,
        issuer: provider.issuer.clone(),
        subject: identity.subject.clone(),
        label: identity.label.clone(),
        linked_at: now,
    };
    store::insert(tx, &linked).await.on_constraint("oauth_accounts_issuer_subject_key", taken)?;
    accounts::touch(tx, account.user_id).await?;
    Ok(linked)
}

fn taken() -> Error {
    Error::new(Code::Conflict, "This account is linked to somebody else here")
}
