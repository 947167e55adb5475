//! Signing in.

use super::register::client_name;
use super::sessions::begin_session;
use super::{SignedIn, store};
use crate::app::App;
use crate::context::Origin;
use crate::error::{Code, Error, Result};
use crate::text::Wrong;

/// Credentials, checked.
pub struct LoginDraft {
    identifier: String,
    password: String,
    client_name: Option<String>,
}

impl LoginDraft {
    pub fn from(identifier: String, password: String, name: Option<String>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let client_name = wrong.note("clientName", client_name(name));
        // Whatever cannot be a name or a password is answered like a wrong one: this is no place to learn the rules.
        wrong.finish(|| Some(Self { identifier: folded(&identifier), password, client_name: client_name? }))
    }
}

/// Signs in by mail address or username. An unknown name and a wrong password get the same answer after the same work.
pub async fn log_in(app: &App, origin: Origin, draft: LoginDraft) -> Result<SignedIn> {
    let LoginDraft { identifier, password, client_name } = draft;
    app.limits.attempt(&identifier).await;
    let found = app.db.read(async |conn| store::to_sign_in(conn, &identifier).await).await?;
    let (user_id, hash) = found.unzip();
    // A password that no account can have is not worth a hash of any length.
    let password: String = password.chars().take(201).collect();
    let is_right = app.passwords.verify(password, hash.flatten()).await?;
    let Some(user_id) = user_id.filter(|_| is_right) else {
        return Err(Error::new(Code::InvalidCredentials, "Wrong name, address or password"));
    };
    app.db.transaction(async move |tx| begin_session(app, tx, user_id, client_name, origin).await).await
}

/// As names and addresses are kept. NUL, which no name has, cannot even be looked up.
fn folded(identifier: &str) -> String {
    identifier.trim().replace('\0', "\u{fffd}").to_lowercase()
}
