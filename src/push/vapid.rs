//! Who the server is to push services (VAPID, RFC 8292): a key under which browsers subscribe, and by which each push is
//! signed, so that nobody else can push to those subscriptions.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
use web_push_native::p256::pkcs8::EncodePrivateKey;

use crate::app::App;
use crate::error::{Error, Result};
use crate::outgoing::StrangersUrl;

/// How long a signature holds; a day at most.
const HOLDS: TimeDelta = TimeDelta::hours(12);

/// The key under which browsers subscribe: a point of P-256, uncompressed, in base64url.
pub fn public_key(app: &App) -> String {
    URL_SAFE_NO_PAD.encode(app.keys.vapid.public_key().to_encoded_point(false))
}

/// Proves to a push service who asks.
pub(super) fn authorization(app: &App, endpoint: &StrangersUrl) -> Result<String> {
    // Whom to turn to when the server misbehaves. Safari's service refuses what is neither mailto: nor https:.
    let host = app.config.http.public_url.split("://").last().unwrap_or_default();
    let claims = json!({
        "aud": endpoint.origin(),
        "exp": (app.clock.now() + HOLDS).timestamp(),
        "sub": format!("https://{host}"),
    });
    let key = app.keys.vapid.to_pkcs8_der().map_err(Error::internal)?;
    let key = EncodingKey::from_ec_der(key.as_bytes());
    let token = encode(&Header::new(Algorithm::ES256), &claims, &key).map_err(Error::internal)?;
    Ok(format!("vapid t={token}, k={}", public_key(app)))
}
