//! Removing people.

use serde_json::json;

use super::here::lock_with_member;
use super::{Action, Changed, Departure};
use crate::app::App;
use crate::audit;
use crate::error::Result;
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
    app.db
        .transaction(async move |tx| {
            let (mut here, member) = lock_with_member(tx, viewer, id, now).await?;
            here.may(Action::Remove(here.role_of(tx, &member).await?)).or_refuse()?;
            if !member.holds() {
                return Ok(here.unchanged());
            }
            here.unseat(tx, &member, Departure::Removed, reason.clone()).await?;
            let place = here.sight().reference().to_string();
            let details = json!({ "conversation": place, "user": member.user_id.to_string(), "reason": reason });
            audit::record(tx, now, Some(viewer.user_id), "conversation.member.remove", id.to_string(), details).await?;
            here.write(tx).await
        })
        .await
}
