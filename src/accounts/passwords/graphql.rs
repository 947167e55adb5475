//! Passwords in the API.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::{ChangeDraft, RequestDraft, request_reset};
use crate::accounts::graphql::Viewer;
use crate::accounts::{Proof, fresh, passwords};
use crate::context::Ask;
use crate::error::Result;
use crate::scalar::DateTime;

/// Whose password to reset.
#[derive(InputObject)]
pub struct RequestPasswordResetInput {
    /// The address.
    email: String,
}

/// An answer that is the same for known and unknown addresses.
#[derive(SimpleObject)]
pub struct RequestPasswordResetPayload {
    /// When the mail may be asked for again.
    retry_after: DateTime,
}

/// A password reset.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The token from the mail.
    token: String,
    /// The new password, at least 10 characters.
    password: String,
}

/// A password that was reset.
#[derive(SimpleObject)]
pub struct ResetPasswordPayload {
    /// Sessions that ended with it.
    revoked_session_count: i32,
}

/// A password change.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The present password; absent only where `hasPassword` is false and the session is at most 10 minutes old.
    current_password: Option<String>,
    /// The new password, at least 10 characters.
    new_password: String,
    /// Whether to end all other sessions.
    #[graphql(default = true)]
    revokes_other_sessions: bool,
}

/// A changed password.
#[derive(SimpleObject)]
pub struct ChangePasswordPayload {
    /// The viewer.
    viewer: Viewer,
}

#[derive(Default)]
pub struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Mail a password reset link; says nothing about whether the address is known.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Option<Result<RequestPasswordResetPayload>> {
        Some(request(ctx, input).await)
    }

    /// Set a new password with the token from the mail and end all other sessions. Errors: TOKEN_INVALID.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Option<Result<ResetPasswordPayload>> {
        Some(reset(ctx, input).await)
    }

    /// Change the password, knowing the present one. Errors: INVALID_CREDENTIALS.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Option<Result<ChangePasswordPayload>> {
        Some(change(ctx, input).await)
    }
}

async fn request(ctx: &Context<'_>, input: RequestPasswordResetInput) -> Result<RequestPasswordResetPayload> {
    let draft = RequestDraft::from(&input.email)?;
    let retry_after = request_reset(ctx.app(), draft).await?.into();
    Ok(RequestPasswordResetPayload { retry_after })
}

async fn reset(ctx: &Context<'_>, input: ResetPasswordInput) -> Result<ResetPasswordPayload> {
    let viewer = ctx.scope().viewer();
    let ended = passwords::reset_password(ctx.app(), viewer.as_ref(), &input.token, &input.password).await?;
    ctx.scope().forget_loaded();
    Ok(ResetPasswordPayload { revoked_session_count: i32::try_from(ended).unwrap_or(i32::MAX) })
}

async fn change(ctx: &Context<'_>, input: ChangePasswordInput) -> Result<ChangePasswordPayload> {
    let viewer = ctx.viewer()?;
    let fresh = fresh(ctx.app(), &viewer, Proof::Password(input.current_password)).await?;
    let draft = ChangeDraft { new: input.new_password, revokes_other_sessions: input.revokes_other_sessions };
    passwords::change_password(ctx.app(), &fresh, &draft).await?;
    ctx.scope().forget_loaded();
    Ok(ChangePasswordPayload { viewer: Viewer(viewer) })
}
