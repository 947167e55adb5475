//! Devices by the handful.

use std::collections::HashMap;

use super::store::{self, Device};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{DeviceId, UserId};

/// A device of somebody.
pub struct DeviceOf;

impl Load for DeviceOf {
    type Key = (UserId, DeviceId);
    type Value = Device;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Device>> {
        let (ids, now): (Vec<_>, _) = (keys.iter().map(|(_, id)| *id).collect(), app.clock.now());
        let found = app.db.read(async move |conn| store::by_ids(conn, &ids, now).await).await?;
        Ok(found.into_iter().map(|device| ((device.user_id, device.id), device)).collect())
    }
}
