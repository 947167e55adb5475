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
        let username = text::username(&input.username).and_then(|name| text::unreserved(&name).map(|()| name));
        let username = wrong.note("username", username);
        let about = [input.email.as_str(), input.username.as_str(), input.display_name.as_deref().unwrap_or_default()];
        let password = wrong.note("password", password::chosen(&input.password, &about));
        let display_name =
            wrong.note("displayName", input.display_name.map(|name| text::display_name(&name)).transpose());
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

impl RegisterDraft {
    /// The password, as it is kept.
    pub async fn hash(&self, app: &App) -> Result<String> {
        app.passwords.hash(self.password.clone()).await
    }
}

/// What a client calls itself.
pub fn client_name(name: Option<String>) -> Result<Option<String>, text::Fault> {
    name.map(|name| text::line(&name, 0..=100)).transpose()
}

/// Creates an account with this role and signs it in.
pub async fn create(
    app: &App,
    tx: &mut Tx,
    origin: Origin,
    draft: &RegisterDraft,
    hash: &str,
    role: ServerRole,
) -> Result<SignedIn> {
    let now = app.clock.now();
    if store::is_email_proven(tx, &draft.email).await? {
        return Err(Error::new(Code::Conflict, "Someone has proven this address as theirs"));
    }
    let display_name = draft.display_name.clone().unwrap_or_else(|| draft.username.clone());
    let user = users::create(tx, now, draft.username.clone(), display_name, ServerRole::User).await?;
    store::insert_account(tx, user.id, &draft.email, hash, now).await?;
    if role != ServerRole::User {
        users::give_role(tx, now, None, user.id, role).await?;
    }
    ask_for_proof(app, tx, now, &user, &draft.email).await?;
    begin_session(app, tx, user.id, draft.client_name.clone(), origin).await
}

/// ADMIN for the first account with a password, if whoever makes it certainly has the machine: over loopback where the
/// server is reached from there alone. Elsewhere, or later while nobody runs the server, by the code that the server
/// logs: strangers who are faster must not lock its owner out. Decided under a lock, so that two who come at once do not
/// both get it.
pub async fn first_role(app: &App, tx: &mut Tx, origin: Origin, draft: &RegisterDraft) -> Result<ServerRole> {
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

/// Whether somebody may become ADMIN by registering, before it is decided under the lock.
pub async fn may_run_the_server(app: &App, origin: Origin, draft: &RegisterDraft) -> Result<bool> {
    let may_be_first = draft.setup_code.is_some() || (origin.is_local && !app.config.http.is_public());
    Ok(may_be_first && needs_setup_code(app).await?)
}

/// Whether the setup code is still good: nobody who can sign in runs the server.
pub async fn needs_setup_code(app: &App) -> Result<bool> {
    app.db.read(async |conn| store::is_any_admin(conn).await).await.map(|is_any| !is_any)
}
