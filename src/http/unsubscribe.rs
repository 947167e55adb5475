//! `/unsubscribe`: the link in mails, for people and for mail programs (RFC 8058).
//!
//! The token alone says who wants no more, so a mail program need not be signed in. GET changes nothing: what scans mails
//! follows every link in them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::Http;
use super::page::{self, Parameters, page, token};
use crate::accounts::preferences;
use crate::error::Code;
use crate::mail;

const TITLE: &str = "Mails";

pub async fn ask(State(http): State<Http>, parameters: Parameters) -> Response {
    match mail::who_unsubscribes(&http.app, token(&parameters)) {
        // To the address that it was fetched from.
        Some(_) => page(
            TITLE,
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
            TITLE,
            StatusCode::OK,
            html! {
                p { "You get no more mails of what waits for you. Your preferences have them again, whenever you like." }
            },
        ),
        Err(error) if error.code() == Code::TokenInvalid => wrong(),
        Err(error) => page::failed(TITLE, &error),
    }
}

fn wrong() -> Response {
    let says = html! { p { "This link is not whole. Please copy all of it from the mail." } };
    page(TITLE, StatusCode::NOT_FOUND, says)
}
