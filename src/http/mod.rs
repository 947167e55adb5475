//! The server as browsers and clients meet it: routes, and what holds for every request.

mod body;
mod graphiql;
mod graphql;
mod headers;
mod health;
mod hosts;
mod jwks;
mod last_words;
mod negotiate;
mod page;
mod reset_password;
mod serve;
mod socket;
mod stream;
mod unsubscribe;
mod verify_email;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};
use tracing::Instrument;

pub use serve::Server;

use crate::api;
use crate::api::execute::Executor;
use crate::app::App;
use crate::context::Origin;
use crate::error::{Code, Error, Result};
use crate::limits::Places;
use hosts::Hosts;
use serve::Peer;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Bytes of an answer from which on it is compressed: less than a packet arrives no sooner.
const COMPRESSED: u16 = 1024;
/// By this much a socket or a stream ends after another when the server stops, so that not all clients come back at once.
const APART: Duration = Duration::from_millis(1);
/// And the last one not later than this.
const LAST: Duration = Duration::from_secs(5);

/// What all requests share. A clone is the same.
#[derive(Clone)]
pub struct Http(Arc<Shared>);

pub struct Shared {
    pub app: App,
    pub executor: Executor,
    hosts: Hosts,
    places: Places,
    door: socket::Door,
    pulse: health::Pulse,
    /// Cancelled when the server stops: nothing new is begun.
    draining: CancellationToken,
    /// Connections and sockets, so that stopping can wait for them.
    tasks: TaskTracker,
}

impl std::ops::Deref for Http {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Names a request in its answer, in `extensions.requestId` and in the log.
#[derive(Clone)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Ours, never the client's: what it sends could imitate lines of the log, or another's request.
    fn new() -> Self {
        Self(uuid::Uuid::new_v4().to_string().into())
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl Http {
    fn new(app: App, executor: Executor) -> Self {
        let hosts = Hosts::new(&app.config.http);
        let (places, door, pulse, draining, tasks) = Default::default();
        Self(Arc::new(Shared { app, executor, hosts, places, door, pulse, draining, tasks }))
    }

    /// Waits until the server stops, and for the turn of one of its many sockets and streams.
    async fn stops_for_one(&self) {
        self.draining.cancelled().await;
        let all = u32::try_from(self.tasks.len()).unwrap_or(u32::MAX);
        tokio::time::sleep(APART.saturating_mul(all).min(LAST).mul_f64(rand::random())).await;
    }

    fn router(&self) -> Router {
        let router = Router::new()
            .route("/graphql", get(get_or_socket).post(graphql::post))
            .route("/health", get(health::health))
            .route("/.well-known/jwks.json", get(jwks::jwks))
            .route("/verify-email", get(verify_email::ask).post(verify_email::do_it))
            .route("/reset-password", get(reset_password::ask).post(reset_password::do_it))
            .route("/unsubscribe", get(unsubscribe::ask).post(unsubscribe::do_it))
            .merge(self.schema())
            .merge(graphiql::routes(&self.app.config.http.graphiql))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .layer(compression())
            .layer(self.cors())
            .layer(middleware::from_fn_with_state(self.clone(), greet));
        headers::on_all(router, &self.app.config.http.public_url).with_state(self.clone())
    }

    /// `/schema.graphql`, unless it is not to be shown.
    fn schema(&self) -> Router<Self> {
        match self.app.config.documents.introspection {
            true => {
                let sdl: Arc<str> = api::sdl().into();
                Router::new().route("/schema.graphql", get(async move || sdl.to_string()))
            }
            false => Router::new(),
        }
    }

    /// Which pages elsewhere may read our answers, and send the cookie along.
    fn cors(&self) -> CorsLayer {
        let http = self.clone();
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin: &HeaderValue, parts: &Parts| {
                http.hosts.allows(origin, &parts.headers)
            }))
            .allow_methods(AllowMethods::list([axum::http::Method::GET, axum::http::Method::POST]))
            .allow_headers(AllowHeaders::mirror_request())
            .allow_credentials(true)
            .expose_headers([REQUEST_ID, header::RETRY_AFTER, headers::RATE_LIMIT, headers::RATE_LIMIT_POLICY])
            .max_age(Duration::from_secs(3600))
    }
}

/// What is worth it, as the client takes it; of a stream each piece has to leave at once.
fn compression() -> CompressionLayer<impl Predicate> {
    let is_worth_it = SizeAbove::new(COMPRESSED)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::const_new("multipart/"));
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_worth_it)
}

/// Names each request, finds out where it comes from, and turns away what is meant for another server.
async fn greet(State(http): State<Http>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    let span = tracing::info_span!("request", id = %id.0, method = %request.method(), path = request.uri().path());
    let mut response = async {
        if !http.hosts.is_ours(request.uri(), request.headers()) {
            let error = Error::new(Code::BadRequest, "This server has another name: see PUBLIC_URL");
            return refusal(StatusCode::MISDIRECTED_REQUEST, &error, &id);
        }
        if let Some(peer) = request.extensions().get::<Peer>() {
            let origin = http.hosts.origin_of(peer.address.ip(), request.headers());
            request.extensions_mut().insert(origin);
        }
        request.extensions_mut().insert(id.clone());
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await;
    let name = HeaderValue::from_str(&id.0).expect("a UUID is a header value");
    response.headers_mut().insert(REQUEST_ID, name);
    response
}

/// Sockets and GET share an address.
async fn get_or_socket(
    State(http): State<Http>,
    Extension(id): Extension<RequestId>,
    Extension(origin): Extension<Origin>,
    request: Request,
) -> Response {
    match socket::is_asked_for(request.headers()) {
        true => socket::open(http, id, origin, request).await,
        false => graphql::get(&http, id, origin, request.headers(), request.uri()).await,
    }
}

async fn not_found(Extension(id): Extension<RequestId>) -> Response {
    refusal(StatusCode::NOT_FOUND, &Error::not_found("page"), &id)
}

async fn method_not_allowed(Extension(id): Extension<RequestId>) -> Response {
    let error = Error::new(Code::BadRequest, "This address does not take this method");
    refusal(StatusCode::METHOD_NOT_ALLOWED, &error, &id)
}

/// An answer that never reached GraphQL.
fn refusal(status: StatusCode, error: &Error, id: &RequestId) -> Response {
    let mut extensions = error.extensions();
    extensions.insert("requestId".into(), (*id.0).into());
    let body = json!({ "errors": [{ "message": error.message(), "extensions": extensions }] });
    (status, axum::Json(body)).into_response()
}

/// The token in an `Authorization`; an empty one is none, as clients send it that have signed out.
fn bearer(authorization: &str) -> Result<Option<&str>> {
    let authorization = authorization.trim();
    if authorization.is_empty() {
        return Ok(None);
    }
    match authorization.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(Some(token.trim()))
        }
        _ => Err(Error::unauthenticated().with_message("Authorization has to be `Bearer` and an access token")),
    }
}
