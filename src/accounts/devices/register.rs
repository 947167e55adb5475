//! Registering a device, and taking it back.

use super::store::{self, Device};
use super::{DeviceDraft, Platform};
use crate::accounts::sessions;
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::id::DeviceId;
use crate::viewer::Viewer;

/// Devices of one person. Whoever gets another phone registers it without clearing up first: the device that was refreshed
/// least lately makes room.
pub const DEVICES: i64 = 10;

/// Registers the device that this session runs on, or refreshes it. A device that somebody else had registered is theirs no
/// more: it is the same browser, and now the viewer's.
pub async fn register(app: &App, viewer: &Viewer, draft: DeviceDraft) -> Result<Device> {
    if draft.platform != Platform::WebPush && app.config.push.webhook.is_none() {
        let message = "This server has nobody who carries pushes there: see PUSH_WEBHOOK_URL";
        return Err(Error::new(Code::FailedPrecondition, message).with("reason", "NO_CARRIER"));
    }
    let now = app.clock.now();
    let (p256dh, auth) = draft.keys.map(|keys| (keys.p256dh, keys.auth)).unzip();
    let device = Device {
        id: DeviceId::at(now),
        user_id: viewer.user_id,
        session_id: viewer.session_id,
        platform: draft.platform,
        address: draft.address,
        p256dh,
        auth,
        name: draft.name,
        refreshed_at: now,
        failing_since: None,
        asked_from: now,
    };
    app.db
        .transaction(async move |tx| {
            // So that of two that are registered at once, the second counts the first. Accounts are locked before sessions.
            store::lock_account(tx, viewer.user_id).await?;
            // So that it cannot end meanwhile, and leave a device behind.
            sessions::hold(tx, viewer, now).await?;
            // Another device, under another id: what waits for the one before finds nothing any more.
            store::take_from_others(tx, &device).await?;
            let saved = store::save(tx, &device).await?;
            store::delete_all_but(tx, viewer.user_id, DEVICES).await?;
            saved.ok_or_else(|| Error::new(Code::Conflict, "Somebody else registered it at the same moment"))
        })
        .await
}

/// Forgets a device of the viewer's.
pub async fn unregister(app: &App, viewer: &Viewer, id: DeviceId) -> Result<()> {
    app.db
        .transaction(async move |tx| match store::delete(tx, id, viewer.user_id, None).await? {
            true => Ok(()),
            false => Err(Error::not_found("push device")),
        })
        .await
}
