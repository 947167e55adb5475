//! Handing a conversation over.

use serde_json::json;

use super::here::lock_with_member;
use super::{Action, ChangedMember, MemberRole, store};
use crate::app::App;
use crate::audit;
use crate::error::{Code, Error, Result};
use crate::id::MemberId;
use crate::notifications::Happening;
use crate::users;
use crate::viewer::Viewer;

/// Hands a conversation over to a member; who owned it becomes an admin of it. Whoever owns it already goes on.
pub async fn transfer(app: &App, viewer: &Viewer, id: MemberId) -> Result<ChangedMember> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let (mut here, member) = lock_with_member(tx, viewer, id, now).await?;
            if !member.holds() {
                return Err(Error::not_found("member"));
            }
            let owner = store::owner(tx, here.sight().id()).await?;
            here.may(Action::TransferOwnership { has_owner: owner.is_some() }).or_refuse()?;
            if member.role == MemberRole::Owner {
                return Ok(ChangedMember { changed: here.unchanged(), member });
            }
            // Nobody can sign in as them: it would be lost to all.
            if !users::reachable(tx, &[member.user_id]).await?.contains(&member.user_id) {
                return Err(
                    Error::new(Code::FailedPrecondition, "Nobody can sign in as them").with("reason", "UNREACHABLE")
                );
            }
            // The old one first: there is never more than one.
            if let Some(owner) = &owner {
                here.give_role(tx, owner, MemberRole::Admin).await?;
            }
            let changed = here.give_role(tx, &member, MemberRole::Owner).await?;
            here.tell(app, tx, Happening::RoleChanged, Some(MemberRole::Owner), &[member.user_id]).await?;
            let details = json!({
                "conversation": here.sight().reference().to_string(),
                "user": member.user_id.to_string(),
                "from": owner.map(|owner| owner.user_id.to_string()),
            });
            audit::record(tx, here.now, Some(viewer.user_id), "conversation.transfer", id.to_string(), details).await?;
            Ok(ChangedMember { changed: here.write(tx).await?, member: changed })
        })
        .await
}
