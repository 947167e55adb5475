//! How somebody keeps the conversations they are a member of: how far they have read, what is unread, whether it is
//! muted, a favourite or hidden; and the lists that show it, the inbox and the sidebar.
//!
//! What is unread is no counter but a subtraction (see `store`), so whoever sends counts nothing up for anybody. The
//! seat's columns are written by `conversations`.

pub mod graphql;
mod inbox;
mod keep;
mod loaders;
mod mark_read;
mod store;

pub use inbox::{InboxCursor, InboxFilter, inbox, sidebar, unread_conversations};
pub use keep::{KeepDraft, keep};
pub use loaders::{FirstUnreadOf, StateOf, UnreadInGroup};
pub use mark_read::{MarkReadDraft, mark_read};
pub use store::State;
