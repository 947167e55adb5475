//! What a device says of itself.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use web_push_native::p256::PublicKey;

use super::Platform;
use crate::app::App;
use crate::error::{InputCode, Result};
use crate::outgoing::Outgoing;
use crate::text::{self, Fault, Wrong};

/// Characters of a token or of a subscription.
const TOKEN: usize = 4_096;
/// Characters of what a service knows a device by: it has to fit into an index.
const ADDRESS: usize = 2_000;

/// Base64url as browsers write it, with or without its padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a client sends.
pub struct DeviceInput {
    pub platform: Platform,
    pub token: String,
    pub name: Option<String>,
}

/// A device to be, checked.
pub struct DeviceDraft {
    pub(super) platform: Platform,
    pub(super) address: String,
    /// Of WEB_PUSH: what pushes are encrypted for.
    pub(super) keys: Option<Keys>,
    pub(super) name: Option<String>,
}

pub(super) struct Keys {
    pub p256dh: Vec<u8>,
    pub auth: Vec<u8>,
}

/// `PushSubscription.toJSON()` of a browser.
#[derive(Deserialize)]
struct Subscription {
    endpoint: String,
    keys: SubscriptionKeys,
}

#[derive(Deserialize)]
struct SubscriptionKeys {
    p256dh: String,
    auth: String,
}

impl DeviceDraft {
    pub fn from(app: &App, input: DeviceInput) -> Result<Self> {
        let mut wrong = Wrong::default();
        let device = match input.platform {
            Platform::WebPush => {
                subscription(&app.outgoing, &input.token).map(|(endpoint, keys)| (endpoint, Some(keys)))
            }
            Platform::Apns | Platform::Fcm => token(&input.token).map(|token| (token, None)),
        };
        let device = wrong.note("token", device);
        let name = wrong.note("name", input.name.map(|name| text::line(&name, 0..=80)).transpose());
        wrong.finish(|| {
            let (address, keys) = device?;
            let name = name?.filter(|name| !name.is_empty());
            Some(Self { platform: input.platform, address, keys, name })
        })
    }
}

fn token(text: &str) -> Result<String, Fault> {
    let text = text::line(text, 1..=ADDRESS)?;
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text),
        false => Err(Fault::new(InputCode::BadFormat, "Not a token")),
    }
}

fn subscription(outgoing: &Outgoing, text: &str) -> Result<(String, Keys), Fault> {
    let text = text::block(text, 1..=TOKEN)?;
    let bad = |what: &str| Fault::new(InputCode::BadFormat, what);
    let subscription: Subscription =
        serde_json::from_str(&text).map_err(|_| bad("Not a PushSubscription as JSON, with its keys"))?;
    let endpoint = outgoing.named_by_stranger(&subscription.endpoint);
    let endpoint = endpoint.filter(|endpoint| endpoint.as_str().len() <= ADDRESS);
    let endpoint = endpoint.ok_or_else(|| bad("Its endpoint is not https at a public host"))?;
    let p256dh = BASE64URL.decode(&subscription.keys.p256dh).ok();
    // 65 bytes: not compressed. Only a point of the curve: any other could tell of the key that it is multiplied with.
    let p256dh = p256dh.filter(|key| key.len() == 65 && PublicKey::from_sec1_bytes(key).is_ok());
    let p256dh = p256dh.ok_or_else(|| bad("Its p256dh is not a key of P-256"))?;
    let auth = BASE64URL.decode(&subscription.keys.auth).ok().filter(|auth| auth.len() == 16);
    let auth = auth.ok_or_else(|| bad("Its auth is not 16 bytes"))?;
    Ok((endpoint.as_str().to_owned(), Keys { p256dh, auth }))
}

/// What a service knows a device by, of a token as it was registered. Of what is none, itself: nothing is found by it.
pub fn address_in(token: &str) -> String {
    match serde_json::from_str::<Subscription>(token) {
        Ok(subscription) => url::Url::parse(&subscription.endpoint).map_or(subscription.endpoint, String::from),
        Err(_) => token.trim().to_owned(),
    }
}
