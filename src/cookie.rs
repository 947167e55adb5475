//! The cookie in which a browser keeps its refresh token, out of reach of the scripts of a page.
//!
//! It opens nothing by itself: `refreshSession` alone reads it, and what that answers is shown to no page of another
//! origin. Neither is it taken from such a page at all, nor from a request that a browser would make without asking first:
//! see `http::graphql`.

use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use cookie::{Cookie, SameSite, time::Duration};

const NAME: &str = "chinwag_refresh";
/// It is sent nowhere else.
const PATH: &str = "/graphql";

/// The cookie of one request: what came, and what goes with the answer.
pub struct Jar {
    came: Option<String>,
    is_secure: bool,
    goes: Mutex<Option<Cookie<'static>>>,
}

impl Jar {
    /// From all `Cookie` headers of a request. `is_secure` says whether people reach the server by https alone.
    pub fn open<'a>(headers: impl Iterator<Item = &'a str>, is_secure: bool) -> Self {
        let mut cookies = headers.flat_map(Cookie::split_parse).filter_map(Result::ok);
        let came = cookies.find(|cookie| cookie.name() == NAME && !cookie.value().is_empty());
        Self { came: came.map(|cookie| cookie.value().to_owned()), is_secure, goes: Mutex::default() }
    }

    /// The token that came.
    pub fn token(&self) -> Option<&str> {
        self.came.as_deref()
    }

    /// Has the browser keep this token for as long.
    pub fn put(&self, token: String, lives: TimeDelta) {
        self.set(token, Duration::seconds(lives.num_seconds()));
    }

    /// Has the browser forget what came.
    pub fn empty(&self) {
        if self.came.is_some() {
            self.set(String::new(), Duration::ZERO);
        }
    }

    fn set(&self, value: String, lives: Duration) {
        let cookie = Cookie::build((NAME, value)).path(PATH).max_age(lives).http_only(true);
        let cookie = cookie.same_site(SameSite::Lax).secure(self.is_secure).build();
        *self.goes.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
    }

    /// What goes with the answer, as it stands in `Set-Cookie`.
    pub fn goes(&self) -> Option<String> {
        self.goes.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(ToString::to_string)
    }
}
