//! Whom a message mentions: `<@user_…>`, `<@everyone>` and `<@here>`, parsed once, when it is written.
//!
//! What is kept is who is called: whoever sees the conversation and has not blocked the author. Who cannot see it is not
//! told that they were named. A mention is read by the position in its conversation, one in a thread by that in the thread;
//! so how many wait for somebody is no counter, and a message that mentions everyone writes one row.

pub mod graphql;
mod keep;
mod list;
mod loaders;
mod parse;
mod store;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

pub(super) use keep::{Mentionable, Said, change, forget, keep, mentionable};
pub use list::{MentionCursor, MentionFilter, mentions};
pub use loaders::{BroadcastsIn, MentionsWaitingFor, NamedIn, UnreadMentionsInGroup, UnreadMentionsOf};
pub(super) use parse::parse;
pub use store::Called;

use super::Message;
use crate::db::text_enum;
use crate::error::Result;
use crate::id::UserId;

/// People mentioned by name in one message at most.
pub const MENTIONED_AT_ONCE: usize = 50;

/// Whom a mention is meant for. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum MentionKind {
    /// One user.
    User,
    /// Every member.
    Everyone,
    /// Every member; it rings those who are online.
    Here,
}
text_enum!(MentionKind);

/// The mentions in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    pub users: Vec<UserId>,
    /// Everyone, or everyone who is here.
    pub broadcasts: Vec<MentionKind>,
}
