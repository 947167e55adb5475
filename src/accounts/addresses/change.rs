//! Changing one's address.

use super::{AskForProof, store};
use crate::accounts::{Fresh, Incident, alarm, mailed};
use crate::app::App;
use crate::error::Result;
use crate::realtime::{Mark, Subject};
use crate::text::{self, Wrong};

/// The new one, checked.
pub struct EmailDraft {
    email: String,
}

impl EmailDraft {
    pub fn from(email: &str) -> Result<Self> {
        let mut wrong = Wrong::default();
        let email = wrong.note("email", text::email(email));
        wrong.finish(|| Some(Self { email: email? }))
    }
}

/// Begins the change: the address takes effect once it is proven, and until then the one before holds. Whether somebody else
/// has it makes no difference here. The present one, asked for again, is what stays.
pub async fn change_email(app: &App, fresh: &Fresh, draft: &EmailDraft) -> Result<()> {
    let (now, email) = (app.clock.now(), draft.email.as_str());
    app.db
        .transaction(async move |tx| {
            let before = fresh.hold(app, tx).await?;
            let pending = Some(email).filter(|email| before.email.as_deref() != Some(*email));
            if before.pending_email.as_deref() == pending {
                // Asked for twice: what was mailed holds, and is mailed again where that was a while ago.
                if before.proven_email() != Some(email) {
                    AskForProof { email: email.to_owned(), user_id: Some(before.user_id) }.enqueue(tx);
                }
                return Ok(());
            }
            store::set_pending(tx, before.user_id, pending).await?;
            tx.outbox().marks.push((before.user_id, Mark::Changed(Subject::Viewer)));
            // What was mailed to the one that was wanted before is not to bring it back.
            mailed::void(tx, now, before.user_id).await?;
            if pending.is_some() {
                alarm(app, tx, &before, Incident::EmailChangeBegun).await?;
            }
            if before.proven_email() != Some(email) {
                AskForProof { email: email.to_owned(), user_id: Some(before.user_id) }.enqueue(tx);
            }
            Ok(())
        })
        .await
}
