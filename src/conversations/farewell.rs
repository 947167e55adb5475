//! What somebody who is gone for good leaves behind: seats, and what they owned. They said so themselves, so nobody's rights
//! are judged; for all others it is as if they had left.

use serde_json::json;

use super::events::{CONVERSATION_ARCHIVED, Nothing};
use super::{Departure, Here, Kind, Member, MemberRole, direct, store};
use crate::app::App;
use crate::audit;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::notifications::Happening;

/// Conversations in which somebody has ever been, in the order of their ids, and whether they were alone there.
pub async fn ever_in(
    app: &App,
    user: UserId,
    after: Option<ConversationId>,
    limit: i64,
) -> Result<Vec<(ConversationId, bool)>> {
    app.db.read(async move |conn| store::ever_in(conn, user, after, limit).await).await
}

/// Ends the seat of somebody who is gone, and hands on what they owned. The conversation of two stays as it was, for the
/// other one to read, and is closed: nobody answers there any more.
pub async fn part(app: &App, gone: UserId, id: ConversationId, now: Instant) -> Result<()> {
    app.db
        .transaction(async move |tx| {
            let mut here = Here::in_absence(tx, gone, id, now).await?;
            let Some(seat) = here.seat.clone() else { return Ok(()) };
            if here.conversation.kind == Kind::Direct && here.conversation.member_count == 2 {
                if here.conversation.archived_at.is_none() {
                    here.conversation.archived_at = Some(here.now);
                    here.log(CONVERSATION_ARCHIVED, &Nothing {})?;
                }
                return here.write(tx).await.map(drop);
            }
            here.unseat(tx, &seat, Departure::Left, None).await?;
            if here.conversation.kind == Kind::Direct {
                direct::regroup(tx, &mut here).await?;
            }
            if seat.role == MemberRole::Owner {
                hand_on(app, tx, &mut here, &seat).await?;
            }
            here.write(tx).await.map(drop)
        })
        .await
}

/// To whoever has the highest role, and of those has been there for longest. Where nobody is left, nobody owns it.
async fn hand_on(app: &App, tx: &mut Tx, here: &mut Here, from: &Member) -> Result<()> {
    let Some(heir) = store::heir(tx, from.conversation_id).await? else { return Ok(()) };
    here.give_role(tx, &heir, MemberRole::Owner).await?;
    here.tell(app, tx, Happening::RoleChanged, Some(MemberRole::Owner), &[heir.user_id]).await?;
    let details = json!({
        "conversation": here.sight().reference().to_string(),
        "user": heir.user_id.to_string(),
        "from": from.user_id.to_string(),
    });
    audit::record(tx, here.now, Some(from.user_id), "conversation.transfer", heir.id.to_string(), details).await
}
