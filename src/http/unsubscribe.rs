//! `/unsubscribe`: the link in mails, for people and for mail programs (RFC 8058).
//!
//! The token alone says who wants no more, so a mail program need not be signed in. GET changes nothing: what scans mails
//! follows every link in them.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::Http;
use crate::accounts::preferences;
use crate::error::Code;
use crate::mail;

/// What the page may do: send its one form, to this server.
const POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

type Parameters = Query<HashMap<String, String>>;

pub async fn ask(State(http): State<Http>, parameters: Parameters) -> Response {
    match mail::who_unsubscribes(&http.app, token(&parameters)) {
        // To the address that it was fetched from.
        Some(_) => page(
            StatusCode::OK,
            html! {
                p { "Do you want no more mails of what waits for you?" }
                form method="post" { button { "No more mails" } }
            },
        ),
        None => wrong(),
    }
}

/// The body says that it is meant (`List-Unsubscribe=One-Click`), or nothing: it is not read.
pub async fn do_it(State(http): State<Http>, parameters: Parameters) -> Response {
    match preferences::unsubscribe(&http.app, token(&parameters)).await {
        Ok(()) => page(
            StatusCode::OK,
            html! {
                p { "You get no more mails of what waits for you. Your preferences have them again, whenever you like." }
            },
        ),
        Err(error) if error.code() == Code::TokenInvalid => wrong(),
        Err(error) => {
            tracing::warn!(cause = error.cause(), "somebody could not unsubscribe");
            page(StatusCode::SERVICE_UNAVAILABLE, html! { p { "That did not work. Please try again in a moment." } })
        }
    }
}

fn token(parameters: &Parameters) -> &str {
    parameters.get("token").map(String::as_str).unwrap_or_default()
}

fn wrong() -> Response {
    page(StatusCode::NOT_FOUND, html! { p { "This link is not whole. Please copy all of it from the mail." } })
}

fn page(status: StatusCode, says: Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta name="robots" content="noindex";
                title { "Mails" }
            }
            body { (says) }
        }
    };
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (status, headers, page.into_string()).into_response()
}
