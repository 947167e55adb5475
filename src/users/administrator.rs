//! Runs the server.

use super::{UserById, store};
use crate::context::Scope;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::viewer::Viewer;

/// Proof that whoever this is for runs the server: has the role ADMIN at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Administrator(UserId);

impl Administrator {
    pub fn id(self) -> UserId {
        self.0
    }

    /// For what changes something; FORBIDDEN for all others.
    pub async fn of(tx: &mut Tx, viewer: &Viewer) -> Result<Self> {
        Self::judge(viewer, store::by_ids(tx, &[viewer.user_id]).await?.first())
    }

    /// For what is read.
    pub async fn who_asks(scope: &Scope) -> Result<Self> {
        let viewer = scope.viewer().ok_or_else(Error::unauthenticated)?;
        Self::judge(&viewer, scope.load::<UserById>(viewer.user_id).await?.as_deref())
    }

    fn judge(viewer: &Viewer, user: Option<&super::User>) -> Result<Self> {
        match user.is_some_and(|user| user.role.administers() && user.deleted_at.is_none()) {
            true => Ok(Self(viewer.user_id)),
            false => Err(Error::forbidden("Only those who run the server may do this")),
        }
    }
}
