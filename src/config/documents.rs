//! `TRUSTED_DOCUMENTS`, `INTROSPECTION`.

use std::path::PathBuf;

use super::variable::{BadValue, as_switch, read};

/// Which operations are run.
#[derive(Clone, Debug)]
pub struct Documents {
    /// `TRUSTED_DOCUMENTS`: a file of operations that clients name instead of sending them.
    pub trusted: Option<PathBuf>,
    /// `TRUSTED_DOCUMENTS_ONLY`: `on` refuses all others.
    pub only_trusted: bool,
    /// `INTROSPECTION`: `off` refuses those that ask for the schema.
    pub introspection: bool,
}

impl Documents {
    pub(super) fn from_env() -> Result<Self, BadValue> {
        let trusted = read("TRUSTED_DOCUMENTS", "", "a file", |text| Some(text.to_owned()))?;
        let trusted = Some(trusted).filter(|path| !path.is_empty()).map(PathBuf::from);
        let only_trusted = read("TRUSTED_DOCUMENTS_ONLY", "off", "on or off", as_switch)?;
        if only_trusted && trusted.is_none() {
            return Err(BadValue("TRUSTED_DOCUMENTS_ONLY: wants TRUSTED_DOCUMENTS, or nothing could run".into()));
        }
        Ok(Self { trusted, only_trusted, introspection: read("INTROSPECTION", "on", "on or off", as_switch)? })
    }
}
