//! Whether this server can do its work, for whoever balances load or restarts it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use tokio::time::timeout;

use super::Http;
use crate::jobs;

/// A database that takes longer answers nobody in good time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

pub async fn health(State(http): State<Http>) -> impl IntoResponse {
    // Asks the database something, so that it shows at once whether that answers.
    let (status, text, db, dead_letters) = match timeout(ANSWERS_WITHIN, jobs::count(&http.app)).await {
        Ok(Ok(dead_letters)) => (StatusCode::OK, "ok", "connected", Some(dead_letters)),
        Ok(Err(error)) => {
            tracing::warn!(cause = error.cause(), "the database cannot be reached");
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "cannot be reached", None)
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "does not answer", None),
    };
    (status, Json(Health { status: text, db, dead_letters }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: &'static str,
    db: &'static str,
    /// Jobs that failed for good, which somebody has to look at: the server itself is well all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letters: Option<i64>,
}
