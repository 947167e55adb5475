//! Mail addresses in the API.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::{EmailDraft, Proven, RequestDraft, change_email, request_verification, verify_email};
use crate::accounts::graphql::Viewer;
use crate::accounts::{Proof, fresh};
use crate::context::Ask;
use crate::error::Result;
use crate::scalar::DateTime;

/// Whose verification mail to send.
#[derive(InputObject)]
pub struct RequestEmailVerificationInput {
    /// The address; the viewer's own when absent.
    email: Option<String>,
}

/// An answer that is the same for known and unknown addresses.
#[derive(SimpleObject)]
pub struct RequestEmailVerificationPayload {
    /// When the mail may be asked for again.
    retry_after: DateTime,
}

/// Proof of an address.
#[derive(InputObject)]
pub struct VerifyEmailInput {
    /// The token from the mail.
    token: String,
}

/// A proven address.
#[derive(SimpleObject)]
pub struct VerifyEmailPayload {
    /// The address.
    email: String,
    /// The viewer, if signed in as the one whose address it is.
    viewer: Option<Viewer>,
}

/// A change of address.
#[derive(InputObject)]
pub struct ChangeEmailInput {
    /// The new address.
    email: String,
    /// The present password; absent only where `hasPassword` is false and the session is at most 10 minutes old.
    current_password: Option<String>,
}

/// A change of address that waits for its proof.
#[derive(SimpleObject)]
pub struct ChangeEmailPayload {
    /// The viewer, with `pendingEmail`.
    viewer: Viewer,
}

#[derive(Default)]
pub struct AddressMutation;

#[Object]
impl AddressMutation {
    /// Send the verification mail again; says nothing about whether the address is known.
    async fn request_email_verification(
        &self,
        ctx: &Context<'_>,
        input: RequestEmailVerificationInput,
    ) -> Option<Result<RequestEmailVerificationPayload>> {
        Some(request(ctx, input).await)
    }

    /// Prove an address with the token from the mail. Errors: TOKEN_INVALID.
    async fn verify_email(&self, ctx: &Context<'_>, input: VerifyEmailInput) -> Option<Result<VerifyEmailPayload>> {
        Some(verify(ctx, input).await)
    }

    /// Begin to change the mail address; it takes effect once verified. Says nothing about whether the address is taken: its
    /// owner gets a mail. Errors: INVALID_CREDENTIALS.
    async fn change_email(&self, ctx: &Context<'_>, input: ChangeEmailInput) -> Option<Result<ChangeEmailPayload>> {
        Some(change(ctx, input).await)
    }
}

async fn request(ctx: &Context<'_>, input: RequestEmailVerificationInput) -> Result<RequestEmailVerificationPayload> {
    let draft = RequestDraft::from(input.email)?;
    let retry_after = request_verification(ctx.app(), ctx.scope().viewer().as_ref(), draft).await?.into();
    Ok(RequestEmailVerificationPayload { retry_after })
}

async fn verify(ctx: &Context<'_>, input: VerifyEmailInput) -> Result<VerifyEmailPayload> {
    let Proven { user_id, email } = verify_email(ctx.app(), &input.token).await?;
    ctx.scope().forget_loaded();
    let viewer = ctx.scope().viewer().filter(|viewer| viewer.user_id == user_id);
    Ok(VerifyEmailPayload { email, viewer: viewer.map(Viewer) })
}

async fn change(ctx: &Context<'_>, input: ChangeEmailInput) -> Result<ChangeEmailPayload> {
    let viewer = ctx.viewer()?;
    let draft = EmailDraft::from(&input.email)?;
    let fresh = fresh(ctx.app(), &viewer, Proof::Password(input.current_password)).await?;
    change_email(ctx.app(), &fresh, &draft).await?;
    ctx.scope().forget_loaded();
    Ok(ChangeEmailPayload { viewer: Viewer(viewer) })
}
