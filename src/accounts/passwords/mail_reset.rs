//! The letter that resets a password.

use serde::{Deserialize, Serialize};

use crate::accounts::mailed::{self, Purpose};
use crate::accounts::store;
use crate::app::App;
use crate::jobs::{Failure, Job};
use crate::mail::{self, Letter};
use crate::{links, users};

/// Mails the owner of an address, if it has one. One that nobody has proven resets nothing: it may be mistyped, and the
/// account somebody else's.
#[derive(Serialize, Deserialize)]
pub struct MailReset {
    pub email: String,
}

impl Job for MailReset {
    const KIND: &'static str = "accounts.mail_reset";

    async fn run(self, app: &App) -> Result<(), Failure> {
        let (now, email) = (app.clock.now(), &self.email);
        app.db
            .transaction(async move |tx| {
                let Some(owner) = store::owner_of(tx, email).await? else { return Ok(()) };
                let Some(user) = users::undeleted(tx, owner.user_id).await? else { return Ok(()) };
                let made = mailed::make(tx, now, Purpose::ResetPassword, user.id, email).await?;
                let Some(token) = made else { return Ok(()) };
                let letter = Letter::new("Set a new password")
                    .paragraph(format!("Hello {},", user.username))
                    .paragraph(format!(
                        "somebody asked to set a new password for your account on {}. If that was you, do it within an hour:",
                        app.config.http.public_url
                    ))
                    .link("Set a new password", links::reset_password(&app.config, &token))
                    .paragraph("If it was not, do nothing: your password stays as it is.");
                mail::send(app, tx, email, &letter, None);
                Ok(())
            })
            .await?;
        Ok(())
    }
}
