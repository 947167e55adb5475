//! Accounts in the API: signing in, and what belongs to the viewer alone.

mod mutation;
mod session;
mod viewer;

use async_graphql::{Context, Object};

pub use mutation::AccountMutation;
pub use session::{Keep, Session, SessionTokens, enter, find_session, go};
pub use viewer::Viewer;

use crate::context::Ask;

#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// Everything that belongs to the signed-in user; null when nobody is signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        ctx.scope().viewer().map(Viewer)
    }
}
