//! What a group's change does to its channels: who leaves it loses sight of them and their seats there, and they close and
//! open with it.
//!
//! Whatever takes something from somebody there, or changes what a send checks, holds the group's row first and then the
//! rows of all its channels (`Channels`). So whoever was removed sends nothing afterwards, and nobody gets a seat in a
//! channel of a group that they have just left.

mod archive;
mod change_role;
mod channels;
mod farewell;
mod leave;
mod remove;
mod transfer;

pub use archive::{archive_group, unarchive_group};
pub use change_role::{RoleInGroupDraft, change_group_role};
pub use farewell::part_from_group;
pub use leave::leave_group;
pub use remove::{RemoveFromGroupDraft, remove_group_member};
pub use transfer::transfer_group;

use channels::Channels;

use super::Departure;
use crate::db::Tx;
use crate::error::Result;
use crate::groups::{Held, Member};
use crate::viewer::Viewer;

/// Ends a membership of a group and all that it gave.
async fn dismiss(
    tx: &mut Tx,
    viewer: &Viewer,
    held: &mut Held,
    member: &Member,
    departure: Departure,
    note: Option<String>,
) -> Result<()> {
    let mut channels = Channels::hold(tx, viewer, held).await?;
    channels.dismiss(tx, member.user_id, departure).await?;
    held.dismiss(tx, member, departure, note).await?;
    channels.write(tx).await
}
