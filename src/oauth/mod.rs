//! Signing in at other providers, and what of it is linked to whom.
//!
//! A round trip begins with `begin`, which gives the client a state, and ends with `complete`, which takes that state once.
//! Who has come back the provider says (`crate::providers`); whose account that is, is decided here. An account elsewhere is
//! known by its issuer and its number there, and by nothing that changes hands. By its address it is found only where both
//! sides have had that proven.

mod begin;
mod complete;
pub mod graphql;
mod link;
mod loaders;
mod names;
mod purge;
mod sign_in;
mod store;
mod unlink;

pub use begin::{BeginDraft, BeginInput, Begun, Purpose, begin};
pub use complete::{CompleteDraft, CompleteInput, Completed, complete};
pub use loaders::LinkedById;
pub use purge::PurgeStates;
pub use store::Linked;
pub use unlink::unlink;

use crate::app::App;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;

/// What is linked to somebody, the oldest first.
pub async fn linked_to(app: &App, user: UserId) -> Result<Vec<Linked>> {
    app.db.read(async move |conn| store::of_user(conn, user).await).await
}

/// Forgets all that is linked to somebody, who goes for good.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(store::delete_all(tx, user).await?)
}
