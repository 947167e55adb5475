//! `LOG`, `LOG_FORMAT`.

use std::io;

use tracing_subscriber::EnvFilter;

use super::variable::{BadValue, read};

/// What is logged.
#[derive(Clone, Debug)]
pub struct Log {
    /// `LOG`: what is logged how verbosely, in tracing's words, as in `info,chinwag=debug`.
    pub filter: String,
    /// `LOG_FORMAT`: `text` for people or `json` for machines.
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Log {
    pub(super) fn from_env() -> Result<Self, BadValue> {
        let filter = read("LOG", "info", "a filter, as in info,chinwag=debug", |text| {
            EnvFilter::try_new(text).ok().map(|_| text.to_owned())
        })?;
        let format = read("LOG_FORMAT", "text", "text or json", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })?;
        Ok(Self { filter, format })
    }

    /// Starts logging, to standard error: what a command answers with goes to standard output.
    pub fn start(&self) {
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(&self.filter)).with_writer(io::stderr);
        match self.format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.json().init(),
        }
    }
}
