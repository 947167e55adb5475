//! Everything that concerns somebody, in one stream of their own: what happens where they are a member, their account,
//! their sessions.
//!
//! It converges: an event says what something is like when it is told, and what happened in between may be left out. So
//! nothing is stored for it. Whoever changes something of somebody leaves a mark (`realtime::Mark`), and the transaction's
//! number stands in the rows that it wrote (`changed_xid`): live, marks say what to look up; on resuming, on any server,
//! the rows do (`store::changed_since`). Both end in `realtime::Subject`s, which `graphql::ViewerEvent::of` makes events of.

mod catch_up;
pub mod graphql;
mod listen;
mod position;
mod rows;
mod store;
mod tend;

pub use catch_up::catch_up;
pub use listen::listen;
pub use position::{note_position, position};
pub use tend::tend;
