//! Who may come: everyone, whoever has an invitation, or nobody by themselves, as `REGISTRATION` says.
//!
//! An invitation is a token, of which a digest is kept. How often it is used is counted in its row, by the statement that
//! uses it: of those who come at once as many get in as it has room for, and those who do not learn nothing else.

mod create;
pub mod graphql;
mod leave;
mod list;
mod loaders;
mod redeem;
mod register;
mod revoke;
mod store;

pub use create::{Created, InvitationDraft, InvitationInput, create};
pub use leave::Leave;
pub use list::{InvitationCursor, InvitationFilter, invitations};
pub use loaders::InvitationById;
pub use register::register;
pub use revoke::revoke;
pub use store::Invitation;
