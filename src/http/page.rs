//! Small pages for people who come by a link in a mail. They have no scripts, fetch nothing, and act on POST alone: what
//! scans mails follows every link in them.

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde_json::json;

use super::{Http, headers};
use crate::context::Origin;
use crate::error::{Code, Error, Result};
use crate::limits::{Budget, Payer};

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

/// Has the address pay for what is done here, as it would if an app did it.
pub fn charge(http: &Http, origin: Origin) -> Result<()> {
    match origin.address {
        Some(address) => http.app.limits.charge(Budget::Mails, Payer::at(address), 1),
        None => Ok(()),
    }
}

/// What has nothing to do with the link.
pub fn failed(title: &str, error: &Error) -> Response {
    if error.code() == Code::RateLimited {
        let mut response = page(title, StatusCode::TOO_MANY_REQUESTS, html! { p { (error.message()) "." } });
        headers::come_back(
            response.headers_mut(),
            json!([{ "extensions": error.extensions() }]).to_string().as_bytes(),
        );
        return response;
    }
    tracing::warn!(cause = error.cause(), title, "a page could not do what it is for");
    page(title, StatusCode::SERVICE_UNAVAILABLE, html! { p { "That did not work. Please try again in a moment." } })
}
