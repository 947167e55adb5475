//! A variable of the environment, and the forms that several have.

use axum::http::Uri;

/// A variable whose value cannot be used; its text names the variable.
#[derive(Debug)]
pub struct BadValue(pub String);

/// One variable, or its default. The message never shows the value: it may be a secret.
pub(super) fn read<T>(
    name: &str,
    default: &str,
    wanted: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, BadValue> {
    let text = match std::env::var(name) {
        Ok(text) => text,
        Err(std::env::VarError::NotPresent) => default.to_owned(),
        Err(std::env::VarError::NotUnicode(_)) => return Err(BadValue(format!("{name}: not UTF-8"))),
    };
    parse(text.trim()).ok_or_else(|| BadValue(format!("{name}: wants {wanted}")))
}

/// One variable that has no default.
pub(super) fn optional<T>(name: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, BadValue> {
    match std::env::var(name) {
        Err(std::env::VarError::NotPresent) => Ok(None),
        _ => read(name, "", wanted, parse).map(Some),
    }
}

pub(super) fn as_switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// What stands between commas.
pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A whole URL.
pub(super) fn as_url(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let is_whole = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    is_whole.then(|| text.to_owned())
}

pub(super) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
