//! The second half of a sign-in.

use super::judge::{self, Verdict, judge};
use super::store;
use crate::accounts::mailed::digest;
use crate::accounts::sessions::begin_session;
use crate::accounts::{SignedIn, TokenDelivery};
use crate::app::App;
use crate::context::Origin;
use crate::error::{Code, Error, Result};
use crate::users;

/// What a challenge is answered with.
pub struct AnswerDraft {
    pub challenge: String,
    pub code: String,
}

/// Finishes a sign-in, and says where its client wants the refresh token. A challenge that was answered rightly is spent; a
/// wrong answer leaves it as it is.
pub async fn answer(app: &App, origin: Origin, draft: &AnswerDraft) -> Result<(SignedIn, TokenDelivery)> {
    let (now, digest) = (app.clock.now(), &digest(&draft.challenge));
    let (verdict, signed_in) = app
        .db
        .transaction(async move |tx| {
            let spent = || Error::new(Code::TokenInvalid, "This took too long, or was answered: sign in once more");
            // First, as wherever somebody signs in or goes: whoever deletes the account has it before what is theirs.
            let account = store::lock_account_of(tx, digest, now).await?.ok_or_else(spent)?;
            let challenge = store::lock_challenge(tx, digest, now).await?.ok_or_else(spent)?;
            users::undeleted(tx, challenge.user_id).await?.ok_or_else(spent)?;
            let verdict = judge(app, tx, &account, &draft.code).await?;
            if verdict != Verdict::Right {
                return Ok((verdict, None));
            }
            store::delete_challenge(tx, digest).await?;
            let signed_in = begin_session(app, tx, challenge.user_id, challenge.client_name, origin).await?;
            Ok((verdict, Some((signed_in, challenge.token_delivery))))
        })
        .await?;
    verdict.into_result(now)?;
    signed_in.ok_or_else(judge::wrong)
}
