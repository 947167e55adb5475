//! How somebody keeps the conversations they are a member of: how far they have read, what is unread, whether it is
//! muted, a favourite or hidden; the lists that show it, the inbox and the sidebar; and who has read a message.
//!
//! What is unread is no counter but a subtraction (see `store`), so whoever sends counts nothing up for anybody. The
//! seat's columns are written by `conversations`.

pub mod graphql;
mod inbox;
mod keep;
mod loaders;
mod mark_read;
mod mark_unread;
pub mod readers;
mod store;

pub use inbox::{InboxCursor, InboxFilter, inbox, sidebar};
pub use keep::{KeepDraft, keep};
pub use loaders::{FirstUnreadOf, StateOf, UnreadConversationsOf, UnreadInGroup};
pub use mark_read::{MarkReadDraft, mark_read};
pub use mark_unread::mark_unread;
pub use store::State;
