//! Push devices in the API.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{Device, DeviceDraft, DeviceInput, DeviceOf, Platform};
use crate::accounts::devices;
use crate::context::Ask;
use crate::error::{Error, Result};
use crate::id::DeviceId;
use crate::scalar::DateTime;
use crate::text::Fault;

#[derive(Clone)]
pub struct PushDevice(Arc<Device>);

/// A device that takes push notifications.
#[Object]
impl PushDevice {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Where its pushes go through.
    async fn platform(&self) -> Platform {
        self.0.platform
    }

    /// Name to show.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// When it was registered or last refreshed.
    async fn refreshed_at(&self) -> DateTime {
        self.0.refreshed_at.into()
    }
}

/// The viewer's devices.
pub async fn push_devices(ctx: &Context<'_>) -> Result<Vec<PushDevice>> {
    let found = devices::devices_of(ctx.app(), &[ctx.viewer()?.user_id]).await?;
    Ok(found.into_iter().map(|device| PushDevice(device.into())).collect())
}

/// The device of this id, if it is the viewer's.
pub async fn find_device(ctx: &Context<'_>, id: DeviceId) -> Result<Option<PushDevice>> {
    Ok(ctx.load::<DeviceOf>((ctx.viewer()?.user_id, id)).await?.map(PushDevice))
}

/// A push device.
#[derive(InputObject)]
pub struct RegisterPushDeviceInput {
    /// Where its pushes go through.
    platform: Platform,
    /// Token, or for WEB_PUSH the subscription as JSON, with an https endpoint.
    token: String,
    /// Name to show.
    name: Option<String>,
}

/// A registered device.
#[derive(SimpleObject)]
pub struct RegisterPushDevicePayload {
    /// The device.
    push_device: PushDevice,
}

/// Which device to forget.
#[derive(InputObject)]
pub struct UnregisterPushDeviceInput {
    /// The device.
    push_device_id: ID,
}

/// A forgotten device.
#[derive(SimpleObject)]
pub struct UnregisterPushDevicePayload {
    /// Its id.
    push_device_id: ID,
}

#[derive(Default)]
pub struct DeviceMutation;

#[Object]
impl DeviceMutation {
    /// Register this session's device for push notifications; it goes with the session. Registering its token again
    /// refreshes it, also for somebody else, who has it then. An eleventh takes the place of the one that was refreshed
    /// least lately. Errors: FAILED_PRECONDITION (APNS and FCM, on a server that has nobody who carries pushes there).
    async fn register_push_device(
        &self,
        ctx: &Context<'_>,
        input: RegisterPushDeviceInput,
    ) -> Option<Result<RegisterPushDevicePayload>> {
        Some(register(ctx, input).await)
    }

    /// Stop push notifications to a device.
    async fn unregister_push_device(
        &self,
        ctx: &Context<'_>,
        input: UnregisterPushDeviceInput,
    ) -> Option<Result<UnregisterPushDevicePayload>> {
        Some(unregister(ctx, input).await)
    }
}

async fn register(ctx: &Context<'_>, input: RegisterPushDeviceInput) -> Result<RegisterPushDevicePayload> {
    let viewer = ctx.viewer()?;
    let input = DeviceInput { platform: input.platform, token: input.token, name: input.name };
    let device = devices::register(ctx.app(), &viewer, DeviceDraft::from(ctx.app(), input)?).await?;
    Ok(RegisterPushDevicePayload { push_device: PushDevice(device.into()) })
}

async fn unregister(ctx: &Context<'_>, input: UnregisterPushDeviceInput) -> Result<UnregisterPushDevicePayload> {
    let viewer = ctx.viewer()?;
    let id = DeviceId::parse(&input.push_device_id);
    let id = id.ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("pushDeviceId")]))?;
    devices::unregister(ctx.app(), &viewer, id).await?;
    Ok(UnregisterPushDevicePayload { push_device_id: id.into() })
}
