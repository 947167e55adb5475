//! Messages: the heart.
//!
//! Whatever changes a message takes the next `seq` of its conversation under the lock of `conversations::lock`, and is
//! an event in its log, in the same transaction.

mod bell;
mod delete;
mod draft;
mod edit;
pub mod events;
mod farewell;
pub mod graphql;
mod history;
mod loaders;
mod lock;
pub mod mentions;
pub mod pins;
pub mod reactions;
mod record;
mod send;
mod store;
pub mod threads;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

pub use delete::{DeleteDraft, delete};
pub use draft::{CONTENT, Draft, DraftInput, content};
pub use edit::{EditDraft, edit};
pub use farewell::erase;
pub use history::{Anchor, MessageCursor, Timeline, around, deleted, page};
pub use loaders::{MessageAt, MessageById};
pub use lock::Changed;
pub use mentions::{MENTIONED_AT_ONCE, Mentions};
pub use record::{PastMessage, record};
pub use send::{Sent, send};
pub use store::{Message, MessageCount};

use crate::db::text_enum;

/// Who wrote a message. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[graphql(name = "MessageKind")]
#[diesel(sql_type = sql_types::Text)]
pub enum Kind {
    /// A person.
    Standard,
    /// The server, to say what became of a call. Never unread, and not searched.
    System,
}
text_enum!(Kind);
