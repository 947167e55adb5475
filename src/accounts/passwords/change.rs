//! Changing one's password.

use super::{chosen, end_what_it_began, store};
use crate::accounts::{self, Fresh, Incident, alarm, mailed};
use crate::app::App;
use crate::error::{Error, Result};
use crate::realtime::{Mark, Subject};

/// The new one, and whether whoever signed in with the old one is out.
pub struct ChangeDraft {
    pub new: String,
    pub revokes_other_sessions: bool,
}

/// Changes the viewer's password. Links that were mailed to reset the old one are good for nothing any more.
pub async fn change_password(app: &App, fresh: &Fresh, draft: &ChangeDraft) -> Result<()> {
    let viewer = fresh.viewer();
    let account = accounts::account(app, viewer.user_id).await?.ok_or_else(Error::unauthenticated)?;
    let hash = &app.passwords.hash(chosen(app, &account, &draft.new, "newPassword").await?).await?;
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let before = fresh.hold(app, tx).await?;
            store::set_password(tx, before.user_id, hash).await?;
            mailed::void(tx, now, before.user_id).await?;
            if draft.revokes_other_sessions {
                end_what_it_began(tx, now, before.user_id, Some(viewer.session_id)).await?;
            }
            tx.outbox().marks.push((before.user_id, Mark::Changed(Subject::Viewer)));
            alarm(app, tx, &before, Incident::PasswordChanged).await
        })
        .await
}
