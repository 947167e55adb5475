//! Changing what others may in a group.

use serde_json::json;

use super::channels::Channels;
use crate::app::App;
use crate::audit;
use crate::conversations::MemberRole;
use crate::error::{Error, Result};
use crate::groups::{Action, ChangedMember, hold_with_member};
use crate::id::GroupMemberId;
use crate::notifications::Happening;
use crate::text::{Fault, Wrong};
use crate::viewer::Viewer;

/// Who is to have which role, checked.
#[derive(Debug)]
pub struct RoleInGroupDraft {
    member: GroupMemberId,
    role: MemberRole,
}

impl RoleInGroupDraft {
    pub fn from(member_id: &str, role: MemberRole) -> Result<Self> {
        let mut wrong = Wrong::default();
        let member = wrong.note("memberId", GroupMemberId::parse(member_id).ok_or_else(Fault::not_an_id));
        wrong.finish(|| Some(Self { member: member?, role }))
    }
}

/// Gives a member of lower rank another role, up to one's own. Who has it already keeps it. Whoever becomes a guest keeps
/// their seats, and sees nothing else of the group's channels.
pub async fn change_group_role(app: &App, viewer: &Viewer, draft: RoleInGroupDraft) -> Result<ChangedMember> {
    let (now, RoleInGroupDraft { member: id, role }) = (app.clock.now(), draft);
    app.db
        .transaction(async move |tx| {
            let (mut held, member) = hold_with_member(tx, viewer, id, now).await?;
            if !member.holds() {
                return Err(Error::not_found("member"));
            }
            held.may(Action::ChangeRole(member.role, role)).or_refuse()?;
            if member.role == role {
                return Ok(ChangedMember { changed: held.unchanged(), member });
            }
            let mut channels = Channels::hold(tx, viewer, &held).await?;
            if role == MemberRole::Guest {
                channels.confine(tx, member.user_id).await?;
            }
            let changed = held.give_role(tx, &member, role).await?;
            channels.tell_of_role(tx, member.user_id).await?;
            held.tell(app, tx, Happening::RoleChanged, Some(role), &[member.user_id]).await?;
            channels.write(tx).await?;
            let details = json!({
                "group": held.id().to_string(),
                "user": member.user_id.to_string(),
                "from": member.role,
                "to": role,
            });
            audit::record(tx, held.now, Some(viewer.user_id), "group.member.role", id.to_string(), details).await?;
            Ok(ChangedMember { changed: held.write(tx).await?, member: changed })
        })
        .await
}
