//! `APP_URL` and its pages.

use super::variable::{BadValue, as_url, optional, read};

/// Of `APP_MESSAGE`.
pub const MESSAGE: &str = "/messages/{message}";

/// Pages of the web app, which links lead to. What stands in braces is put in.
#[derive(Clone, Debug)]
pub struct Pages {
    /// `APP_URL`: where it begins.
    pub home: String,
    /// `APP_VERIFY_EMAIL`: where an address is proven, by `{token}`.
    pub verify_email: String,
    /// `APP_RESET_PASSWORD`: where a new password is set, by `{token}`.
    pub reset_password: String,
    /// `APP_MESSAGE`: where the `{message}` of an id is shown.
    pub message: String,
    /// `APP_OAUTH`: where those come back to who sign in at a provider.
    pub oauth: String,
}

impl Pages {
    pub(super) fn from_env() -> Result<Option<Self>, BadValue> {
        let wanted = "the URL of the web app, as in https://app.example.org";
        let home = optional("APP_URL", wanted, |text| as_url(text.trim_end_matches('/')))?;
        let page = |name, default, what: &str| {
            let wanted = format!("a path with {what} in it, as in {default}");
            let path = read(name, default, &wanted, |text| {
                let is_path =
                    text.starts_with(['/', '?', '#']) && text.is_ascii() && !text.contains(char::is_whitespace);
                (is_path && text.contains(what)).then(|| text.to_owned())
            })?;
            match &home {
                Some(home) => Ok(format!("{home}{path}")),
                None if std::env::var(name).is_ok() => {
                    Err(BadValue(format!("{name}: wants APP_URL, which it is below")))
                }
                None => Ok(path),
            }
        };
        let verify_email = page("APP_VERIFY_EMAIL", "/verify-email?token={token}", "{token}")?;
        let reset_password = page("APP_RESET_PASSWORD", "/reset-password?token={token}", "{token}")?;
        let message = page("APP_MESSAGE", MESSAGE, "{message}")?;
        let oauth = page("APP_OAUTH", "/oauth/callback", "/")?;
        Ok(home.clone().map(|home| Self { home, verify_email, reset_password, message, oauth }))
    }
}
