//! Registering, where it is decided who may.

use super::leave::{Leave, closed};
use crate::accounts::{self, RegisterDraft, SignedIn};
use crate::app::App;
use crate::config::RegistrationPolicy;
use crate::context::Origin;
use crate::error::Result;
use crate::users::ServerRole;

/// Creates an account and signs it in. Whoever is the first to run the server needs no leave. An invitation is used where
/// one is given, and taken back where the account does not come about.
pub async fn register(app: &App, origin: Origin, draft: RegisterDraft, invitation: Option<String>) -> Result<SignedIn> {
    let policy = app.config.limits.registration;
    let has_leave = match policy {
        RegistrationPolicy::Open => true,
        RegistrationPolicy::Invitation => invitation.is_some(),
        RegistrationPolicy::AdminOnly => false,
    };
    // Before the password is hashed, which is work that strangers could have done without end.
    if !has_leave && !accounts::may_run_the_server(app, origin, &draft).await? {
        return Err(closed(policy));
    }
    let hash = draft.hash(app).await?;
    let (draft, hash, invitation) = (&draft, &hash, invitation.as_deref());
    app.db
        .transaction(async move |tx| {
            let role = accounts::first_role(app, tx, origin, draft).await?;
            // Before anything is said about names and addresses: that is for those who may come.
            let brings_none = invitation.is_none_or(|token| token.trim().is_empty());
            let needs_none = role == ServerRole::Admin && (brings_none || policy == RegistrationPolicy::AdminOnly);
            let leave = match needs_none {
                true => Leave::default(),
                false => Leave::take(app, tx, invitation).await?,
            };
            let signed_in = accounts::create(app, tx, origin, draft, hash, role).await?;
            leave.welcome(app, tx, signed_in.viewer.user_id).await?;
            Ok(signed_in)
        })
        .await
}
