//! Removing somebody from a group.

use serde_json::json;

use super::dismiss;
use crate::app::App;
use crate::audit;
use crate::conversations::Departure;
use crate::error::Result;
use crate::groups::{Action, Changed, hold_with_member};
use crate::id::GroupMemberId;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// Whom to remove, checked.
#[derive(Debug)]
pub struct RemoveFromGroupDraft {
    member: GroupMemberId,
    reason: Option<String>,
}

impl RemoveFromGroupDraft {
    pub fn from(member_id: &str, reason: Option<String>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let member = wrong.note("memberId", GroupMemberId::parse(member_id).ok_or_else(Fault::not_an_id));
        let reason = wrong.note("reason", text::reason(reason));
        wrong.finish(|| Some(Self { member: member?, reason: reason? }))
    }
}

/// Removes a member of lower rank from a group and all of its channels. A membership that has ended stays so.
pub async fn remove_group_member(app: &App, viewer: &Viewer, draft: RemoveFromGroupDraft) -> Result<Changed> {
    let (now, id, reason) = (app.clock.now(), draft.member, draft.reason);
    app.db
        .transaction(async move |tx| {
            let (mut held, member) = hold_with_member(tx, viewer, id, now).await?;
            held.may(Action::Remove(member.role)).or_refuse()?;
            if !member.holds() {
                return Ok(held.unchanged());
            }
            dismiss(tx, viewer, &mut held, &member, Departure::Removed, reason.clone()).await?;
            let (group, user) = (held.id().to_string(), member.user_id.to_string());
            let details = json!({ "group": group, "user": user, "reason": reason });
            audit::record(tx, held.now, Some(viewer.user_id), "group.member.remove", id.to_string(), details).await?;
            held.write(tx).await
        })
        .await
}
