//! `/reset-password`: the link that sets a new password, where there is no app that has such a page.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use url::form_urlencoded;

use super::Http;
use super::body::read;
use super::page::{self, Parameters, page, token};
use crate::accounts::passwords;
use crate::context::Origin;
use crate::error::Code;

const TITLE: &str = "A new password";

pub async fn ask() -> Response {
    page(TITLE, StatusCode::OK, fields())
}

pub async fn do_it(
    State(http): State<Http>,
    Extension(origin): Extension<Origin>,
    parameters: Parameters,
    body: Body,
) -> Response {
    let form = match read(body).await {
        Ok(form) => form,
        Err((status, why)) => return page(TITLE, status, html! { p { (why) "." } }),
    };
    if let Err(error) = page::charge(&http, origin) {
        return page::failed(TITLE, &error);
    }
    let password = form_urlencoded::parse(&form).find(|(field, _)| field == "password");
    let password = password.map(|(_, value)| value).unwrap_or_default();
    match passwords::reset_password(&http.app, None, token(&parameters), &password).await {
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
            page(TITLE, StatusCode::UNPROCESSABLE_ENTITY, html! { p { (why) "." } (fields()) })
        }
        Err(error) => page::failed(TITLE, &error),
    }
}

/// Sent to the address that it was fetched from.
fn fields() -> Markup {
    html! {
        form method="post" {
            p { label { "Your new password, of ten characters or more: "
                input type="password" name="password" autocomplete="new-password" required minlength="10" maxlength="200"; } }
            button { "Set it" }
        }
    }
}
