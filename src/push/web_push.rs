//! Web Push: what browsers take (RFC 8030), encrypted for the browser alone (RFC 8291), whatever service lies between.

use web_push_native::p256::PublicKey;
use web_push_native::{Auth, encrypt};

use super::content::MOST;
use super::{Content, LASTS, Outcome, otherwise, vapid};
use crate::accounts::devices::Device;
use crate::app::App;
use crate::error::{Error, Result};

pub(super) async fn deliver(app: &App, device: &Device, content: &Content) -> Result<Outcome> {
    let Some(endpoint) = app.outgoing.named_by_stranger(&device.address) else {
        tracing::warn!(device = %device.id, "its endpoint is not one that may be asked any more: see PUSH_HOSTS");
        return Ok(Outcome::Refused);
    };
    let body = encrypted(device, content)?;
    let mut headers = vec![
        ("authorization", vapid::authorization(app, &endpoint)?),
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
        ("ttl", LASTS.num_seconds().to_string()),
        ("urgency", content.urgency().name().to_owned()),
    ];
    headers.extend(content.topic().map(|topic| ("topic", topic.to_owned())));
    let answered = app.outgoing.post_to_stranger(&endpoint, headers, body).await;
    Ok(match answered.as_ref().map(|answer| answer.status) {
        Ok(200..300) => Outcome::Delivered,
        Ok(404 | 410) => Outcome::Gone,
        _ => otherwise(device, endpoint.host(), answered),
    })
}

fn encrypted(device: &Device, content: &Content) -> Result<Vec<u8>> {
    let text = content.as_json().to_string();
    debug_assert!(text.len() <= MOST, "{} bytes", text.len());
    let key = device.p256dh.as_deref().and_then(|key| PublicKey::from_sec1_bytes(key).ok());
    let auth = device.auth.as_deref().and_then(|auth| <[u8; 16]>::try_from(auth).ok());
    let (Some(key), Some(auth)) = (key, auth) else {
        return Err(Error::internal("the keys of a browser were checked when it was registered"));
    };
    encrypt(text.into_bytes(), &key, &Auth::from(auth)).map_err(Error::internal)
}
