//! Names by which somebody could be taken for those who run the server.

use super::store;
use crate::db::Tx;
use crate::error::{Error, InputCode, Result};
use crate::id::UserId;
use crate::text::{Fault, looks_like};

/// Refuses a name that looks like that of another ADMIN, or like their handle.
pub(super) async fn refuse_likeness(tx: &mut Tx, user: UserId, display_name: &str) -> Result<()> {
    let admins = store::names_of_admins(tx, user).await?;
    match admins.iter().flat_map(|(handle, name)| [handle, name]).any(|name| looks_like(display_name, name)) {
        false => Ok(()),
        true => {
            let fault = Fault::new(InputCode::NotAllowed, "This looks like the name of somebody who runs the server");
            Err(Error::bad_input(vec![fault.of("displayName")]))
        }
    }
}
