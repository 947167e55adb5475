//! Asking for the letter once more.

use super::AskForProof;
use crate::accounts::{self, mailed};
use crate::app::App;
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::text::{self, Wrong};
use crate::viewer::Viewer;

/// For which address; the viewer's own when absent.
pub struct RequestDraft {
    email: Option<String>,
}

impl RequestDraft {
    pub fn from(email: Option<String>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let email = wrong.note("email", email.map(|email| text::email(&email)).transpose());
        wrong.finish(|| Some(Self { email: email? }))
    }
}

/// Has the letter sent again, if there is one to send, and says when it may be asked for again. The answer and the work are
/// the same for every address.
pub async fn request_verification(app: &App, viewer: Option<&Viewer>, draft: RequestDraft) -> Result<Instant> {
    let own = match viewer {
        Some(viewer) => accounts::account(app, viewer.user_id).await?,
        None if draft.email.is_none() => return Err(Error::unauthenticated()),
        None => None,
    };
    let names = |email: &String| {
        own.as_ref().filter(|own| own.email.as_ref() == Some(email) || own.pending_email.as_ref() == Some(email))
    };
    let ask = match draft.email {
        Some(email) => Some(AskForProof { user_id: names(&email).map(|own| own.user_id), email }),
        None => own.and_then(|own| {
            let unproven = own.email.filter(|_| own.email_verified_at.is_none());
            Some(AskForProof { email: own.pending_email.or(unproven)?, user_id: Some(own.user_id) })
        }),
    };
    if let Some(ask) = ask {
        app.db
            .transaction(async move |tx| {
                ask.enqueue(tx);
                Ok(())
            })
            .await?;
    }
    Ok(app.clock.now() + mailed::PAUSE)
}
