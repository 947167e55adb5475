//! Handing a group over.

use serde_json::json;

use super::channels::Channels;
use crate::app::App;
use crate::audit;
use crate::conversations::MemberRole;
use crate::error::{Code, Error, Result};
use crate::groups::{Action, ChangedMember, hold_with_member};
use crate::id::GroupMemberId;
use crate::notifications::Happening;
use crate::users;
use crate::viewer::Viewer;

/// Hands a group over to a member; who owned it becomes an admin of it. Whoever owns it already goes on.
pub async fn transfer_group(app: &App, viewer: &Viewer, id: GroupMemberId) -> Result<ChangedMember> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let (mut held, member) = hold_with_member(tx, viewer, id, now).await?;
            if !member.holds() {
                return Err(Error::not_found("member"));
            }
            let owner = held.owner(tx).await?;
            held.may(Action::TransferOwnership { has_owner: owner.is_some() }).or_refuse()?;
            if member.role == MemberRole::Owner {
                return Ok(ChangedMember { changed: held.unchanged(), member });
            }
            // Nobody can sign in as them: it would be lost to all.
            if !users::reachable(tx, &[member.user_id]).await?.contains(&member.user_id) {
                return Err(
                    Error::new(Code::FailedPrecondition, "Nobody can sign in as them").with("reason", "UNREACHABLE")
                );
            }
            // Held although nothing is written in them: the old owner may less in them from now on.
            let channels = Channels::hold(tx, viewer, &held).await?;
            // The old one first: there is never more than one.
            if let Some(owner) = &owner {
                held.give_role(tx, owner, MemberRole::Admin).await?;
                channels.tell_of_role(tx, owner.user_id).await?;
            }
            let changed = held.give_role(tx, &member, MemberRole::Owner).await?;
            channels.tell_of_role(tx, member.user_id).await?;
            held.tell(app, tx, Happening::RoleChanged, Some(MemberRole::Owner), &[member.user_id]).await?;
            let details = json!({
                "group": held.id().to_string(),
                "user": member.user_id.to_string(),
                "from": owner.map(|owner| owner.user_id.to_string()),
            });
            audit::record(tx, held.now, Some(viewer.user_id), "group.transfer", id.to_string(), details).await?;
            Ok(ChangedMember { changed: held.write(tx).await?, member: changed })
        })
        .await
}
