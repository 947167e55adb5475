//! The second factor in the API.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::{AnswerDraft, answer, begin, recovery_code_count, regenerate};
use crate::accounts::graphql::{Keep, Session, SessionTokens, Viewer, enter};
use crate::accounts::{Account, Proof, fresh, second_factor};
use crate::clock::Instant;
use crate::context::Ask;
use crate::error::Result;
use crate::id::UserId;
use crate::scalar::{DateTime, Url};

/// Somebody's, in force since then.
pub struct SecondFactor(UserId, Instant);

impl SecondFactor {
    /// `None` where signing in takes the password alone.
    pub fn of(account: &Account) -> Option<Self> {
        account.second_factor_at.map(|since| Self(account.user_id, since))
    }
}

/// A second factor for sign-ins: codes of an authenticator app (TOTP, RFC 6238).
#[Object]
impl SecondFactor {
    /// Since when it is on.
    async fn enabled_at(&self) -> DateTime {
        self.1.into()
    }

    /// Recovery codes that are left.
    async fn recovery_code_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = recovery_code_count(ctx.app(), self.0).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// The second half of a sign-in; how the client is called and where its refresh token goes is as the first half said.
#[derive(InputObject)]
pub struct AnswerSecondFactorInput {
    /// From `extensions.challenge` of SECOND_FACTOR_REQUIRED; good for 5 minutes.
    challenge: String,
    /// A code of the authenticator app, or a recovery code.
    code: String,
}

/// A sign-in.
#[derive(SimpleObject)]
pub struct AnswerSecondFactorPayload {
    /// The viewer.
    viewer: Viewer,
    /// The new session.
    session: Session,
    /// Its tokens.
    tokens: SessionTokens,
}

/// A second factor to set up.
#[derive(InputObject)]
pub struct BeginSecondFactorInput {
    /// The present password; absent only where `hasPassword` is false and the session is at most 10 minutes old.
    current_password: Option<String>,
}

/// What the authenticator app needs, shown once.
#[derive(SimpleObject)]
pub struct BeginSecondFactorPayload {
    /// The secret, in base32, to type in.
    secret: String,
    /// The same as an otpauth address, for a QR code.
    provisioning_url: Url,
}

/// The first code of a second factor.
#[derive(InputObject)]
pub struct EnableSecondFactorInput {
    /// A code of the authenticator app.
    code: String,
}

/// A second factor that is on.
#[derive(SimpleObject)]
pub struct EnableSecondFactorPayload {
    /// The viewer, with `secondFactor`.
    viewer: Viewer,
    /// Codes for when the device is lost; each works once, and they are shown once.
    recovery_codes: Vec<String>,
}

/// Proof that the second factor is one's own.
#[derive(InputObject)]
pub struct DisableSecondFactorInput {
    /// A code of the authenticator app, or a recovery code.
    code: String,
}

/// A second factor that is off.
#[derive(SimpleObject)]
pub struct DisableSecondFactorPayload {
    /// The viewer.
    viewer: Viewer,
}

/// Proof that the second factor is one's own.
#[derive(InputObject)]
pub struct RegenerateRecoveryCodesInput {
    /// A code of the authenticator app, or a recovery code.
    code: String,
}

/// New recovery codes.
#[derive(SimpleObject)]
pub struct RegenerateRecoveryCodesPayload {
    /// The viewer, with `secondFactor`.
    viewer: Viewer,
    /// Codes for when the device is lost; each works once, and they are shown once.
    recovery_codes: Vec<String>,
}

#[derive(Default)]
pub struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Finish a sign-in that answered SECOND_FACTOR_REQUIRED. Errors: INVALID_CREDENTIALS, TOKEN_INVALID (the challenge is
    /// spent or expired).
    async fn answer_second_factor(
        &self,
        ctx: &Context<'_>,
        input: AnswerSecondFactorInput,
    ) -> Option<Result<AnswerSecondFactorPayload>> {
        Some(answer_second_factor(ctx, input).await)
    }

    /// Begin to set up a second factor (TOTP, RFC 6238); it takes effect with `enableSecondFactor`. Errors:
    /// INVALID_CREDENTIALS, FAILED_PRECONDITION (there is one).
    async fn begin_second_factor(
        &self,
        ctx: &Context<'_>,
        input: BeginSecondFactorInput,
    ) -> Option<Result<BeginSecondFactorPayload>> {
        Some(begin_second_factor(ctx, input).await)
    }

    /// Switch the second factor on with its first code. Errors: INVALID_CREDENTIALS, FAILED_PRECONDITION (not begun).
    async fn enable_second_factor(
        &self,
        ctx: &Context<'_>,
        input: EnableSecondFactorInput,
    ) -> Option<Result<EnableSecondFactorPayload>> {
        Some(enable(ctx, input).await)
    }

    /// Switch the second factor off. Errors: INVALID_CREDENTIALS.
    async fn disable_second_factor(
        &self,
        ctx: &Context<'_>,
        input: DisableSecondFactorInput,
    ) -> Option<Result<DisableSecondFactorPayload>> {
        Some(disable(ctx, input).await)
    }

    /// Make new recovery codes; the old ones work no longer. Errors: INVALID_CREDENTIALS.
    async fn regenerate_recovery_codes(
        &self,
        ctx: &Context<'_>,
        input: RegenerateRecoveryCodesInput,
    ) -> Option<Result<RegenerateRecoveryCodesPayload>> {
        Some(regenerate_recovery_codes(ctx, input).await)
    }
}

async fn answer_second_factor(ctx: &Context<'_>, input: AnswerSecondFactorInput) -> Result<AnswerSecondFactorPayload> {
    let draft = AnswerDraft { challenge: input.challenge, code: input.code };
    let (signed_in, delivery) = answer(ctx.app(), ctx.scope().origin, &draft).await?;
    // Where no cookie can be set now, as on a socket, they are signed in all the same.
    let keep = Keep::by(ctx, delivery).unwrap_or(Keep::ByClient);
    let (viewer, session, tokens) = enter(ctx, keep, signed_in);
    Ok(AnswerSecondFactorPayload { viewer, session, tokens })
}

async fn begin_second_factor(ctx: &Context<'_>, input: BeginSecondFactorInput) -> Result<BeginSecondFactorPayload> {
    let fresh = fresh(ctx.app(), &ctx.viewer()?, Proof::Password(input.current_password)).await?;
    let begun = begin(ctx.app(), &fresh).await?;
    Ok(BeginSecondFactorPayload { secret: begun.secret, provisioning_url: Url(begun.provisioning_url) })
}

async fn enable(ctx: &Context<'_>, input: EnableSecondFactorInput) -> Result<EnableSecondFactorPayload> {
    let viewer = ctx.viewer()?;
    let recovery_codes = second_factor::enable(ctx.app(), &viewer, &input.code).await?;
    ctx.scope().forget_loaded();
    Ok(EnableSecondFactorPayload { viewer: Viewer(viewer), recovery_codes })
}

async fn disable(ctx: &Context<'_>, input: DisableSecondFactorInput) -> Result<DisableSecondFactorPayload> {
    let viewer = ctx.viewer()?;
    let fresh = fresh(ctx.app(), &viewer, Proof::Code(input.code)).await?;
    second_factor::disable(ctx.app(), &fresh).await?;
    ctx.scope().forget_loaded();
    Ok(DisableSecondFactorPayload { viewer: Viewer(viewer) })
}

async fn regenerate_recovery_codes(
    ctx: &Context<'_>,
    input: RegenerateRecoveryCodesInput,
) -> Result<RegenerateRecoveryCodesPayload> {
    let viewer = ctx.viewer()?;
    let fresh = fresh(ctx.app(), &viewer, Proof::Code(input.code)).await?;
    let recovery_codes = regenerate(ctx.app(), &fresh).await?;
    ctx.scope().forget_loaded();
    Ok(RegenerateRecoveryCodesPayload { viewer: Viewer(viewer), recovery_codes })
}
