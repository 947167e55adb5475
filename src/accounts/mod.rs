//! Accounts: who signs in, with what, and for how long.

pub mod addresses;
mod alarm;
mod close;
pub mod devices;
mod elsewhere;
mod fresh;
pub mod graphql;
mod login;
mod mailed;
pub mod passwords;
pub mod preferences;
mod purge;
mod register;
pub mod second_factor;
mod sessions;
mod store;
mod tokens;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

pub use alarm::{Alarm, Incident, alarm};
pub use close::close;
pub use elsewhere::{hold, lock, lock_owner_of, open, touch};
pub use fresh::{Fresh, Proof, fresh};
pub use login::{LoginDraft, log_in};
pub use mailed::{PurgeTokens, digest, secret};
pub use purge::PurgeSessions;
pub use register::{
    RegisterDraft, RegisterInput, client_name, create, first_role, may_run_the_server, needs_setup_code,
};
pub use second_factor::{Admission, admit};
pub use sessions::{Tokens, Which, log_out, refresh, revoke, sessions_of};
pub use store::{Account, Session};
pub use tokens::{authenticate, session_expires_at};

use crate::app::App;
use crate::db::text_enum;
use crate::error::Result;
use crate::id::{SessionId, UserId};
use crate::viewer::Viewer;

/// Where a client wants its refresh token. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum TokenDelivery {
    /// In an HttpOnly, SameSite cookie: for browsers, and not over a WebSocket.
    Cookie,
    /// In the payload: for native apps, which keep it in the device's key store.
    Payload,
}
text_enum!(TokenDelivery);

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

/// The accounts of these people, of those who have one.
pub async fn accounts_of(app: &App, users: &[UserId]) -> Result<Vec<Account>> {
    app.db.read(async move |conn| store::accounts_of(conn, users).await).await
}

/// Where somebody can be mailed: an address that they have proven.
pub async fn proven_email(app: &App, id: UserId) -> Result<Option<String>> {
    let account = account(app, id).await?;
    Ok(account.and_then(|account| account.proven_email().map(str::to_owned)))
}

/// Of these sessions, those that have not ended.
pub async fn live_sessions(app: &App, ids: Vec<SessionId>) -> Result<Vec<Session>> {
    let now = app.clock.now();
    let mut found = app.db.read(async |conn| store::sessions(conn, &ids).await).await?;
    found.retain(|session| session.is_live(now));
    Ok(found)
}
