//! Addresses of what is public: groups among themselves, channels among those of their group or of the server.

use super::Visibility;
use crate::error::{Code, Error, InputCode, Result};
use crate::text::{self, Fault};

/// Addresses tried for a name before the client is asked to choose one.
const TRIED: usize = 20;

/// The address of something that is to be.
#[derive(Debug)]
pub enum Address {
    /// What is private has none.
    None,
    /// As the client wants it, or CONFLICT.
    Chosen(String),
    /// Made from the name, with a number where that is taken.
    Made(String),
}

impl Address {
    /// The address of a `kind` with this name.
    pub fn from(slug: Option<String>, visibility: Visibility, name: &str, kind: &str) -> Result<Self, Fault> {
        match (slug, visibility) {
            (Some(_), Visibility::Private) => Err(private_has_none()),
            (Some(slug), Visibility::Public) => text::slug(&slug).map(Self::Chosen),
            (None, Visibility::Private) => Ok(Self::None),
            (None, Visibility::Public) => Ok(Self::Made(made_address(name, kind))),
        }
    }

    /// What the client said: what is made from the name, or none, is as the other fields say.
    pub fn chosen(&self) -> Option<&str> {
        match self {
            Self::Chosen(slug) => Some(slug),
            Self::Made(_) | Self::None => None,
        }
    }
}

/// An address from a name: what can be written in a-z, 0-9 and dash.
pub fn made_address(name: &str, kind: &str) -> String {
    let made: String = slug::slugify(name).chars().take(70).collect();
    match made.len() {
        0 | 1 => format!("{kind}-{made}").trim_end_matches('-').to_owned(),
        _ => made.trim_end_matches('-').to_owned(),
    }
}

/// What to try where an address is made: that one, then the same with a number.
pub fn numbered(made: &str) -> Vec<String> {
    let numbered = (2..=TRIED).map(|number| format!("{made}-{number}"));
    std::iter::once(made.to_owned()).chain(numbered).collect()
}

/// What is public has an address, and what is private has none.
pub fn fitting(slug: &Option<Option<String>>, visibility: Visibility) -> Result<(), Fault> {
    match (slug, visibility) {
        (Some(Some(_)), Visibility::Private) => Err(private_has_none()),
        (Some(None), Visibility::Public) => Err(Fault::required()),
        _ => Ok(()),
    }
}

/// An address for what is private.
fn private_has_none() -> Fault {
    Fault::new(InputCode::NotAllowed, "What is private has none: it would betray it")
}

/// Somebody has it.
pub fn taken() -> Error {
    Error::new(Code::Conflict, "This address is taken")
}
