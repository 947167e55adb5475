//! The devices.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use super::Platform;
use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{DeviceId, SessionId, UserId};
use crate::schema::{accounts, push_devices, sessions};

/// A device that takes push notifications.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = push_devices)]
pub struct Device {
    pub id: DeviceId,
    pub user_id: UserId,
    pub session_id: SessionId,
    pub platform: Platform,
    /// What its service knows it by.
    pub address: String,
    pub p256dh: Option<Vec<u8>>,
    pub auth: Option<Vec<u8>>,
    pub name: Option<String>,
    pub refreshed_at: Instant,
    /// Since when its service has not answered.
    pub failing_since: Option<Instant>,
    /// When its service is asked again.
    pub asked_from: Instant,
}

diesel::alias!(push_devices as kept: Kept);

/// Of these people.
pub(super) async fn of_users(conn: &mut Conn, users: &[UserId], now: Instant) -> QueryResult<Vec<Device>> {
    push_devices::table
        .inner_join(sessions::table)
        .filter(push_devices::user_id.eq_any(users))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(now)))
        .order((push_devices::refreshed_at.desc(), push_devices::id.desc()))
        .select(Device::as_select())
        .load(conn)
        .await
}

pub(super) async fn by_ids(conn: &mut Conn, ids: &[DeviceId], now: Instant) -> QueryResult<Vec<Device>> {
    push_devices::table
        .inner_join(sessions::table)
        .filter(push_devices::id.eq_any(ids))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(now)))
        .select(Device::as_select())
        .load(conn)
        .await
}

pub(super) async fn lock_account(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    accounts::table.find(user).select(accounts::user_id).for_no_key_update().execute(conn).await.map(drop)
}

/// Deletes what its service knows by the same address, if it is somebody else's.
pub(super) async fn take_from_others(conn: &mut Conn, device: &Device) -> QueryResult<()> {
    use push_devices as d;
    let same = d::table.filter(d::address.eq(&device.address).and(d::platform.eq(device.platform)));
    diesel::delete(same.filter(d::user_id.ne(device.user_id))).execute(conn).await.map(drop)
}

/// Writes a device, over the one that its service knows by the same address. `None` where somebody else has it.
pub(super) async fn save(conn: &mut Conn, device: &Device) -> QueryResult<Option<Device>> {
    use diesel::query_dsl::methods::FilterDsl;
    use push_devices as d;
    diesel::insert_into(d::table)
        .values(device)
        .on_conflict((d::address, d::platform))
        .do_update()
        .set((
            d::session_id.eq(excluded(d::session_id)),
            d::p256dh.eq(excluded(d::p256dh)),
            d::auth.eq(excluded(d::auth)),
            d::name.eq(excluded(d::name)),
            d::refreshed_at.eq(excluded(d::refreshed_at)),
            d::failing_since.eq(excluded(d::failing_since)),
            d::asked_from.eq(excluded(d::asked_from)),
        ))
        .filter(d::user_id.eq(device.user_id))
        .returning(Device::as_returning())
        .get_result(conn)
        .await
        .optional()
}

/// Deletes somebody's devices but for those that were refreshed last.
pub(super) async fn delete_all_but(conn: &mut Conn, user: UserId, most: i64) -> QueryResult<()> {
    let (owner, refreshed_at, id) = kept.fields((push_devices::user_id, push_devices::refreshed_at, push_devices::id));
    let stay = kept.filter(owner.eq(user)).order((refreshed_at.desc(), id.desc())).limit(most).select(id);
    diesel::delete(push_devices::table)
        .filter(push_devices::user_id.eq(user).and(push_devices::id.ne_all(stay)))
        .execute(conn)
        .await
        .map(drop)
}

/// Deletes a device of somebody, and says whether there was one; if it was refreshed at that moment, where it says one.
pub(super) async fn delete(
    conn: &mut Conn,
    id: DeviceId,
    user: UserId,
    refreshed_at: Option<Instant>,
) -> QueryResult<bool> {
    let mut gone = diesel::delete(push_devices::table.find(id)).into_boxed();
    gone = gone.filter(push_devices::user_id.eq(user));
    if let Some(refreshed_at) = refreshed_at {
        gone = gone.filter(push_devices::refreshed_at.eq(refreshed_at));
    }
    Ok(gone.execute(conn).await? > 0)
}

/// Deletes those of a session.
pub(in crate::accounts) async fn delete_of_session(conn: &mut Conn, id: SessionId) -> QueryResult<()> {
    diesel::delete(push_devices::table.filter(push_devices::session_id.eq(id))).execute(conn).await.map(drop)
}

/// Deletes the one of somebody that its service knows by this address.
pub(in crate::accounts) async fn delete_address(conn: &mut Conn, user: UserId, address: &str) -> QueryResult<()> {
    diesel::delete(push_devices::table)
        .filter(push_devices::address.eq(address).and(push_devices::user_id.eq(user)))
        .execute(conn)
        .await
        .map(drop)
}

pub(super) async fn set_failing(
    conn: &mut Conn,
    id: DeviceId,
    since: Option<Instant>,
    asked_from: Instant,
) -> QueryResult<()> {
    diesel::update(push_devices::table.find(id))
        .set((push_devices::failing_since.eq(since), push_devices::asked_from.eq(asked_from)))
        .execute(conn)
        .await
        .map(drop)
}
