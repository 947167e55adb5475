//! How the viewer keeps conversations, in the API.

mod inbox;
mod mutation;
mod state;

pub use inbox::{ConversationConnection, InboxFilter, UnreadSummary, conversations, sidebar};
pub use mutation::ReadMutation;
pub use state::{ConversationViewerState, find, viewer_state};
