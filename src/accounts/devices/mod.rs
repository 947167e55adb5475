//! Devices that take push notifications. One belongs to the session that registered it last, and ends with it, in the same
//! transaction; what is pushed is others' business.

mod draft;
pub mod graphql;
mod loaders;
mod register;
mod store;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

pub use draft::{DeviceDraft, DeviceInput, address_in};
pub use loaders::DeviceOf;
pub use register::{DEVICES, register, unregister};
pub use store::Device;
pub(super) use store::{delete_address, delete_of_session};

use crate::app::App;
use crate::clock::Instant;
use crate::db::{Tx, text_enum};
use crate::error::Result;
use crate::id::{DeviceId, UserId};

/// Service that carries a push notification. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
#[graphql(name = "PushPlatform")]
pub enum Platform {
    /// Apple Push Notification service.
    Apns,
    /// Firebase Cloud Messaging.
    Fcm,
    /// Web Push (RFC 8030).
    WebPush,
}
text_enum!(Platform);

/// The devices of these people whose sessions have not ended, those refreshed last first.
pub async fn devices_of(app: &App, users: &[UserId]) -> Result<Vec<Device>> {
    let now = app.clock.now();
    app.db.read(async move |conn| store::of_users(conn, users, now).await).await
}

/// One of them.
pub async fn device(app: &App, id: DeviceId) -> Result<Option<Device>> {
    let now = app.clock.now();
    Ok(app.db.read(async move |conn| store::by_ids(conn, &[id], now).await).await?.pop())
}

/// Forgets a device that its service no longer knows, unless it was registered anew since.
pub async fn forget(tx: &mut Tx, device: &Device) -> Result<()> {
    Ok(store::delete(tx, device.id, device.user_id, Some(device.refreshed_at)).await.map(drop)?)
}

/// Leaves its service alone until then, and notes since when it has not answered.
pub async fn leave_alone(tx: &mut Tx, device: &Device, failing_since: Option<Instant>, until: Instant) -> Result<()> {
    Ok(store::set_failing(tx, device.id, failing_since, until).await?)
}
