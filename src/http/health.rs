//! Whether this server can do its work, for whoever balances load or restarts it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use serde::Serialize;
use tokio::time::timeout;

use super::Http;
use crate::app::App;
use crate::jobs;

/// A database that takes longer answers nobody in good time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// A look at the database that is under way. It is shared by all who ask meanwhile: strangers may ask without end, and each
/// would take a connection that somebody else waits for.
#[derive(Default)]
pub struct Pulse(Mutex<Option<WeakShared<BoxFuture<'static, Found>>>>);

/// What a look has found.
#[derive(Clone, Copy)]
enum Found {
    Connected { dead_letters: i64 },
    Unreachable,
    Silent,
}

impl Pulse {
    fn look(&self, app: &App) -> Shared<BoxFuture<'static, Found>> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = under_way.as_ref().and_then(WeakShared::upgrade).filter(|look| look.peek().is_none());
        found.unwrap_or_else(|| {
            let look = look(app.clone()).boxed().shared();
            *under_way = look.downgrade();
            look
        })
    }
}

/// Asks the database something, so that it shows at once whether that answers.
async fn look(app: App) -> Found {
    match timeout(ANSWERS_WITHIN, jobs::count(&app)).await {
        Ok(Ok(dead_letters)) => Found::Connected { dead_letters },
        Ok(Err(error)) => {
            tracing::warn!(cause = error.cause(), "the database cannot be reached");
            Found::Unreachable
        }
        Err(_) => Found::Silent,
    }
}

pub async fn health(State(http): State<Http>) -> impl IntoResponse {
    let (status, text, db, dead_letters) = match http.pulse.look(&http.app).await {
        Found::Connected { dead_letters } => (StatusCode::OK, "ok", "connected", Some(dead_letters)),
        Found::Unreachable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "cannot be reached", None),
        Found::Silent => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "does not answer", None),
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
