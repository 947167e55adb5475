//! Who reacted to a message with one emoji: in the order in which they did.

use serde::{Deserialize, Serialize};

use super::{ReactionGroup, Reactor};
use crate::error::Result;
use crate::id::ConversationId;
use crate::page::{Arguments, Cursor, Direction, Window};

/// Place in such a list: of which message and emoji, and the position in the log at which the reaction came.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReactorCursor(ConversationId, i32, String, i32);

impl Cursor for ReactorCursor {
    const LIST: &str = "reactors";
}

impl ReactorCursor {
    pub fn of(group: &ReactionGroup, reactor: &Reactor) -> Self {
        Self(group.conversation_id, group.seq, group.emoji.clone(), reactor.added_seq)
    }

    fn is_of(&self, group: &ReactionGroup) -> bool {
        (self.0, self.1, &self.2) == (group.conversation_id, group.seq, &group.emoji)
    }
}

/// A part of such a list, as it is looked up together with others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reactors {
    pub conversation_id: ConversationId,
    pub seq: i32,
    pub emoji: String,
    pub direction: Direction,
    /// As many as are fetched.
    pub limit: i64,
    /// Positions in the log, both left out.
    pub after: Option<i32>,
    pub before: Option<i32>,
}

impl ReactionGroup {
    /// Which part of the list of those who reacted so is wanted.
    pub fn window(&self, arguments: Arguments) -> Result<Window<ReactorCursor>> {
        arguments.window_of(|cursor: &ReactorCursor| cursor.is_of(self))
    }

    pub fn reactors(&self, window: &Window<ReactorCursor>) -> Reactors {
        Reactors {
            conversation_id: self.conversation_id,
            seq: self.seq,
            emoji: self.emoji.clone(),
            direction: window.direction,
            limit: window.fetch(),
            after: window.after.as_ref().map(|cursor| cursor.3),
            before: window.before.as_ref().map(|cursor| cursor.3),
        }
    }
}
