//! Other people than those for whom it was opened.

use super::name::rename;
use crate::conversations::{Here, store};
use crate::db::Tx;
use crate::error::Result;

/// Somebody was added, or has left: nobody finds it by its people any more, and two who are left need no name for it.
pub async fn regroup(tx: &mut Tx, here: &mut Here) -> Result<()> {
    store::give_up_key(tx, here.conversation.id).await?;
    if here.conversation.has_fixed_people() && here.conversation.name.is_some() {
        rename(tx, here, None).await?;
    }
    Ok(())
}
