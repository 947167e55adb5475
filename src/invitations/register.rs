//! Registering, where it is decided who may.

use super::redeem::redeem;
use crate::accounts::{self, RegisterDraft, SignedIn};
use crate::app::App;
use crate::config::RegistrationPolicy;
use crate::context::Origin;
use crate::error::{Code, Error, Result};
use crate::groups;
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
    let (now, draft, hash, invitation) = (app.clock.now(), &draft, &hash, &invitation);
    app.db
        .transaction(async move |tx| {
            let role = accounts::first_role(app, tx, origin, draft).await?;
            if !has_leave && role != ServerRole::Admin {
                return Err(closed(policy));
            }
            // Before anything is said about names and addresses: that is for those who may come.
            let used = match invitation {
                Some(token) if policy != RegistrationPolicy::AdminOnly => Some(redeem(tx, token, now).await?),
                _ => None,
            };
            let signed_in = accounts::create(app, tx, origin, draft, hash, role).await?;
            if let Some((group, host)) = used.and_then(|used| Some((used.group_id?, used.created_by_id))) {
                groups::welcome(tx, group, host, signed_in.viewer.user_id, now).await?;
            }
            Ok(signed_in)
        })
        .await
}

fn closed(policy: RegistrationPolicy) -> Error {
    Error::new(
        Code::RegistrationClosed,
        match policy {
            RegistrationPolicy::Invitation => "Registering takes an invitation",
            _ => "This server takes no new accounts",
        },
    )
}
