//! Whether this server can do its work, for whoever balances load or restarts it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use tokio::time::timeout;

use super::Http;

/// A database that takes longer answers nobody in good time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

pub async fn health(State(http): State<Http>) -> impl IntoResponse {
    let (status, text, db) = match timeout(ANSWERS_WITHIN, http.app.db.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "ok", "connected"),
        Ok(Err(error)) => {
            tracing::warn!(cause = error.cause(), "the database cannot be reached");
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "cannot be reached")
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "does not answer"),
    };
    (status, Json(Health { status: text, db }))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    db: &'static str,
}
