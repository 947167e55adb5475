//! Removing people.

use serde_json::json;

use super::{Action, Conversation, Departure, Reference, lock, store};
use crate::app::App;
use crate::audit;
use crate::error::{Code, Error, Result};
use crate::id::MemberId;
use crate::text;
use crate::viewer::Viewer;

/// Why somebody is removed, for the audit: at most 500 characters.
pub fn reason(text: Option<String>) -> Result<Option<String>> {
    let mut wrong = text::Wrong::default();
    let reason = wrong.note("reason", text.map(|text| text::block(&text, 0..=500)).transpose());
    wrong.finish(|| reason).map(|reason| reason.filter(|reason| !reason.is_empty()))
}

/// Removes a member of lower rank.
pub async fn remove_member(app: &App, viewer: &Viewer, id: MemberId, reason: Option<String>) -> Result<Conversation> {
    let now = app.clock.now();
    let missing = || Error::not_found("member");
    app.db
        .transaction(async move |tx| {
            let found = store::members_by_ids(tx, &[id]).await?.pop().ok_or_else(missing)?;
            let kind = store::kind(tx, found.conversation_id).await?;
            let place = Reference { kind, id: found.conversation_id };
            let mut here = lock(tx, viewer, place, now).await.map_err(|error| match error.code() {
                Code::NotFound => missing(),
                _ => error,
            })?;
            // Looked at again under the lock: they may have left, or come back with another role.
            let seat = store::seat(tx, place.id, found.user_id).await?;
            let seat = seat.filter(|seat| seat.id == id && seat.holds()).ok_or_else(missing)?;
            here.may(Action::Remove(seat.role)).or_refuse()?;
            here.unseat(tx, &seat, Departure::Removed, reason.clone()).await?;
            let details =
                json!({ "conversation": place.to_string(), "user": seat.user_id.to_string(), "reason": reason });
            audit::record(tx, now, Some(viewer.user_id), "conversation.member.remove", id.to_string(), details).await?;
            here.write(tx).await
        })
        .await
}
