//! A few words of one's own.

use super::{CustomStatus, store};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// What a client sends.
pub struct CustomStatusInput {
    pub text: Option<String>,
    pub emoji: Option<String>,
    pub expires_at: Option<Instant>,
}

/// A custom status to be, checked; without text and emoji it clears the one there is.
pub struct CustomStatusDraft(CustomStatus);

impl CustomStatusDraft {
    pub fn from(input: CustomStatusInput, now: Instant) -> Result<Self> {
        let mut wrong = Wrong::default();
        let text = wrong.note("text", input.text.map(|text| text::line(&text, 0..=100)).transpose());
        let emoji = wrong.note("emoji", input.emoji.map(|emoji| text::emoji(&emoji)).transpose());
        let expires_at = match input.expires_at {
            Some(end) if end <= now => wrong.note("expiresAt", Err(Fault::past())),
            end => wrong.note("expiresAt", end.map(text::end).transpose()),
        };
        wrong.finish(|| {
            let (text, emoji, expires_at) = (text?.filter(|text| !text.is_empty()), emoji?, expires_at?);
            let says_something = text.is_some() || emoji.is_some();
            Some(Self(CustomStatus { text, emoji, expires_at: expires_at.filter(|_| says_something) }))
        })
    }
}

/// Sets it, or clears it.
pub async fn set_custom_status(app: &App, viewer: &Viewer, draft: CustomStatusDraft) -> Result<()> {
    let status = &draft.0;
    app.db
        .transaction(async move |tx| {
            store::save_custom_status(tx, viewer.user_id, status).await?;
            tx.outbox().presences.push(viewer.user_id);
            Ok(())
        })
        .await
}
