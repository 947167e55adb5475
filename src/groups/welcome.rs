//! Whoever comes to the server by an invitation into a group.

use super::{Action, MemberRole, Verdict, hold};
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Code, Result};
use crate::id::{GroupId, UserId};
use crate::viewer::Viewer;

/// Makes somebody new a member, in the name of the one who invited them: where that one may add people no longer, or the
/// group is archived, they come without it.
pub async fn welcome(tx: &mut Tx, id: GroupId, host: UserId, newcomer: UserId, now: Instant) -> Result<()> {
    let mut held = match hold(tx, &Viewer::absent(host), id, now).await {
        Err(error) if error.code() == Code::NotFound => return Ok(()),
        held => held?,
    };
    if held.may(Action::AddMembers(MemberRole::Member)) != Verdict::Allowed {
        return Ok(());
    }
    held.admit(tx, &[newcomer], MemberRole::Member).await?;
    held.write(tx).await.map(drop)
}
