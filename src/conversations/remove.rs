//! Removing people.

use serde_json::json;

use super::{Action, Changed, Departure, Reference, lock, store};
use crate::app::App;
use crate::audit;
use crate::error::{Code, Error, Result};
use crate::id::MemberId;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// Whom to remove, checked.
#[derive(Debug)]
pub struct RemoveDraft {
    member: MemberId,
    reason: Option<String>,
}

impl RemoveDraft {
    pub fn from(member_id: &str, reason: Option<String>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let member = wrong.note("memberId", MemberId::parse(member_id).ok_or_else(Fault::not_an_id));
        let reason = wrong.note("reason", text::reason(reason));
        wrong.finish(|| Some(Self { member: member?, reason: reason? }))
    }
}

/// Removes a member of lower rank. A membership that has ended stays so.
pub async fn remove_member(app: &App, viewer: &Viewer, draft: RemoveDraft) -> Result<Changed> {
    let (now, id, reason) = (app.clock.now(), draft.member, draft.reason);
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
            // Looked at again under the lock: they may have left, or come back with another seat.
            let seat = store::seat(tx, place.id, found.user_id).await?;
            let seat = seat.filter(|seat| seat.id == id).ok_or_else(missing)?;
            here.may(Action::Remove(seat.role)).or_refuse()?;
            if !seat.holds() {
                return Ok(here.unchanged());
            }
            here.unseat(tx, &seat, Departure::Removed, reason.clone()).await?;
            let details =
                json!({ "conversation": place.to_string(), "user": seat.user_id.to_string(), "reason": reason });
            audit::record(tx, now, Some(viewer.user_id), "conversation.member.remove", id.to_string(), details).await?;
            here.write(tx).await
        })
        .await
}
