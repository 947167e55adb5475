//! Access tokens: short-lived, signed, not stored. They prove who asks and by which session, and nothing else: what one
//! may do comes from the database, so that it holds at once.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::id::{SessionId, UserId};
use crate::realtime::ACCESS_TOKEN_LIVES;
use crate::viewer::Viewer;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    sid: Uuid,
    /// Seconds since 1970, as RFC 7519 has it.
    exp: i64,
}

/// Who a bearer token belongs to. Malformed, forged, expired and revoked look alike.
pub fn authenticate(app: &App, token: &str) -> Result<Viewer> {
    let invalid = || Error::unauthenticated().with_message("The access token is not, or no longer, good");
    let now = app.clock.now();
    let claims: Claims = app.keys.signing.verify(token, now).ok_or_else(invalid)?;
    let viewer = Viewer { user_id: UserId(claims.sub), session_id: SessionId(claims.sid) };
    if claims.exp <= now.timestamp() || app.realtime.ended_sessions.contains(viewer.session_id) {
        return Err(invalid());
    }
    Ok(viewer)
}

/// A new access token for this viewer, and when it ends.
pub(super) fn access_token(app: &App, viewer: &Viewer) -> Result<(String, Instant)> {
    let expires_at = app.clock.now() + ACCESS_TOKEN_LIVES;
    let claims = Claims { sub: viewer.user_id.0, sid: viewer.session_id.0, exp: expires_at.timestamp() };
    Ok((app.keys.signing.sign(&claims)?, expires_at))
}

/// When a session ends unless it is refreshed before; `None` once it has ended. A socket lives as long.
pub async fn session_expires_at(app: &App, id: SessionId) -> Result<Option<Instant>> {
    app.db.read(async move |conn| store::session_expires_at(conn, id).await).await
}
