//! What others check access tokens with.

use axum::extract::State;
use axum::response::{IntoResponse, Json, Response};

use super::Http;

pub async fn jwks(State(http): State<Http>) -> Response {
    Json(http.app.keys.signing.published(http.app.clock.now())).into_response()
}
