//! `/verify-email`: the link that proves an address, where there is no app that has such a page.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use super::Http;
use super::page::{self, Parameters, page, token};
use crate::accounts::addresses;
use crate::context::Origin;
use crate::error::Code;

const TITLE: &str = "Your address";

pub async fn ask() -> Response {
    // To the address that it was fetched from.
    let says = html! {
        p { "Is this mail address yours, and the account that the mail names too?" }
        form method="post" { button { "Yes, they are mine" } }
    };
    page(TITLE, StatusCode::OK, says)
}

pub async fn do_it(State(http): State<Http>, Extension(origin): Extension<Origin>, parameters: Parameters) -> Response {
    if let Err(error) = page::charge(&http, origin) {
        return page::failed(TITLE, &error);
    }
    match addresses::verify_email(&http.app, token(&parameters)).await {
        Ok(proven) => page(TITLE, StatusCode::OK, html! { p { "Thank you. " (proven.email) " is your address now." } }),
        Err(error) if error.code() == Code::TokenInvalid => {
            let says =
                html! { p { "This link is not, or no longer, good. If you still need one, ask for another mail." } };
            page(TITLE, StatusCode::NOT_FOUND, says)
        }
        Err(error) => page::failed(TITLE, &error),
    }
}
