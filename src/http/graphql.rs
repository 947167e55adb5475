//! Operations over HTTP: POST for all, GET for queries (<https://graphql.github.io/graphql-over-http/draft/>).

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::body::{drain, read};
use super::negotiate::{Accepted, Form, MediaType, is_json, is_plain};
use super::{Http, RequestId, bearer, headers, refusal, stream};
use crate::accounts::authenticate;
use crate::api::execute::{Answer, Kind, Operation, Params};
use crate::context::{Origin, Scope};
use crate::cookie::Jar;
use crate::error::{Code, Error};

/// What says who asks.
const CREDENTIALS: [HeaderName; 2] = [header::AUTHORIZATION, header::COOKIE];
/// For how long whoever stands between may keep what is public, in seconds: what changes by a new configuration is seen
/// everywhere after that.
const KEPT: &str = "public, max-age=60";

pub async fn post(
    State(http): State<Http>,
    Extension(request_id): Extension<RequestId>,
    Extension(origin): Extension<Origin>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut reply = Reply { media_type: MediaType::Json, request_id, is_public: false };
    let Some(accepted) = Accepted::by(&parts.headers) else {
        drain(body).await;
        return reply.not_acceptable();
    };
    reply.media_type = accepted.for_refusal();
    if !is_json(&parts.headers) {
        drain(body).await;
        let error = Error::new(Code::BadRequest, "The body has to be application/json in UTF-8");
        return reply.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error);
    }
    if !is_plain(&parts.headers) {
        drain(body).await;
        let error = Error::new(Code::BadRequest, "The body has to come as it is, without a Content-Encoding");
        let mut response = reply.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error);
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        return response;
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err((status, message)) => return reply.refuse(status, &Error::new(Code::BadRequest, message)),
    };
    let params = match serde_json::from_slice::<Params>(&body) {
        Ok(params) => params,
        Err(_) => return reply.refuse(StatusCode::BAD_REQUEST, &Error::new(Code::BadRequest, why_not_params(&body))),
    };
    let jar = jar(&http, &parts.headers).filter(|_| matches!(accepted.for_one(), Form::Single(_)));
    let scope = match scope(&http, &parts.headers, &reply.request_id, origin) {
        Ok(scope) => Arc::new(scope.with_jar(jar)),
        Err(error) => return reply.unauthenticated(&error),
    };
    let operation = http.executor.prepare(params, &scope);
    run(&http, operation, scope, accepted, &reply).await
}

pub async fn get(http: &Http, request_id: RequestId, origin: Origin, headers: &HeaderMap, uri: &Uri) -> Response {
    let mut reply = Reply { media_type: MediaType::Json, request_id, is_public: false };
    // Any page makes a browser open streams by GET, unasked, and they stay open.
    let Some(accepted) = Accepted::by(headers).and_then(Accepted::once) else { return reply.not_acceptable() };
    reply.media_type = accepted.for_refusal();
    let Some(params) = params_of(uri) else {
        let message = "`query` has to be a document, or `documentId` or `extensions.persistedQuery` its name; `variables` \
            and `extensions` are objects in JSON; each stands there once";
        return reply.refuse(StatusCode::BAD_REQUEST, &Error::new(Code::BadRequest, message));
    };
    let scope = match scope(http, headers, &reply.request_id, origin) {
        Ok(scope) => Arc::new(scope),
        Err(error) => return reply.unauthenticated(&error),
    };
    match http.executor.prepare(params, &scope) {
        // A link or an image on any page makes a browser send GET: it must not change anything.
        Ok(operation) if operation.kind != Kind::Query => {
            let error = Error::new(Code::BadRequest, "Only queries are taken by GET: send this by POST");
            let mut response = reply.refuse(StatusCode::METHOD_NOT_ALLOWED, &error);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            response
        }
        operation => {
            let is_public = operation.as_ref().is_ok_and(Operation::is_public);
            reply.is_public = is_public && CREDENTIALS.iter().all(|name| !headers.contains_key(name));
            run(http, operation, scope, accepted, &reply).await
        }
    }
}

/// What GET carries in its address, each once; objects stand there as JSON. Of two of a name, whoever keeps answers may
/// look at the one and we at the other.
fn params_of(uri: &Uri) -> Option<Params> {
    let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    let mut params = serde_json::Map::new();
    for (name, text) in parameters {
        let value = match name.as_str() {
            "variables" | "extensions" if text.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&text).ok()?,
            "query" | "documentId" | "operationName" => text.into(),
            _ => continue,
        };
        if params.insert(name, value).is_some() {
            return None;
        }
    }
    serde_json::from_value(params.into()).ok()
}

