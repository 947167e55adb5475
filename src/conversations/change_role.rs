//! Changing what others may.

use serde_json::json;

use super::here::lock_with_member;
use super::{Action, Changed, Member, MemberRole};
use crate::app::App;
use crate::audit;
use crate::error::{Error, Result};
use crate::id::MemberId;
use crate::notifications::Happening;
use crate::text::{Fault, Wrong};
use crate::viewer::Viewer;

/// Who is to have which role, checked.
#[derive(Debug)]
pub struct RoleDraft {
    member: MemberId,
    role: MemberRole,
}

/// A membership after a change of it.
pub struct ChangedMember {
    pub changed: Changed,
    pub member: Member,
}

impl RoleDraft {
    pub fn from(member_id: &str, role: MemberRole) -> Result<Self> {
        let mut wrong = Wrong::default();
        let member = wrong.note("memberId", MemberId::parse(member_id).ok_or_else(Fault::not_an_id));
        wrong.finish(|| Some(Self { member: member?, role }))
    }
}

/// Gives a member of lower rank another role, up to one's own. Who has it already keeps it.
pub async fn change_role(app: &App, viewer: &Viewer, draft: RoleDraft) -> Result<ChangedMember> {
    let (now, RoleDraft { member: id, role }) = (app.clock.now(), draft);
    app.db
        .transaction(async move |tx| {
            let (mut here, member) = lock_with_member(tx, viewer, id, now).await?;
            if !member.holds() {
                return Err(Error::not_found("member"));
            }
            here.may(Action::ChangeRole(here.role_of(tx, &member).await?, role)).or_refuse()?;
            if member.role == role {
                return Ok(ChangedMember { changed: here.unchanged(), member });
            }
            let changed = here.give_role(tx, &member, role).await?;
            here.tell(app, tx, Happening::RoleChanged, Some(role), &[member.user_id]).await?;
            let details = json!({
                "conversation": here.sight().reference().to_string(),
                "user": member.user_id.to_string(),
                "from": member.role,
                "to": role,
            });
            audit::record(tx, here.now, Some(viewer.user_id), "conversation.member.role", id.to_string(), details)
                .await?;
            Ok(ChangedMember { changed: here.write(tx).await?, member: changed })
        })
        .await
}
