//! Headers that stand on every answer, and those of whoever has asked for too much.

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use tower_http::set_header::SetResponseHeaderLayer;

/// What keeps browsers from doing more with an answer than was meant, as Helmet sets it. A page of ours says for itself
/// what it may load.
const ALWAYS: [(HeaderName, &str); 13] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("x-dns-prefetch-control"), "off"),
    (HeaderName::from_static("x-download-options"), "noopen"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
    // The filter that it switches off could be turned against pages.
    (header::X_XSS_PROTECTION, "0"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Where people reach the server by https they never do without, from then on and for a year.
const ONLY_TLS: &str = "max-age=31536000";

/// As IETF's draft has them (`draft-ietf-httpapi-ratelimit-headers`).
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// On every answer that does not say otherwise.
pub fn on_all<S: Clone + Send + Sync + 'static>(router: Router<S>, public_url: &str) -> Router<S> {
    let tls = public_url.starts_with("https://").then_some((header::STRICT_TRANSPORT_SECURITY, ONLY_TLS));
    ALWAYS.into_iter().chain(tls).fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)))
    })
}

/// Of an error that is RATE_LIMITED, what its `extensions` say.
#[derive(Deserialize)]
struct Refused {
    extensions: Budget,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Budget {
    retry_after_ms: u64,
    budget: String,
    limit: u32,
}

/// When to come back, for those who read headers alone. `errors` are those of the answer.
pub fn come_back(headers: &mut HeaderMap, errors: &[u8]) {
    let Ok([Refused { extensions }]) = serde_json::from_slice::<[Refused; 1]>(errors) else { return };
    let Budget { retry_after_ms, budget, limit } = extensions;
    let seconds = retry_after_ms.div_ceil(1000).max(1);
    for (name, value) in [
        (header::RETRY_AFTER, seconds.to_string()),
        (RATE_LIMIT_POLICY, format!("\"{budget}\";q={limit};w=60")),
        (RATE_LIMIT, format!("\"{budget}\";r=0;t={seconds}")),
    ] {
        headers.insert(name, HeaderValue::from_str(&value).expect("digits and names of ours"));
    }
}
