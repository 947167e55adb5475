//! `GRAPHIQL`, `GRAPHIQL_DIR`.

use std::path::PathBuf;

use super::variable::{BadValue, as_switch, optional, read};

/// The page on which people try the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Graphiql {
    /// There is none.
    Off,
    /// Of the files that this program was built with, if any.
    BuiltIn,
    /// Of those in `GRAPHIQL_DIR`.
    Folder(PathBuf),
}

impl Graphiql {
    /// What it is made of, by other people.
    pub const FILES: [&str; 4] =
        ["react.production.min.js", "react-dom.production.min.js", "graphiql.min.js", "graphiql.min.css"];

    pub(super) fn from_env() -> Result<Self, BadValue> {
        let is_on = read("GRAPHIQL", "on", "on or off", as_switch)?;
        let folder = optional("GRAPHIQL_DIR", "a folder with the files of scripts/fetch-graphiql", |text| {
            let folder = PathBuf::from(text);
            Self::FILES.iter().all(|file| folder.join(file).is_file()).then_some(folder)
        })?;
        Ok(match folder {
            _ if !is_on => Self::Off,
            Some(folder) => Self::Folder(folder),
            None => Self::BuiltIn,
        })
    }
}
