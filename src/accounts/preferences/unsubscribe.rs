//! No more mails, by the link in one.

use super::notifications::NotificationInput;
use super::update::{PreferencesDraft, PreferencesInput, change};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::mail::{self, Purpose};

/// Puts an end to the mails that a link is of; again is harmless. TOKEN_INVALID for one that is not ours.
pub async fn unsubscribe(app: &App, token: &str) -> Result<()> {
    let wrong = || Error::new(Code::TokenInvalid, "This link is not whole, or not of this server");
    let (user_id, Purpose::Notifications) = mail::who_unsubscribes(app, token).ok_or_else(wrong)?;
    let notifications = NotificationInput { is_email_enabled: Some(false), ..Default::default() };
    let draft = PreferencesDraft::from(PreferencesInput { notifications, ..Default::default() })?;
    change(app, user_id, &draft).await.map(drop)
}
