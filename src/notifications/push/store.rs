//! What was settled between devices and notifications.

use diesel::QueryResult;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::accounts::devices::Device;
use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{DeviceId, NotificationId, UserId};
use crate::schema::{notifications, push_devices, pushes};

/// An unread notification of which a device was told nothing.
#[derive(Clone, Debug, Queryable)]
pub(super) struct Unsettled {
    pub id: NotificationId,
    pub is_urgent: bool,
    pub created_at: Instant,
}

pub(super) async fn with_devices(mut conn: &Conn, people: Vec<UserId>) -> QueryResult<Vec<UserId>> {
    let devices = push_devices::table.filter(push_devices::user_id.eq_any(people));
    devices.select(push_devices::user_id).distinct().load(&mut conn).await
}

/// The first of them that came since an instant, and since the device was registered; urgent ones before others.
pub(super) async fn unsettled(
    conn: &mut Conn,
    device: &Device,
    since: Instant,
    most: usize,
) -> QueryResult<Vec<Unsettled>> {
    use notifications as n;
    // Ids carry their time, those of devices too: the key finds what came after both.
    let first = NotificationId(device.id.0.max(first_of(since)));
    let settled = pushes::table.filter(pushes::device_id.eq(device.id).and(pushes::notification_id.eq(n::id)));
    n::table
        .filter(n::user_id.eq(device.user_id).and(n::id.gt(first)))
        .filter(n::read_at.is_null().and(n::deleted_at.is_null()))
        .filter(not(exists(settled)))
        .order((n::is_urgent.desc(), n::id))
        .select((n::id, n::is_urgent, n::created_at))
        .limit(most as i64)
        .load(conn)
        .await
}

/// The least id of an instant.
fn first_of(instant: Instant) -> Uuid {
    Uuid::from_u128(u128::from(instant.timestamp_millis().max(0).unsigned_abs()) << 80)
}

/// Of what was settled, that which is read or gone by now, and whether it was shown.
pub(super) async fn over(conn: &mut Conn, device: &Device, most: usize) -> QueryResult<Vec<(NotificationId, bool)>> {
    use notifications as n;
    let unread = n::table
        .filter(n::user_id.eq(device.user_id).and(n::id.eq(pushes::notification_id)))
        .filter(n::read_at.is_null().and(n::deleted_at.is_null()));
    pushes::table
        .filter(pushes::device_id.eq(device.id))
        .filter(not(exists(unread)))
        .select((pushes::notification_id, pushes::is_shown))
        .limit(most as i64)
        .load(conn)
        .await
}

/// Violates `pushes_device_id_fkey` where the device is gone.
pub(super) async fn settle(
    conn: &mut Conn,
    device: DeviceId,
    notification: NotificationId,
    is_shown: bool,
) -> QueryResult<()> {
    let row = (pushes::device_id.eq(device), pushes::notification_id.eq(notification), pushes::is_shown.eq(is_shown));
    diesel::insert_into(pushes::table).values(row).on_conflict_do_nothing().execute(conn).await.map(drop)
}

pub(super) async fn forget(conn: &mut Conn, device: DeviceId, ids: &[NotificationId]) -> QueryResult<()> {
    diesel::delete(pushes::table.filter(pushes::device_id.eq(device).and(pushes::notification_id.eq_any(ids))))
        .execute(conn)
        .await
        .map(drop)
}
