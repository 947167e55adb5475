//! Links to pages for people. They are made of what is configured alone: what a request says of the server's name may be
//! anybody's words, and a link in a mail is believed.

use crate::config::{Config, MESSAGE};
use crate::id::MessageId;

/// Where somebody proves that an address is theirs.
pub fn verify_email(config: &Config, token: &str) -> String {
    match &config.pages {
        Some(pages) => pages.verify_email.replace("{token}", token),
        None => format!("{}/verify-email?token={token}", config.http.public_url),
    }
}

/// Where somebody sets a new password.
pub fn reset_password(config: &Config, token: &str) -> String {
    match &config.pages {
        Some(pages) => pages.reset_password.replace("{token}", token),
        None => format!("{}/reset-password?token={token}", config.http.public_url),
    }
}

/// Where a message is shown: in the app, which may stand before the server, under the same name.
pub fn message(config: &Config, id: MessageId) -> String {
    match &config.pages {
        Some(pages) => pages.message.replace("{message}", &id.to_string()),
        None => format!("{}{MESSAGE}", config.http.public_url).replace("{message}", &id.to_string()),
    }
}

/// Where the app begins or, where there is none, the server.
pub fn home(config: &Config) -> &str {
    config.pages.as_ref().map_or(&config.http.public_url, |pages| &pages.home)
}
