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
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{SessionId, UserId};
use crate::{password, users};

/// Judges a new password by what is known of its owner; it stands in `input.<field>`.
async fn chosen(app: &App, account: &Account, new: &str, field: &'static str) -> Result<String> {
    let id = account.user_id;
    let names = app.db.transaction(async move |tx| users::undeleted(tx, id).await).await?;
    let (username, display_name) = names.map(|user| (user.username, user.display_name)).unwrap_or_default();
    let about = [username.as_str(), display_name.as_str(), account.email.as_deref().unwrap_or_default()];
    password::chosen(new, &about).map_err(|fault| Error::bad_input(vec![fault.of(field)]))
}

/// Ends what the old password began, but for the session that stays; says how many sessions that were. Sign-ins that are
/// half done go first: one that is just being finished is waited for, and then ended with the others.
async fn end_what_it_began(tx: &mut Tx, now: Instant, id: UserId, stays: Option<SessionId>) -> Result<usize> {
    second_factor::forget_challenges(tx, id).await?;
    Ok(sessions::end_others(tx, id, stays, now).await?.len())
}
