//! Pushes for Apple's and Google's devices go to a service of the operator's own, which has the accounts there. Requests
//! are signed as Standard Webhooks has it (<https://www.standardwebhooks.com>), and come again with the same id until they
//! are taken. An answer of 410 says that the device is gone; 404 would also be said by a service that was moved.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Content, LASTS, Outcome, otherwise};
use crate::accounts::devices::Device;
use crate::app::App;
use crate::error::{Error, Result};

pub(super) async fn deliver(app: &App, device: &Device, content: &Content) -> Result<Outcome> {
    let Some(webhook) = &app.config.push.webhook else {
        tracing::warn!(device = %device.id, "nobody carries pushes there any more: see PUSH_WEBHOOK_URL");
        return Ok(Outcome::Refused);
    };
    let now = app.clock.now();
    let body = json!({
        "type": "push",
        "timestamp": now.to_rfc3339(),
        "data": {
            "platform": device.platform.name(),
            "token": device.address,
            "ttl": LASTS.num_seconds(),
            "urgency": content.urgency().name(),
            "topic": content.topic(),
            "payload": content.as_json(),
        },
    })
    .to_string();
    let (id, timestamp) = (id(device, content), now.timestamp());
    let mut mac = Hmac::<Sha256>::new_from_slice(&webhook.secret).map_err(Error::internal)?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ];
    let answered = app.outgoing.post_to_own(&webhook.url, headers, body.into_bytes()).await;
    Ok(match answered.as_ref().map(|answer| answer.status) {
        Ok(200..300) => Outcome::Delivered,
        Ok(410) => Outcome::Gone,
        Ok(404) => Outcome::Later(None),
        _ => otherwise(device, "PUSH_WEBHOOK_URL", answered),
    })
}

/// The same for the same push to the same device, however often it is tried.
fn id(device: &Device, content: &Content) -> String {
    let what = match content {
        Content::Notice(_) => "notice",
        Content::Dismissal { .. } => "dismissal",
    };
    let digest = Sha256::digest(format!("{what} {} {}", device.id, content.ids().join(" ")));
    format!("push_{}", digest[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
