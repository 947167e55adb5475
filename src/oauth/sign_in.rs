//! Signing in by what a provider says.

use super::link::{keep, tie};
use super::names::{Names, names};
use super::{CompleteDraft, Completed, Linked, store};
use crate::accounts::{self, Account, Admission, admit};
use crate::app::App;
use crate::context::Origin;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::invitations::Leave;
use crate::providers::{Identity, Provider};
use crate::users::{self, ServerRole};

/// Whose account it is.
struct Found {
    account: Account,
    /// `None` where they were found by their address and have a second factor to show first.
    linked: Option<Linked>,
    is_new_user: bool,
}

/// Signs in the one it is linked to, or who has proven the address that the provider has seen proven; else whoever it is has
/// a new account made for them.
pub(super) async fn sign_in(
    app: &App,
    origin: Origin,
    provider: &Provider,
    identity: Identity,
    draft: CompleteDraft,
) -> Result<Completed> {
    let (identity, draft) = (&identity, &draft);
    let names = names(identity, draft.username.as_deref());
    let mut left = names.len();
    for names in &names {
        left -= 1;
        let attempt = app.db.transaction(async move |tx| {
            let Found { account, linked, is_new_user } = find(app, tx, provider, identity, draft, names).await?;
            let (name, delivery) = (draft.client_name.clone(), draft.token_delivery);
            let admission = admit(app, tx, &account, name, delivery, origin).await?;
            Ok((admission, linked, is_new_user))
        });
        match attempt.await {
            // A name that was made up is somebody's, or looks like it; or somebody has just linked, or proven, the same.
            Err(error) if left > 0 && matches!(error.code(), Code::Conflict | Code::BadUserInput) => {}
            Err(error) => return Err(error),
            Ok((admission, linked, is_new_user)) => {
                let signed_in = Admission::into_result(admission)?;
                let linked = linked.ok_or_else(|| Error::internal("admitted by an address alone"))?;
                return Ok(Completed { linked, signed_in: Some(signed_in), is_new_user });
            }
        }
    }
    Err(Error::internal("no name was tried"))
}

async fn find(
    app: &App,
    tx: &mut Tx,
    provider: &Provider,
    identity: &Identity,
    draft: &CompleteDraft,
    names: &Names,
) -> Result<Found> {
    if let Some(linked) = store::find(tx, &provider.issuer, &identity.subject).await? {
        let account = accounts::lock(tx, linked.user_id).await?.ok_or_else(gone)?;
        users::undeleted(tx, linked.user_id).await?.ok_or_else(gone)?;
        // It may have been unlinked while that was waited for.
        let linked = store::find(tx, &provider.issuer, &identity.subject).await?;
        return Ok(Found { account, linked: Some(linked.ok_or_else(gone)?), is_new_user: false });
    }
    let owner = match &identity.proven_email {
        Some(email) => accounts::lock_owner_of(tx, email).await?,
        None => None,
    };
    let Some(account) = owner else { return come(app, tx, provider, identity, draft, names).await };
    // An address may come to be another person's there, and so does not outweigh what they were known by.
    let linked = store::of_user(tx, account.user_id).await?;
    if linked.iter().any(|linked| linked.issuer == provider.issuer) {
        let message =
            "Another account of this provider is linked to the account that has this address: sign in to that one";
        return Err(Error::new(Code::Conflict, message));
    }
    let linked = match account.second_factor_at {
        Some(_) => None,
        None => Some(tie(app, tx, &account, provider, identity).await?),
    };
    Ok(Found { account, linked, is_new_user: false })
}

/// Makes an account. It has no password; the address is theirs, if the provider has seen it proven.
async fn come(
    app: &App,
    tx: &mut Tx,
    provider: &Provider,
    identity: &Identity,
    draft: &CompleteDraft,
    names: &Names,
) -> Result<Found> {
    let now = app.clock.now();
    // Before anything is said about names: that is for those who may come.
    let leave = Leave::take(app, tx, draft.invitation.as_deref()).await?;
    let Names { username, display_name } = names;
    let user = users::create(tx, now, username.clone(), display_name.clone(), ServerRole::User).await?;
    let account = accounts::open(tx, now, user.id, identity.proven_email.as_deref()).await?;
    let linked = keep(app, tx, &account, provider, identity).await?;
    leave.welcome(app, tx, user.id).await?;
    Ok(Found { account, linked: Some(linked), is_new_user: true })
}

fn gone() -> Error {
    Error::new(Code::InvalidCredentials, "This account is linked to nobody here any more")
}
