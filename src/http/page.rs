//! Small pages for people who come by a link in a mail. They have no scripts, fetch nothing, and act on POST alone: what
//! scans mails follows every link in them.

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::error::Error;

/// What a page may do: send its one form, to this server.
const POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub type Parameters = Query<HashMap<String, String>>;

/// What the link holds.
pub fn token(parameters: &Parameters) -> &str {
    parameters.get("token").map(String::as_str).unwrap_or_default()
}

pub fn page(title: &str, status: StatusCode, says: Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta name="robots" content="noindex";
                title { (title) }
            }
            body { (says) }
        }
    };
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (status, headers, page.into_string()).into_response()
}

/// What has nothing to do with the link.
pub fn failed(title: &str, error: &Error) -> Response {
    tracing::warn!(cause = error.cause(), title, "a page could not do what it is for");
    page(title, StatusCode::SERVICE_UNAVAILABLE, html! { p { "That did not work. Please try again in a moment." } })
}
