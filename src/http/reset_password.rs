//! `/reset-password`: the link that sets a new password, where there is no app that has such a page.

use std::collections::HashMap;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::Http;
use super::page::{self, Parameters, page, token};
use crate::accounts::passwords;
use crate::error::Code;

const TITLE: &str = "A new password";

pub async fn ask() -> Response {
    page(TITLE, StatusCode::OK, form())
}

pub async fn do_it(
    State(http): State<Http>,
    parameters: Parameters,
    Form(fields): Form<HashMap<String, String>>,
) -> Response {
    let password = fields.get("password").map(String::as_str).unwrap_or_default();
    match passwords::reset_password(&http.app, None, token(&parameters), password).await {
        Ok(_) => {
            let says =
                html! { p { "Your password is set, and you are signed out everywhere. Sign in with the new one." } };
            page(TITLE, StatusCode::OK, says)
        }
        Err(error) if error.code() == Code::TokenInvalid => {
            let says =
                html! { p { "This link is not, or no longer, good. If you still need one, ask for another mail." } };
            page(TITLE, StatusCode::NOT_FOUND, says)
        }
        Err(error) if error.code() == Code::BadUserInput => {
            let why = error.message().strip_prefix("input.password: ").unwrap_or_default();
            page(TITLE, StatusCode::UNPROCESSABLE_ENTITY, html! { p { (why) "." } (form()) })
        }
        Err(error) => page::failed(TITLE, &error),
    }
}

/// Sent to the address that it was fetched from.
fn form() -> Markup {
    html! {
        form method="post" {
            p { label { "Your new password, of ten characters or more: "
                input type="password" name="password" autocomplete="new-password" required minlength="10" maxlength="200"; } }
            button { "Set it" }
        }
    }
}
