//! Tokens that are mailed to an address: whoever brings one has read mail there. Each is good for one thing, once, and not
//! for long; kept is its digest alone, so but for letters that wait to be sent nothing that is read in the database opens an
//! account.

mod purge;
mod store;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};

pub use purge::PurgeTokens;
pub use store::Mailed;

use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::UserId;

/// Between two letters of a kind to one account at one address.
pub const PAUSE: TimeDelta = TimeDelta::minutes(1);
/// Letters of a kind to one address in `COUNTED`, whichever accounts they are about: nobody floods a stranger.
const LETTERS: usize = 10;
const COUNTED: TimeDelta = TimeDelta::hours(1);

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
    /// Nothing: the letter only says that somebody wants an address that is taken.
    EmailTaken,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "VERIFY_EMAIL",
            Self::ResetPassword => "RESET_PASSWORD",
            Self::EmailTaken => "EMAIL_TAKEN",
        }
    }

    /// How long. A reset is asked for by who sits and waits for it.
    fn lives(self) -> TimeDelta {
        match self {
            Self::ResetPassword => TimeDelta::hours(1),
            Self::VerifyEmail | Self::EmailTaken => TimeDelta::days(3),
        }
    }
}

/// A new token for a letter to this address; `None` where enough of them went there lately.
pub async fn make(tx: &mut Tx, now: Instant, what: Purpose, user_id: UserId, email: &str) -> Result<Option<String>> {
    let lately = store::sent_since(tx, what.name(), email, now - COUNTED).await?;
    let is_too_soon = lately.iter().any(|(of, sent_at)| *of == user_id && *sent_at > now - PAUSE);
    if is_too_soon || lately.len() >= LETTERS {
        return Ok(None);
    }
    let token = secret();
    store::insert(tx, &digest(&token), what.name(), user_id, email, now, now + what.lives()).await?;
    Ok(Some(token))
}

/// Whose token this is, and where it was mailed; TOKEN_INVALID where it is none, or none any more.
pub async fn find(app: &App, what: Purpose, token: &str) -> Result<Mailed> {
    let (now, digest) = (app.clock.now(), digest(token));
    let found = app.db.read(async |conn| store::find(conn, &digest, what.name(), now).await).await?;
    found.ok_or_else(invalid)
}

/// The same, and it is none any more: of two who bring it at once, one gets this answer.
pub async fn spend(tx: &mut Tx, now: Instant, what: Purpose, token: &str) -> Result<Mailed> {
    store::take(tx, &digest(token), what.name(), now).await?.ok_or_else(invalid)
}

/// Makes all that were mailed about somebody's account good for nothing.
pub async fn void(tx: &mut Tx, now: Instant, user_id: UserId) -> Result<()> {
    Ok(store::expire_of(tx, user_id, now).await?)
}

/// And those that would prove an address, whoever's: it is somebody's now.
pub async fn void_proofs(tx: &mut Tx, now: Instant, email: &str) -> Result<()> {
    Ok(store::expire_to(tx, Purpose::VerifyEmail.name(), email, now).await?)
}

pub fn invalid() -> Error {
    Error::new(Code::TokenInvalid, "This is not, or no longer, good: ask for another one")
}

/// What nobody guesses, in letters that links take as they are.
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// As it is kept. It is as long as a digest, so a plain one will do.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
