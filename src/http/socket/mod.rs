//! WebSockets that speak GraphQL: who may open one, and how it is set up.

mod awaits;
mod connection;
mod dialect;
mod greeting;
mod operation;
mod protocol;
mod queue;
mod wire;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

pub use connection::{SLOWEST, STALLS};
pub use greeting::{Door, look_again};

use dialect::Dialect;

use super::serve::Peer;
use super::{Http, RequestId, refusal};
use crate::context::Origin;
use crate::error::{Code, Error};

/// Of a client's message.
const MESSAGE: usize = 256 * 1024;
/// Of the largest answer a socket carries, and so of its write buffer, which is empty but for one message.
const ANSWER: usize = 8 * 1024 * 1024;
/// tungstenite zeroes its read buffer at every wake-up: with its own 128 KiB that is most of a delivery's cost.
const READ_BUFFER: usize = 4 * 1024;
/// A threshold; more would let a burst grow the buffer, which never shrinks.
const WRITE_BUFFER: usize = 4 * 1024;

pub fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a socket. Browsers let any page do so and send no preflight, so its `Origin` is judged here.
pub async fn open(http: Http, id: RequestId, origin: Origin, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let is_foreign = parts.headers.get(header::ORIGIN).is_some_and(|page| !http.hosts.allows(page, &parts.headers));
    if is_foreign {
        let error = Error::forbidden("Pages of this origin may not use this server: see CORS_ORIGINS");
        return refusal(StatusCode::FORBIDDEN, &error, &id);
    }
    let Some(peer) = parts.extensions.get::<Peer>().cloned() else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, &Error::internal("a request without a peer"), &id);
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let status = rejection.into_response().status();
            return refusal(status, &Error::new(Code::BadRequest, "This is no WebSocket handshake"), &id);
        }
    };
    let dialect = Dialect::choose(&parts.headers);
    let span = tracing::info_span!("socket", id = %id.0);
    let task = http.tasks.token();
    upgrade
        .protocols(dialect.map(Dialect::name))
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(2 * ANSWER)
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        // A socket keeps its connection's place, and stopping waits for it.
        .on_upgrade(move |socket| connection::serve(socket, dialect, http, origin, span, (peer.place, task)))
}
