//! GraphiQL at `/`: its own files, folded in by `build.rs` when they were fetched or read from a folder, and ours that
//! start it.
//!
//! Everything comes from this server and from files of their own: the page's policy allows no inline script or style,
//! no other host and no frame around it. Without GraphiQL's files the page says how to get them.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use axum::{
    Router,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::config::Graphiql;

/// What the page may do. `connect-src 'self'` includes the WebSocket of the same host (CSP 3). Fonts and small images
/// stand in GraphiQL's style sheet as `data:`. The digest is that of the empty text: an inline style may be there, but
/// must say nothing (why one is, `boot.js` tells).
const POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; connect-src 'self'; \
    img-src 'self' data:; font-src 'self' data:; worker-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes `/` and `/graphiql/{file}`; they need no state. None where the page is off.
pub fn routes<S>(config: &Graphiql) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let theirs: Vec<_> = match config {
        Graphiql::Off => return Router::new(),
        Graphiql::BuiltIn => folded_in::FILES.iter().map(|(name, bytes)| Asset::new(name, *bytes)).collect(),
        // What has gone since the start looked is missing: the page says so.
        Graphiql::Folder(folder) => Graphiql::FILES
            .iter()
            .filter_map(|name| Some(Asset::new(name, fs::read(folder.join(name)).ok()?)))
            .collect(),
    };
    let is_whole = Graphiql::FILES.iter().all(|needed| theirs.iter().any(|asset| asset.name == *needed));
    let page = if is_whole { include_str!("graphiql/index.html") } else { include_str!("graphiql/unavailable.html") };
    let page = Arc::new(Asset::new("index.html", page.as_bytes()));
    let ours = OURS.map(|(name, text)| Asset::new(name, text.as_bytes()));
    let files: Arc<[Asset]> = ours.into_iter().chain(theirs).collect();
    let file = async move |Path(name): Path<String>, request: HeaderMap| {
        let found = files.iter().find(|asset| asset.name == name);
        found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |asset| asset.answer(&request))
    };
    Router::new()
        .route("/", get(async move |request: HeaderMap| page.answer(&request)))
        .route("/graphiql/{file}", get(file))
}

const OURS: [(&str, &str); 3] = [
    ("welcome.js", include_str!("graphiql/welcome.js")),
    ("boot.js", include_str!("graphiql/boot.js")),
    ("page.css", include_str!("graphiql/page.css")),
];

mod folded_in {
    include!(concat!(env!("OUT_DIR"), "/graphiql.rs"));
}

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: Bytes,
    etag: String,
}

impl Asset {
    fn new(name: &'static str, bytes: impl Into<Bytes>) -> Self {
        let content_type = match name.rsplit_once('.') {
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            _ => "text/html; charset=utf-8",
        };
        let bytes = bytes.into();
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
            ([(header::CONTENT_TYPE, self.content_type)], headers, self.bytes.clone()).into_response()
        }
    }
}
