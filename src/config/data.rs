//! `DATA_DIR`, `DATABASE_URL`, `JWT_SECRET`, `LOG_RETENTION_DAYS`.

use std::path::PathBuf;

use chrono::TimeDelta;

use super::variable::{BadValue, read};

/// Of `LOG_RETENTION_DAYS`.
pub(super) const LOG_RETENTION_DAYS: i64 = 30;

/// Where things are kept.
#[derive(Clone, Debug)]
pub struct Data {
    /// `DATA_DIR`: the private cluster and the keys.
    pub dir: PathBuf,
    /// `DATABASE_URL`: a PostgreSQL of one's own; absent for the private cluster in `DATA_DIR`.
    pub database_url: Option<String>,
    /// `JWT_SECRET`: signs access tokens; absent for one made once and kept in `DATA_DIR`.
    pub jwt_secret: Option<String>,
    /// `LOG_RETENTION_DAYS`: how long events are kept for those who were away.
    pub log_retention: TimeDelta,
}

impl Data {
    pub(super) fn from_env() -> Result<Self, BadValue> {
        let database_url = match std::env::var("DATABASE_URL") {
            Ok(_) => {
                Some(read("DATABASE_URL", "", "a PostgreSQL address, as in postgres://user@host/chinwag", |text| {
                    text.parse::<tokio_postgres::Config>().ok().map(|_| text.to_owned())
                })?)
            }
            Err(_) => None,
        };
        let jwt_secret = match std::env::var("JWT_SECRET") {
            // HS256 wants a key as long as its digest (RFC 7518, 3.2).
            Ok(_) => {
                Some(read("JWT_SECRET", "", "at least 32 bytes", |text| (text.len() >= 32).then(|| text.to_owned()))?)
            }
            Err(_) => None,
        };
        let default = LOG_RETENTION_DAYS.to_string();
        let log_retention = read("LOG_RETENTION_DAYS", &default, "days, 1 to 36500", |text| {
            text.parse().ok().filter(|days| (1..=36_500).contains(days)).map(TimeDelta::days)
        })?;
        Ok(Self { dir: data_dir()?, database_url, jwt_secret, log_retention })
    }
}

/// `DATA_DIR`: `./data`, but for root `/var/lib/chinwag`: PostgreSQL runs as another user then, who could not enter a
/// private home.
fn data_dir() -> Result<PathBuf, BadValue> {
    let default = if rustix::process::geteuid().is_root() { "/var/lib/chinwag" } else { "./data" };
    let dir = read("DATA_DIR", default, "a folder", |text| (!text.is_empty()).then(|| PathBuf::from(text)))?;
    std::path::absolute(&dir).map_err(|error| BadValue(format!("DATA_DIR: {}: {error}", dir.display())))
}
