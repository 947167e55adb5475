//! `SMTP_URL`, `MAIL_FROM`, `MAIL_DELAY`.

use axum::http::Uri;
use chrono::TimeDelta;

use super::variable::{BadValue, is_loopback, optional, read};
use crate::mail;

/// Of `MAIL_DELAY`.
pub(super) const MAIL_DELAY: TimeDelta = TimeDelta::minutes(10);

/// How letters reach people.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `SMTP_URL`: the server that takes them; absent for files in `DATA_DIR`.
    pub smtp_url: Option<String>,
    /// `MAIL_FROM`: whom they come from.
    pub from: Option<String>,
    /// `MAIL_DELAY`: how long something new waits until somebody who is away is mailed of it.
    pub delay: TimeDelta,
}

impl Mail {
    pub(super) fn from_env() -> Result<Self, BadValue> {
        let wanted = "an SMTP server, as in smtps://user:password@mail.example.org; smtp:// with a password only with \
                      ?tls=required, or on this machine";
        let smtp_url = optional("SMTP_URL", wanted, |url| {
            let uri: Uri = url.parse().ok()?;
            let has_password = uri.authority()?.as_str().contains('@');
            let is_private = uri.scheme_str() == Some("smtps") || uri.query() == Some("tls=required");
            let is_safe = !has_password || is_private || is_loopback(uri.host()?);
            mail::smtp(url, "localhost").ok().filter(|_| is_safe).map(|_| url.to_owned())
        })?;
        let from = optional("MAIL_FROM", "an address, as in chat@example.org or Chat <chat@example.org>", |text| {
            text.parse::<lettre::message::Mailbox>().ok().map(|_| text.to_owned())
        })?;
        if smtp_url.is_some() && from.is_none() {
            return Err(BadValue("MAIL_FROM: wants the address that mails come from, as SMTP_URL is set".into()));
        }
        let default = MAIL_DELAY.num_minutes().to_string();
        let delay = read("MAIL_DELAY", &default, "minutes, 1 to 1440", |text| {
            text.parse().ok().filter(|minutes| (1..=1440).contains(minutes)).map(TimeDelta::minutes)
        })?;
        Ok(Self { smtp_url, from, delay })
    }
}
