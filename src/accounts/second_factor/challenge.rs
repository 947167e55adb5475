//! The first half of a sign-in that takes two.

use chrono::TimeDelta;

use super::store::{self, Challenge};
use crate::accounts::mailed::{digest, secret};
use crate::accounts::sessions::begin_session;
use crate::accounts::{Account, SignedIn, TokenDelivery};
use crate::app::App;
use crate::context::Origin;
use crate::db::Tx;
use crate::error::{Code, Error, Result};

/// How long the second half may take.
const WAITS: TimeDelta = TimeDelta::minutes(5);

/// What comes of a first half that was right.
pub enum Admission {
    SignedIn(Box<SignedIn>),
    /// What the second half is asked for by.
    Challenge(String),
}

impl Admission {
    /// As the one who signs in is told, once it is committed.
    pub fn into_result(self) -> Result<SignedIn> {
        match self {
            Self::SignedIn(signed_in) => Ok(*signed_in),
            Self::Challenge(challenge) => {
                let message = "The password was right, a second factor is needed";
                Err(Error::new(Code::SecondFactorRequired, message).with("challenge", challenge))
            }
        }
    }
}

/// Lets somebody in who has shown one thing that is theirs, such as the password: at once, or by a challenge where the
/// account takes two. The account is locked.
pub async fn admit(
    app: &App,
    tx: &mut Tx,
    account: &Account,
    client_name: Option<String>,
    token_delivery: TokenDelivery,
    origin: Origin,
) -> Result<Admission> {
    let user_id = account.user_id;
    if account.second_factor_at.is_none() {
        let signed_in = begin_session(app, tx, user_id, client_name, origin).await?;
        return Ok(Admission::SignedIn(Box::new(signed_in)));
    }
    let challenge = secret();
    let first_half = Challenge { user_id, client_name, token_delivery };
    store::insert_challenge(tx, &digest(&challenge), &first_half, app.clock.now() + WAITS).await?;
    Ok(Admission::Challenge(challenge))
}
