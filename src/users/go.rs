//! Going for good: what is left of somebody is a placeholder.

use super::{ServerRole, handles, store};
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::UserId;
use crate::realtime::{Mark, Subject};

/// What is shown in the place of a name.
const NAME: &str = "Deleted user";

/// Blanks somebody's profile; their handle is held for a while. FAILED_PRECONDITION for the last ADMIN: nobody could run the
/// server any more.
pub async fn go(tx: &mut Tx, now: Instant, id: UserId) -> Result<()> {
    // Of the last two who go at once one stays: they stand in line for all of them.
    let is_admin = store::by_ids(tx, &[id]).await?.iter().any(|user| user.role.administers());
    let admins = if is_admin { store::lock_admins(tx).await? } else { Vec::new() };
    let user = store::lock_for_good(tx, id).await?.filter(|user| user.deleted_at.is_none());
    let user = user.ok_or_else(Error::unauthenticated)?;
    if user.role.administers() && admins.iter().all(|admin| *admin == id) {
        let message = "You are the last who runs this server: give somebody the role first";
        return Err(Error::new(Code::FailedPrecondition, message).with("reason", "LAST_ADMIN"));
    }
    let gone = super::User {
        // No handle has a ~, and no import writes this one.
        username: format!("deleted~{}", id.to_string().trim_start_matches("user_")),
        display_name: NAME.to_owned(),
        bio: None,
        role: ServerRole::User,
        version: user.version + 1,
        updated_at: now,
        deleted_at: Some(now),
        ..user.clone()
    };
    store::save_gone(tx, &gone).await?;
    handles::leave_for_good(tx, id, &user.username, now).await?;
    tx.outbox().marks.push((id, Mark::Changed(Subject::Viewer)));
    // Whoever sees them sees them go.
    tx.outbox().presences.push(id);
    Ok(())
}
