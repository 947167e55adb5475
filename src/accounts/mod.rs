//! Accounts: who signs in, with what, and for how long.

pub mod graphql;
mod login;
mod register;
mod sessions;
mod store;
mod tokens;

pub use login::{LoginDraft, log_in};
pub use register::{RegisterDraft, RegisterInput, needs_setup_code, register};
pub use sessions::{Tokens, log_out, refresh};
pub use store::{Account, Session};
pub use tokens::{authenticate, session_expires_at};

use std::sync::Arc;

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

/// A session of this user that has not ended.
pub async fn session(app: &App, user_id: UserId, id: SessionId) -> Result<Option<Arc<Session>>> {
    let now = app.clock.now();
    let found = app.db.read(async move |conn| store::session(conn, id).await).await?;
    Ok(found.filter(|session| session.user_id == user_id && session.is_live(now)).map(Arc::new))
}
