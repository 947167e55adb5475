//! Leave to come.

use super::redeem::redeem;
use super::store::Used;
use crate::app::App;
use crate::config::RegistrationPolicy;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::groups;
use crate::id::UserId;

/// That somebody may come, and where to.
#[derive(Default)]
pub struct Leave(Option<Used>);

impl Leave {
    /// Takes it, and an invitation with it where one is given: REGISTRATION_CLOSED where one is missing, or would not help.
    pub async fn take(app: &App, tx: &mut Tx, invitation: Option<&str>) -> Result<Self> {
        match (app.config.limits.registration, invitation) {
            (RegistrationPolicy::Open, None) => Ok(Self(None)),
            (RegistrationPolicy::Open | RegistrationPolicy::Invitation, Some(token)) => {
                redeem(tx, token, app.clock.now()).await.map(|used| Self(Some(used)))
            }
            (policy, _) => Err(closed(policy)),
        }
    }

    /// Makes the newcomer a member of the group that they were invited to, if any.
    pub async fn welcome(self, app: &App, tx: &mut Tx, newcomer: UserId) -> Result<()> {
        match self.0.and_then(|used| Some((used.group_id?, used.created_by_id))) {
            Some((group, host)) => groups::welcome(tx, group, host, newcomer, app.clock.now()).await,
            None => Ok(()),
        }
    }
}

pub(super) fn closed(policy: RegistrationPolicy) -> Error {
    Error::new(
        Code::RegistrationClosed,
        match policy {
            RegistrationPolicy::Invitation => "Registering takes an invitation",
            _ => "This server takes no new accounts",
        },
    )
}
