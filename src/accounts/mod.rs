//! Accounts: who signs in, with what, and for how long.

pub mod devices;
pub mod graphql;
mod login;
pub mod preferences;
mod purge;
mod register;
mod sessions;
mod store;
mod tokens;

pub use login::{LoginDraft, log_in};
pub use purge::PurgeSessions;
pub use register::{RegisterDraft, RegisterInput, create, first_role, may_run_the_server, needs_setup_code};
pub use sessions::{Tokens, Which, log_out, refresh, revoke, sessions_of};
pub use store::{Account, Session};
pub use tokens::{authenticate, session_expires_at};

use crate::app::App;
use crate::error::Result;
use crate::id::{SessionId, UserId};
use crate::viewer::Viewer;

/// What signing in, registering and refreshing answer with.
pub struct SignedIn {
    pub viewer: Viewer,
    pub session: Session,
    pub tokens: Tokens,
}

/// The viewer's account; `None` for people who have none.
pub async fn account(app: &App, id: UserId) -> Result<Option<Account>> {
    app.db.read(async move |conn| store::account(conn, id).await).await
}

/// Where somebody can be mailed: an address that they have proven.
pub async fn proven_email(app: &App, id: UserId) -> Result<Option<String>> {
    let account = account(app, id).await?;
    Ok(account.filter(|account| account.email_verified_at.is_some()).map(|account| account.email))
}

/// Of these sessions, those that have not ended.
pub async fn live_sessions(app: &App, ids: Vec<SessionId>) -> Result<Vec<Session>> {
    let now = app.clock.now();
    let mut found = app.db.read(async |conn| store::sessions(conn, &ids).await).await?;
    found.retain(|session| session.is_live(now));
    Ok(found)
}
