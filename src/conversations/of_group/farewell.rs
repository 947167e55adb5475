//! What somebody who is gone for good leaves behind in groups.

use serde_json::json;

use super::channels::Channels;
use crate::app::App;
use crate::audit;
use crate::clock::Instant;
use crate::conversations::{Departure, MemberRole};
use crate::error::{Code, Result};
use crate::groups::{self, hold};
use crate::id::{GroupId, UserId};
use crate::notifications::Happening;
use crate::viewer::Viewer;

/// Ends the membership of somebody who is gone, and all that it gave. What they owned goes to whoever has the highest role,
/// and of those has been there for longest.
pub async fn part_from_group(app: &App, gone: UserId, id: GroupId, now: Instant) -> Result<()> {
    let viewer = Viewer::absent(gone);
    app.db
        .transaction(async move |tx| {
            let mut held = match hold(tx, &viewer, id, now).await {
                // Somebody was faster.
                Err(error) if error.code() == Code::NotFound => return Ok(()),
                held => held?,
            };
            let Some(own) = held.own_membership(tx).await? else { return Ok(()) };
            let mut channels = Channels::hold(tx, &viewer, &held).await?;
            channels.dismiss(tx, gone, Departure::Left).await?;
            held.dismiss(tx, &own, Departure::Left, None).await?;
            let heir = match own.role {
                MemberRole::Owner => groups::heir(tx, id).await?,
                _ => None,
            };
            if let Some(heir) = heir {
                held.give_role(tx, &heir, MemberRole::Owner).await?;
                channels.tell_of_role(tx, heir.user_id).await?;
                held.tell(app, tx, Happening::RoleChanged, Some(MemberRole::Owner), &[heir.user_id]).await?;
                let details = json!({
                    "group": id.to_string(),
                    "user": heir.user_id.to_string(),
                    "from": gone.to_string(),
                });
                audit::record(tx, held.now, Some(gone), "group.transfer", heir.id.to_string(), details).await?;
            }
            channels.write(tx).await?;
            held.write(tx).await.map(drop)
        })
        .await
}