async fn run(
    http: &Http,
    operation: Result<Operation, Answer>,
    scope: Arc<Scope>,
    accepted: Accepted,
    reply: &Reply,
) -> Response {
    let form = match (&operation, accepted.for_many()) {
        (Ok(operation), Some(format)) if operation.kind == Kind::Subscription => Form::Stream(format),
        _ => accepted.for_one(),
    };
    let answer = match (form, operation) {
        (Form::Stream(format), operation) => return stream::open(http, format, operation, scope),
        (Form::Single(_), Ok(operation)) if operation.kind == Kind::Subscription => {
            let message = "Subscriptions need `accept: text/event-stream`, or a WebSocket with graphql-transport-ws";
            Answer::refuse(&Error::new(Code::BadRequest, message), &reply.request_id.0)
        }
        (Form::Single(_), Ok(operation)) => http.executor.run(operation, scope.clone()).await,
        (Form::Single(_), Err(refused)) => refused,
    };
    let mut response = reply.answer(answer);
    let cookie = scope.jar.as_ref().and_then(Jar::goes).and_then(|cookie| HeaderValue::try_from(cookie).ok());
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// Who asks. A token that is there has to be good: running as nobody instead would show a signed-in person strange
/// gaps.
fn scope(http: &Http, headers: &HeaderMap, id: &RequestId, origin: Origin) -> Result<Scope, Error> {
    let viewer = match headers.get(header::AUTHORIZATION) {
        Some(value) => match bearer(value.to_str().unwrap_or("?"))? {
            Some(token) => Some(authenticate(&http.app, token)?),
            None => None,
        },
        None => None,
    };
    Ok(Scope::new(http.app.clone(), viewer, id.0.to_string(), origin))
}

/// The cookie of a POST, which other sites can make a browser send too: but not as JSON without asking first (so GET has
/// none), and where it was asked it has said no. What comes from a foreign page all the same comes without.
fn jar(http: &Http, headers: &HeaderMap) -> Option<Jar> {
    if headers.get(header::ORIGIN).is_some_and(|page| !http.hosts.allows(page, headers)) {
        return None;
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    Some(Jar::open(cookies, http.app.config.http.is_secure()))
}

fn why_not_params(body: &[u8]) -> &'static str {
    match serde_json::from_slice::<Value>(body) {
        Err(_) => "The body is not JSON",
        Ok(Value::Array(_)) => "Batches are not taken: send each operation in a request of its own, or on a WebSocket",
        Ok(_) => {
            "The body has to be an object with a text `query`, or its name in `documentId` or `extensions.persistedQuery`, \
             perhaps a text `operationName`, and objects `variables` and `extensions`"
        }
    }
}

/// Writes answers to one request.
struct Reply {
    media_type: MediaType,
    request_id: RequestId,
    /// Whether an answer without errors may be kept by whoever stands between.
    is_public: bool,
}

impl Reply {
    fn answer(&self, answer: Answer) -> Response {
        let status = match (&answer, self.media_type) {
            // Under the older label, too: it is about the rate of requests, not about this one.
            (Answer::Refused(Code::RateLimited, _), _) => StatusCode::TOO_MANY_REQUESTS,
            (Answer::Refused(code, _), MediaType::GraphqlResponse) => status_of(*code),
            _ => StatusCode::OK,
        };
        let mut response = self.write(status, answer.clone().into_body());
        if let Answer::Refused(Code::RateLimited, errors) = &answer {
            headers::come_back(response.headers_mut(), errors);
        }
        if self.is_public && answer.is_whole() {
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(KEPT));
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, authorization"));
        }
        response
    }

    /// A request that is wrong before its document is looked at, whatever the media type.
    fn refuse(&self, status: StatusCode, error: &Error) -> Response {
        let mut response = refusal(status, error, &self.request_id);
        response.headers_mut().insert(header::CONTENT_TYPE, self.media_type.header());
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        response
    }

    fn unauthenticated(&self, error: &Error) -> Response {
        let mut response = self.refuse(StatusCode::UNAUTHORIZED, error);
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        response
    }

    fn not_acceptable(&self) -> Response {
        let message = "Answers are application/graphql-response+json or application/json, by POST also text/event-stream \
            and, for subscriptions, multipart/mixed with subscriptionSpec=1.0";
        self.refuse(StatusCode::NOT_ACCEPTABLE, &Error::new(Code::BadRequest, message))
    }

    fn write(&self, status: StatusCode, body: impl Into<Body>) -> Response {
        let headers =
            [(header::CONTENT_TYPE, self.media_type.header()), (header::VARY, HeaderValue::from_static("accept"))];
        (status, headers, body.into()).into_response()
    }
}

/// Of a request error. 401 is not among them: it is about the token alone.
fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        // No mistake, but half of a conversation: Apollo's clients then send the document.
        Code::PersistedQueryNotFound => StatusCode::OK,
        _ => StatusCode::BAD_REQUEST,
    }
}
