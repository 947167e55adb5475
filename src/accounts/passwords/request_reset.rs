//! Asking for a reset.

use super::MailReset;
use crate::accounts::mailed;
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::text::{self, Wrong};

/// By which address.
pub struct RequestDraft {
    email: String,
}

impl RequestDraft {
    pub fn from(email: &str) -> Result<Self> {
        let mut wrong = Wrong::default();
        let email = wrong.note("email", text::email(email));
        wrong.finish(|| Some(Self { email: email? }))
    }
}

/// Has the owner of an address mailed what resets their password, and says when it may be asked for again. The answer and
/// the work are the same for every address: whose it is, is found out later.
pub async fn request_reset(app: &App, draft: RequestDraft) -> Result<Instant> {
    app.db
        .transaction(async move |tx| {
            let key = draft.email.clone();
            tx.enqueue(MailReset { email: draft.email }).keyed(key);
            Ok(())
        })
        .await?;
    Ok(app.clock.now() + mailed::PAUSE)
}
