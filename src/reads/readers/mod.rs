//! Who has read a message: those whose position is at it or beyond, and who share it. Nothing is kept of it.

pub mod graphql;
mod loaders;
mod store;

use serde::{Deserialize, Serialize};

pub use loaders::ReadersOf;

use crate::clock::Instant;
use crate::conversations::{Member, MemberCursor};
use crate::error::Result;
use crate::id::{ConversationId, MemberId, UserId};
use crate::page::{Arguments, Cursor, Direction, Window};

/// Somebody who has read it: their seat.
pub type Reader = Member;

/// Place among the readers of a message: its position, and the place among the members of the conversation.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReaderCursor(i32, MemberCursor);

impl Cursor for ReaderCursor {
    const LIST: &str = "readers";
}

impl ReaderCursor {
    pub fn of(seq: i32, reader: &Reader) -> Self {
        Self(seq, MemberCursor::of(reader))
    }
}

/// What somebody is listed by: rank of the role, when they joined, id of the seat.
type Place = (i16, Instant, MemberId);

/// A message outside of threads, of which the readers are wanted.
#[derive(Clone, Copy, Debug)]
pub struct ReadMessage {
    pub conversation_id: ConversationId,
    pub seq: i32,
    pub author_id: UserId,
}

/// A part of a list of readers, as it is looked up together with others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Readers {
    conversation_id: ConversationId,
    seq: i32,
    author_id: UserId,
    direction: Direction,
    /// As many as are fetched.
    limit: i64,
    /// Both left out.
    after: Option<Place>,
    before: Option<Place>,
}

impl ReadMessage {
    /// Which part of the list is wanted.
    pub fn window(&self, arguments: Arguments) -> Result<Window<ReaderCursor>> {
        arguments.window_of(|cursor: &ReaderCursor| cursor.0 == self.seq && cursor.1.is_of(self.conversation_id))
    }

    pub fn readers(&self, window: &Window<ReaderCursor>) -> Readers {
        Readers {
            conversation_id: self.conversation_id,
            seq: self.seq,
            author_id: self.author_id,
            direction: window.direction,
            limit: window.fetch(),
            after: window.after.as_ref().map(|cursor| cursor.1.values()),
            before: window.before.as_ref().map(|cursor| cursor.1.values()),
        }
    }
}
