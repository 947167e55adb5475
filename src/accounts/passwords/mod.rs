//! Passwords: set anew by whoever reads the mail of a proven address, or changed by whoever knows the present one. Either
//! way the other sessions end: whoever else knew it is out.

mod change;
pub mod graphql;
mod mail_reset;
mod request_reset;
mod reset;
mod store;

pub use change::{ChangeDraft, change_password};
pub use mail_reset::MailReset;
pub use request_reset::{RequestDraft, request_reset};
pub use reset::reset_password;

use super::{Account, second_factor, sessions};
use crate::app::App;
use crate::clock::Instant;
use crate::context::Load;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{SessionId, UserId};
use crate::password;
use crate::users::UserById;

/// Judges a new password by what is known of its owner; it stands in `input.<field>`.
async fn chosen(app: &App, account: &Account, new: &str, field: &'static str) -> Result<String> {
    let owner = UserById::load(app, &[account.user_id]).await?.remove(&account.user_id);
    let names = owner.as_ref().map(|user| [user.username.as_str(), user.display_name.as_str()]);
    let about: Vec<&str> = names.into_iter().flatten().chain(account.email.as_deref()).collect();
    password::chosen(new, &about).map_err(|fault| Error::bad_input(vec![fault.of(field)]))
}

/// Ends what the old password began, but for the session that stays; says how many sessions that were. Sign-ins that are
/// half done go first: one that is just being finished is waited for, and then ended with the others.
async fn end_what_it_began(tx: &mut Tx, now: Instant, id: UserId, stays: Option<SessionId>) -> Result<usize> {
    second_factor::forget_challenges(tx, id).await?;
    Ok(sessions::end_others(tx, id, stays, now).await?.len())
}
