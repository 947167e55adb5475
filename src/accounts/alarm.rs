//! Telling people what was done to their account, in case it was somebody else: a mail to the address that was theirs until
//! then, and the bell.

use serde::{Deserialize, Serialize};

use super::Account;
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{NotificationId, UserId};
use crate::links;
use crate::mail::{self, Letter};
use crate::users;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Incident {
    PasswordChanged,
    PasswordReset,
    EmailChangeBegun,
    EmailChanged,
    SecondFactorEnabled,
    SecondFactorDisabled,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    OauthAccountLinked,
    OauthAccountUnlinked,
}

impl Incident {
    const ALL: [Self; 10] = [
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChangeBegun,
        Self::EmailChanged,
        Self::SecondFactorEnabled,
        Self::SecondFactorDisabled,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::OauthAccountLinked,
        Self::OauthAccountUnlinked,
    ];

    /// As it is kept in the bell, for ever.
    pub fn name(self) -> &'static str {
        match self {
            Self::PasswordChanged => "PASSWORD_CHANGED",
            Self::PasswordReset => "PASSWORD_RESET",
            Self::EmailChangeBegun => "EMAIL_CHANGE_BEGUN",
            Self::EmailChanged => "EMAIL_CHANGED",
            Self::SecondFactorEnabled => "SECOND_FACTOR_ENABLED",
            Self::SecondFactorDisabled => "SECOND_FACTOR_DISABLED",
            Self::RecoveryCodesMade => "RECOVERY_CODES_MADE",
            Self::RecoveryCodeUsed => "RECOVERY_CODE_USED",
            Self::OauthAccountLinked => "OAUTH_ACCOUNT_LINKED",
            Self::OauthAccountUnlinked => "OAUTH_ACCOUNT_UNLINKED",
        }
    }

    /// The one of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|incident| incident.name() == name)
    }

    /// In one line, to whom it was done.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::PasswordChanged => "Your password was changed",
            Self::PasswordReset => "Your password was set anew, by a link that was mailed to you",
            Self::EmailChangeBegun => "Somebody asked to change the mail address of your account",
            Self::EmailChanged => "The mail address of your account was changed",
            Self::SecondFactorEnabled => "Signing in to your account takes a second factor now",
            Self::SecondFactorDisabled => "Signing in to your account takes no second factor any more",
            Self::RecoveryCodesMade => "New recovery codes were made for your account",
            Self::RecoveryCodeUsed => "A recovery code of your account was used",
            Self::OauthAccountLinked => "Your account can be signed in to by an account at another provider now",
            Self::OauthAccountUnlinked => "An account at another provider no longer signs in to yours",
        }
    }
}

/// Rings in the bell of the one it was done to. The bell knows how; it stands above accounts.
#[derive(Serialize, Deserialize)]
pub struct Alarm {
    pub user_id: UserId,
    /// Chosen here, so that it is rung once however often this is tried.
    pub notification_id: NotificationId,
    pub incident: Incident,
    pub at: Instant,
}

/// Tells the owner of the account, as it was before. An address that nobody has proven may be a stranger's: it is not
/// told.
pub async fn alarm(app: &App, tx: &mut Tx, before: &Account, incident: Incident) -> Result<()> {
    let (at, user_id) = (app.clock.now(), before.user_id);
    tx.enqueue(Alarm { user_id, notification_id: NotificationId::at(at), incident, at });
    let Some(address) = before.proven_email() else { return Ok(()) };
    let Some(user) = users::undeleted(tx, user_id).await? else { return Ok(()) };
    mail::send(app, tx, address, &letter(app, &user.username, incident, at), None);
    Ok(())
}

fn letter(app: &App, username: &str, incident: Incident, at: Instant) -> Letter {
    Letter::new(incident.in_words())
        .paragraph(format!("Hello {username},"))
        .paragraph(format!("{}, on {}.", incident.in_words(), at.format("%-d %B %Y at %H:%M UTC")))
        .paragraph(
            "If that was you, there is nothing to do. If it was not, somebody else may be in your account: sign in, \
             set a new password and end all other sessions. If you cannot sign in, have your password reset.",
        )
        .link("Go there", links::home(&app.config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_one_name_wherever_it_is_kept() {
        for incident in Incident::ALL {
            assert_eq!(Incident::of(incident.name()), Some(incident));
            assert_eq!(serde_json::to_value(incident).unwrap(), incident.name());
        }
        assert_eq!(Incident::of("SOMETHING_ELSE"), None);
    }
}
