//! What goes back to the client.

use bytes::Bytes;

use crate::error::Code;

/// An answer in JSON. A clone shares its bytes.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It ran: the whole body, with `data` and perhaps `errors`.
    Executed(Bytes),
    /// A request error: it did not run, and has no `data`. The list of errors, and the code of the first.
    Refused(Code, Bytes),
}

impl Answer {
    /// Bytes that it takes.
    pub fn size(&self) -> usize {
        match self {
            Self::Executed(bytes) | Self::Refused(_, bytes) => bytes.len(),
        }
    }

    /// Whether it ran without any error: errors stand before `data`.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Executed(body) if body.starts_with(b"{\"data\":"))
    }

    /// As one object.
    pub fn into_body(self) -> Bytes {
        match self {
            Self::Executed(body) => body,
            Self::Refused(_, errors) => [b"{\"errors\":".as_slice(), &errors, b"}"].concat().into(),
        }
    }
}
