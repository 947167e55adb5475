//! Proof that it is really they who ask, and that it was only just given.
//!
//! Whoever finds a telephone unlocked, or steals a token, has a session. What would let them keep the account, or take it
//! along, wants more than that, and takes a `Fresh`.

use chrono::TimeDelta;

use super::{Account, second_factor, sessions, store};
use crate::app::App;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::limits::{Budget, Payer};
use crate::viewer::Viewer;

/// How long a session counts as proof after it began: for those who have no password to give.
const NEW: TimeDelta = TimeDelta::minutes(10);

/// What the viewer gives as proof.
pub enum Proof {
    /// The present password; `None` only where there is none, and the session has just begun.
    Password(Option<String>),
    /// A code of the second factor, or a recovery code.
    Code(String),
}

/// That it was given. Made by `fresh` alone.
pub struct Fresh {
    viewer: Viewer,
    /// The password's, when it was given.
    password_hash: Option<String>,
}

/// Takes the proof, or answers INVALID_CREDENTIALS, or RATE_LIMITED. It takes long, so it stands before the transaction.
pub async fn fresh(app: &App, viewer: &Viewer, proof: Proof) -> Result<Fresh> {
    let account = super::account(app, viewer.user_id).await?.ok_or_else(Error::unauthenticated)?;
    match proof {
        Proof::Password(Some(password)) => {
            // Whoever has stolen a session may guess, from as many addresses as they like. That its owner has to wait
            // meanwhile keeps them neither from signing in nor from ending that session.
            app.limits.charge(Budget::Proofs, Payer::User(viewer.user_id), 1)?;
            let is_right = app.passwords.verify(password, account.password_hash.clone()).await?;
            is_right.then_some(()).ok_or_else(stale)?;
        }
        Proof::Password(None) => {
            let is_enough = account.password_hash.is_none() && has_just_begun(app, viewer).await?;
            is_enough.then_some(()).ok_or_else(stale)?;
        }
        Proof::Code(code) => second_factor::prove(app, &account, &code).await?,
    }
    Ok(Fresh { viewer: *viewer, password_hash: account.password_hash })
}

impl Fresh {
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Locks the account until the transaction has ended; the first thing in it. Meanwhile the session may have ended, or
    /// the password changed: then the proof is none any more, and of two who change something by the same one, one does.
    pub async fn hold(&self, app: &App, tx: &mut Tx) -> Result<Account> {
        let account = store::lock_account(tx, self.viewer.user_id).await?.ok_or_else(Error::unauthenticated)?;
        sessions::hold(tx, &self.viewer, app.clock.now()).await?;
        match account.password_hash == self.password_hash {
            true => Ok(account),
            false => Err(stale()),
        }
    }
}

/// Since it began, however often it was refreshed.
async fn has_just_begun(app: &App, viewer: &Viewer) -> Result<bool> {
    let sessions = super::live_sessions(app, vec![viewer.session_id]).await?;
    Ok(sessions.iter().any(|session| app.clock.now() - session.created_at <= NEW))
}

fn stale() -> Error {
    Error::new(Code::InvalidCredentials, "This takes the present password or, where there is none, a new sign-in")
}
