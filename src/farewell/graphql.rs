//! Leaving for good in the API.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::accounts::graphql::go;
use crate::accounts::{Proof, fresh};
use crate::context::Ask;
use crate::error::Result;
use crate::farewell;

/// A farewell.
#[derive(InputObject)]
pub struct DeleteAccountInput {
    /// The present password; absent only where `hasPassword` is false and the session is at most 10 minutes old.
    current_password: Option<String>,
    /// Whether to delete all they wrote as well.
    #[graphql(default = false)]
    deletes_messages: bool,
}

/// A deleted account.
#[derive(SimpleObject)]
pub struct DeleteAccountPayload {
    /// The id of the user, which stays as a deleted user.
    user_id: ID,
}

#[derive(Default)]
pub struct FarewellMutation;

#[Object]
impl FarewellMutation {
    /// Delete the viewer's own account: profile erased, messages kept under a deleted user unless `deletesMessages` says
    /// otherwise. Errors: INVALID_CREDENTIALS, FAILED_PRECONDITION (the last admin).
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        input: DeleteAccountInput,
    ) -> Option<Result<DeleteAccountPayload>> {
        Some(delete_account(ctx, input).await)
    }
}

async fn delete_account(ctx: &Context<'_>, input: DeleteAccountInput) -> Result<DeleteAccountPayload> {
    let proof = fresh(ctx.app(), &ctx.viewer()?, Proof::Password(input.current_password)).await?;
    let user_id = farewell::delete_account(ctx.app(), &proof, input.deletes_messages).await?;
    go(ctx);
    Ok(DeleteAccountPayload { user_id: user_id.into() })
}
