//! `VAPID_PRIVATE_KEY`, `PUSH_WEBHOOK_…`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use web_push_native::p256;

use super::variable::{BadValue, as_url, read};

/// How devices are reached.
#[derive(Clone, Debug, Default)]
pub struct Push {
    /// `VAPID_PRIVATE_KEY`: names the server to push services; absent for one derived from the secret that signs tokens.
    pub vapid_key: Option<p256::SecretKey>,
    /// Who carries pushes to Apple's and Google's devices; absent for nobody.
    pub webhook: Option<PushWebhook>,
}

/// A service of the operator's own.
#[derive(Clone, Debug)]
pub struct PushWebhook {
    /// `PUSH_WEBHOOK_URL`: where it is; anywhere.
    pub url: String,
    /// `PUSH_WEBHOOK_SECRET`: what requests are signed with.
    pub secret: Vec<u8>,
}

impl Push {
    pub(super) fn from_env() -> Result<Self, BadValue> {
        let vapid_key = match std::env::var("VAPID_PRIVATE_KEY") {
            Ok(_) => Some(read("VAPID_PRIVATE_KEY", "", "a private key of P-256: 32 bytes in base64url", |text| {
                p256::SecretKey::from_slice(&URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?).ok()
            })?),
            Err(_) => None,
        };
        let webhook = match std::env::var("PUSH_WEBHOOK_URL") {
            Ok(_) => {
                let url = read("PUSH_WEBHOOK_URL", "", "a URL, as in http://localhost:9000/push", as_url)?;
                // As long as Standard Webhooks has it.
                let secret = read("PUSH_WEBHOOK_SECRET", "", "whsec_ and 24 to 64 bytes in base64", |text| {
                    let secret = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
                    (24..=64).contains(&secret.len()).then_some(secret)
                })?;
                Some(PushWebhook { url, secret })
            }
            Err(_) => None,
        };
        Ok(Self { vapid_key, webhook })
    }
}
