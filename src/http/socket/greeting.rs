//! Who is at the other end, by `connection_init` alone, and for how long.

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::protocol::Close;
use crate::accounts::{authenticate, session_expires_at};
use crate::clock::Instant;
use crate::error::Result;
use crate::http::{Http, bearer};
use crate::limits::{Held, Payer, Place};
use crate::viewer::Viewer;

/// Before asking a database again that did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Sockets whose greetings are looked into at once.
const AT_ONCE: usize = 8;
/// For one's turn; who does not get it comes back later.
const WAITS: Duration = Duration::from_secs(30);

/// Where greetings wait for their turn. After a restart thousands come back in the same second, and would stand before
/// everybody else at the database: first for their sessions, then for what each follows. As nobody follows anything before
/// having been greeted, one line at the door is enough for the rest of the server to go on as ever.
pub struct Door(Semaphore);

impl Default for Door {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

/// Somebody signed in.
pub struct Session {
    pub viewer: Viewer,
    /// When to look whether the session still goes on.
    pub look_at: Instant,
    /// One of the user's sockets.
    pub _place: Place,
}

/// Who the payload of `connection_init` says is there; nobody without a token. A socket without its session's end would
/// outlive it, so when the database does not say it, the client has to come back.
pub async fn greet(http: &Http, payload: Option<&RawValue>) -> Result<Option<Session>, Close> {
    let Some(token) = payload.map(token).transpose()?.flatten() else { return Ok(None) };
    let viewer = authenticate(&http.app, &token).map_err(|_| Close::FORBIDDEN)?;
    let Ok(Ok(_turn)) = timeout(WAITS, http.door.0.acquire()).await else { return Err(Close::TRY_AGAIN) };
    let look_at = match session_expires_at(&http.app, viewer.session_id).await {
        Ok(Some(expires_at)) if expires_at > http.app.clock.now() => expires_at,
        Ok(_) => return Err(Close::FORBIDDEN),
        Err(error) => {
            tracing::warn!(cause = error.cause(), "cannot look a session up");
            return Err(Close::TRY_AGAIN);
        }
    };
    let place = http.places.take(Held::Socket, Payer::User(viewer.user_id)).ok_or(Close::TOO_MANY_SOCKETS)?;
    Ok(Some(Session { viewer, look_at, _place: place }))
}

/// When to look again; a session that was refreshed goes on, and so does one that cannot be looked up now.
pub async fn look_again(http: &Http, viewer: Viewer) -> Result<Instant, Close> {
    let now = http.app.clock.now();
    match session_expires_at(&http.app, viewer.session_id).await {
        Ok(Some(expires_at)) if expires_at > now => Ok(expires_at),
        Ok(_) => Err(Close::SESSION_EXPIRED),
        Err(_) => Ok(now + ASK_AGAIN),
    }
}

/// The token in `{"Authorization": "Bearer …"}`, in any case, perhaps inside `headers`, where clients put it that think
/// in HTTP.
fn token(payload: &RawValue) -> Result<Option<String>, Close> {
    let payload: Map<String, Value> = serde_json::from_str(payload.get()).map_err(|_| Close::INVALID)?;
    let headers = entry(&payload, "headers").and_then(Value::as_object);
    match entry(&payload, "authorization").or_else(|| entry(headers?, "authorization")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match bearer(text) {
            Ok(token) => Ok(token.map(str::to_owned)),
            Err(_) => Err(Close::FORBIDDEN),
        },
        Some(_) => Err(Close::FORBIDDEN),
    }
}

fn entry<'m>(map: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_of(payload: &str) -> Result<Option<String>, u16> {
        token(&RawValue::from_string(payload.into()).unwrap()).map_err(|close| close.code)
    }

    #[test]
    fn the_token_is_found_where_clients_put_it() {
        for payload in [
            r#"{"Authorization":"Bearer abc"}"#,
            r#"{"authorization":"bearer abc"}"#,
            r#"{"AUTHORIZATION":" Bearer  abc "}"#,
            r#"{"headers":{"authorization":"Bearer abc"}}"#,
            r#"{"Headers":{"Authorization":"Bearer abc"},"other":1}"#,
        ] {
            assert_eq!(token_of(payload), Ok(Some("abc".into())), "{payload}");
        }
        for payload in ["{}", r#"{"Authorization":null}"#, r#"{"Authorization":""}"#, r#"{"headers":7}"#] {
            assert_eq!(token_of(payload), Ok(None), "{payload}");
        }
        for payload in [r#"{"Authorization":"abc"}"#, r#"{"Authorization":7}"#, r#"{"Authorization":"Basic abc"}"#] {
            assert_eq!(token_of(payload), Err(4403), "{payload}");
        }
    }
}
