//! Signing in.

use super::register::client_name;
use super::second_factor::admit;
use super::{SignedIn, TokenDelivery, store};
use crate::app::App;
use crate::context::Origin;
use crate::error::{Code, Error, Result};
use crate::text::Wrong;

/// Credentials, checked.
pub struct LoginDraft {
    identifier: String,
    password: String,
    client_name: Option<String>,
    token_delivery: TokenDelivery,
}

impl LoginDraft {
    pub fn from(
        identifier: String,
        password: String,
        name: Option<String>,
        token_delivery: TokenDelivery,
    ) -> Result<Self> {
        let mut wrong = Wrong::default();
        let client_name = wrong.note("clientName", client_name(name));
        // Whatever cannot be a name or a password is answered like a wrong one: this is no place to learn the rules.
        let identifier = folded(&identifier);
        wrong.finish(|| Some(Self { identifier, password, client_name: client_name?, token_delivery }))
    }
}

/// Signs in by mail address or username. An unknown name and a wrong password get the same answer after the same work.
/// SECOND_FACTOR_REQUIRED where the account takes two: then it goes on with `second_factor::answer`.
pub async fn log_in(app: &App, origin: Origin, draft: LoginDraft) -> Result<SignedIn> {
    let LoginDraft { identifier, password, client_name, token_delivery } = draft;
    app.limits.attempt(&identifier).await;
    let found = app.db.read(async |conn| store::to_sign_in(conn, &identifier).await).await?;
    let (user_id, hash) = found.unzip();
    let hash = hash.flatten();
    let is_right = app.passwords.verify(password, hash.clone()).await?;
    let wrong = || Error::new(Code::InvalidCredentials, "Wrong name, address or password");
    let user_id = user_id.filter(|_| is_right).ok_or_else(wrong)?;
    let admission = app.db.transaction(async move |tx| {
        let account = store::lock_account(tx, user_id).await?.ok_or_else(wrong)?;
        // It was changed meanwhile, and whoever signed in with the old one is out.
        if account.password_hash != hash {
            return Err(wrong());
        }
        admit(app, tx, &account, client_name, token_delivery, origin).await
    });
    admission.await?.into_result()
}

/// As names and addresses are kept. NUL, which no name has, cannot even be looked up.
fn folded(identifier: &str) -> String {
    identifier.trim().replace('\0', "\u{fffd}").to_lowercase()
}
