//! GraphiQL at `/`: its own files, folded in by `build.rs` when they were fetched, and ours that start it.
//!
//! Everything comes from this server and from files of their own: the page's policy allows no inline script or style,
//! no other host and no frame around it. Without GraphiQL's files the page says how to get them.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// What the page may do. `connect-src 'self'` includes the WebSocket of the same host (CSP 3). Fonts and small images
/// stand in GraphiQL's style sheet as `data:`. The digest is that of the empty text: an inline style may be there, but
/// must say nothing (why one is, `boot.js` tells).
const POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; connect-src 'self'; \
    img-src 'self' data:; font-src 'self' data:; worker-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes `/` and `/graphiql/{file}`; they need no state.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new().route("/", get(page)).route("/graphiql/{file}", get(file))
}

async fn page(request: HeaderMap) -> Response {
    static PAGE: LazyLock<Asset> = LazyLock::new(|| {
        let is_whole = NEEDED.iter().all(|needed| folded_in::FILES.iter().any(|(name, ..)| name == needed));
        let text =
            if is_whole { include_str!("graphiql/index.html") } else { include_str!("graphiql/unavailable.html") };
        Asset::new("/", "text/html; charset=utf-8", text.as_bytes())
    });
    PAGE.answer(&request)
}

async fn file(Path(name): Path<String>, request: HeaderMap) -> Response {
    static FILES: LazyLock<Vec<Asset>> = LazyLock::new(|| {
        let folded_in =
            folded_in::FILES.iter().map(|(name, content_type, bytes)| Asset::new(name, content_type, bytes));
        OURS.iter()
            .map(|(name, content_type, text)| Asset::new(name, content_type, text.as_bytes()))
            .chain(folded_in)
            .collect()
    });
    match FILES.iter().find(|asset| asset.name == name) {
        Some(asset) => asset.answer(&request),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What `index.html` cannot do without.
const NEEDED: [&str; 4] =
    ["react.production.min.js", "react-dom.production.min.js", "graphiql.min.js", "graphiql.min.css"];

const OURS: [(&str, &str, &str); 2] = [
    ("boot.js", "text/javascript; charset=utf-8", include_str!("graphiql/boot.js")),
    ("page.css", "text/css; charset=utf-8", include_str!("graphiql/page.css")),
];

mod folded_in {
    include!(concat!(env!("OUT_DIR"), "/graphiql.rs"));
}

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    etag: String,
}

impl Asset {
    fn new(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Self { name, content_type, bytes, etag: format!("\"{:016x}\"", hasher.finish()) }
    }

    /// Browsers keep it but ask each time, so a new build is seen at once and an old one is not sent twice.
    fn answer(&self, request: &HeaderMap) -> Response {
        let headers = [
            (header::CACHE_CONTROL, "no-cache"),
            (header::ETAG, self.etag.as_str()),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.etag) {
            (StatusCode::NOT_MODIFIED, headers).into_response()
        } else {
            ([(header::CONTENT_TYPE, self.content_type)], headers, self.bytes).into_response()
        }
    }
}
