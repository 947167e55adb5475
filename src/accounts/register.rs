//! Registering.

use subtle::ConstantTimeEq;

use super::addresses::ask_for_proof;
use super::sessions::begin_session;
use super::{SignedIn, store};
use crate::app::App;
use crate::context::Origin;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::password;
use crate::text::{self, Wrong};
use crate::users::{self, ServerRole};

/// What a client sends.
pub struct RegisterInput {
    pub email: String,
    pub username: String,
    pub password: String,
    pub display_name: Option<String>,
    pub setup_code: Option<String>,
    pub client_name: Option<String>,
}

/// The same, checked.
pub struct RegisterDraft {
    email: String,
    username: String,
    password: String,
    display_name: Option<String>,
    setup_code: Option<String>,
    client_name: Option<String>,
}

impl RegisterDraft {
    pub fn from(input: RegisterInput) -> Result<Self> {
        let mut wrong = Wrong::default();
        let email = wrong.note("email", text::email(&input.email));
        let username = wrong.note("username", text::username(&input.username));
        let about = [input.email.as_str(), input.username.as_str(), input.display_name.as_deref().unwrap_or_default()];
        let password = wrong.note("password", password::chosen(&input.password, &about));
        let display_name =
            wrong.note("displayName", input.display_name.map(|name| text::line(&name, 1..=80)).transpose());
        let client_name = wrong.note("clientName", client_name(input.client_name));
        wrong.finish(|| {
            Some(Self {
                email: email?,
                username: username?,
                password: password?,
                display_name: display_name?,
                setup_code: input.setup_code,
                client_name: client_name?,
            })
        })
    }
}

/// What a client calls itself.
pub(super) fn client_name(name: Option<String>) -> Result<Option<String>, text::Fault> {
    name.map(|name| text::line(&name, 0..=100)).transpose()
}

/// Creates an account and signs it in. The first one with a password may become ADMIN.
pub async fn register(app: &App, origin: Origin, draft: RegisterDraft) -> Result<SignedIn> {
    let hash = app.passwords.hash(draft.password.clone()).await?;
    let (now, draft, hash) = (app.clock.now(), &draft, &hash);
    app.db
        .transaction(async move |tx| {
            if store::is_email_proven(tx, &draft.email).await? {
                return Err(Error::new(Code::Conflict, "Someone has proven this address as theirs"));
            }
            let role = first_role(app, tx, origin, draft).await?;
            let display_name = draft.display_name.clone().unwrap_or_else(|| draft.username.clone());
            let user = users::create(tx, now, draft.username.clone(), display_name, ServerRole::User).await?;
            store::insert_account(tx, user.id, &draft.email, hash, now).await?;
            if role != ServerRole::User {
                users::give_role(tx, now, None, user.id, role).await?;
            }
            ask_for_proof(app, tx, now, &user, &draft.email).await?;
            begin_session(app, tx, user.id, draft.client_name.clone(), origin).await
        })
        .await
}

/// ADMIN for the first account with a password, if whoever makes it certainly has the machine: over loopback where the
/// server is reached from there alone. Elsewhere, or later while nobody runs the server, by the code that the server
/// logs: strangers who are faster must not lock its owner out. Decided under a lock, so that two who come at once do not
/// both get it.
async fn first_role(app: &App, tx: &mut Tx, origin: Origin, draft: &RegisterDraft) -> Result<ServerRole> {
    store::lock_first_account(tx).await?;
    if let Some(code) = &draft.setup_code {
        let is_right: bool = code.trim().as_bytes().ct_eq(app.keys.setup_code().as_bytes()).into();
        return match is_right && !store::is_any_admin(tx).await? {
            true => Ok(ServerRole::Admin),
            false => Err(Error::new(Code::TokenInvalid, "The setup code is wrong, or was used")),
        };
    }
    let is_owner = origin.is_local && !app.config.http.is_public();
    Ok(match is_owner && !store::is_any_account(tx).await? {
        true => ServerRole::Admin,
        false => ServerRole::User,
    })
}

/// Whether the setup code is still good: nobody who can sign in runs the server.
pub async fn needs_setup_code(app: &App) -> Result<bool> {
    app.db.read(async |conn| store::is_any_admin(conn).await).await.map(|is_any| !is_any)
}
