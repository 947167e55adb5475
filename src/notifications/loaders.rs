//! Notifications by the handful.

use std::collections::HashMap;

use super::COUNTED;
use super::store::{self, Notification};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{NotificationId, UserId};

/// A notification of somebody's, also one that is deleted or out of sight.
pub struct NotificationOf;

impl Load for NotificationOf {
    type Key = (UserId, NotificationId);
    type Value = Notification;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Notification>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::by_keys(conn, &keys).await).await?;
        Ok(found.into_iter().map(|row| ((row.user_id, row.id), row)).collect())
    }
}

/// How many of somebody's are unread, up to one more than are counted.
pub struct UnreadNotificationsOf;

impl Load for UnreadNotificationsOf {
    type Key = UserId;
    type Value = i32;

    async fn load(app: &App, keys: &[UserId]) -> Result<HashMap<UserId, i32>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::unread(conn, &keys).await).await?;
        Ok(found.into_iter().map(|(user, count)| (user, count.min(COUNTED + 1) as i32)).collect())
    }
}
