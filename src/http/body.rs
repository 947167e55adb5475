//! Bodies of requests: at most so long, and at most so long in coming.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::time::timeout;

/// Of a request's body.
const BODY: usize = 256 * 1024;
/// For a body to arrive.
const BODY_ARRIVES: Duration = Duration::from_secs(15);
/// For a body that is refused: a client that still sends when we answer sees a broken connection and no status.
const REFUSED_ARRIVES: Duration = Duration::from_secs(2);

/// All of a body, or the status and the reason that it is refused for.
pub async fn read(body: Body) -> Result<Bytes, (StatusCode, String)> {
    let mut body = body;
    let mut bytes = Vec::new();
    let arrival = async {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err((StatusCode::BAD_REQUEST, "The body broke off".to_owned()));
            };
            if let Some(data) = frame.data_ref() {
                bytes.extend_from_slice(data);
            }
            if bytes.len() > BODY {
                return Err((StatusCode::PAYLOAD_TOO_LARGE, format!("The body is longer than {BODY} bytes")));
            }
        }
        Ok(())
    };
    match timeout(BODY_ARRIVES, arrival).await {
        Ok(Ok(())) => Ok(bytes.into()),
        Ok(Err(refused)) => {
            drain(body).await;
            Err(refused)
        }
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive".to_owned())),
    }
}

/// Takes in what a client still sends, within reason.
pub async fn drain(mut body: Body) {
    let _ = timeout(REFUSED_ARRIVES, async {
        let mut taken = 0;
        while taken < 16 * BODY
            && let Some(Ok(frame)) = body.frame().await
        {
            taken += frame.data_ref().map_or(0, Bytes::len);
        }
    })
    .await;
}
