//! Signing in and out.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};

use super::Viewer;
use super::session::{Keep, Session, SessionTokens, enter, go};
use crate::accounts::{self, LoginDraft, RegisterDraft, RegisterInput as Registration, TokenDelivery, Which};
use crate::context::Ask;
use crate::error::{Error, InputCode, Result};
use crate::id::SessionId;
use crate::invitations;
use crate::text::Fault;

/// Credentials and profile of a new account.
#[derive(InputObject)]
pub struct RegisterInput {
    /// Mail address; it need not be verified to begin, and is nobody's until it is.
    email: String,
    /// 3 to 32 of a-z, 0-9, dot, dash and underscore; unique.
    username: String,
    /// At least 10 characters.
    password: String,
    /// 1 to 80 characters; the username when absent.
    display_name: Option<String>,
    /// The token of an invitation.
    invitation: Option<String>,
    /// The one-time code that the server logs at its start: makes the first account an ADMIN where the server is reached
    /// from other machines.
    setup_code: Option<String>,
    /// What the client calls itself, for the list of sessions.
    client_name: Option<String>,
    /// Where the refresh token goes.
    #[graphql(default_with = "TokenDelivery::Payload")]
    token_delivery: TokenDelivery,
}

/// A new account, signed in.
#[derive(SimpleObject)]
pub struct RegisterPayload {
    /// The new viewer.
    viewer: Viewer,
    /// The new session.
    session: Session,
    /// Its tokens.
    tokens: SessionTokens,
}

/// Credentials.
#[derive(InputObject)]
pub struct LoginInput {
    /// Mail address or username.
    identifier: String,
    /// The password.
    password: String,
    /// What the client calls itself, for the list of sessions.
    client_name: Option<String>,
    /// Where the refresh token goes.
    #[graphql(default_with = "TokenDelivery::Payload")]
    token_delivery: TokenDelivery,
}

/// A sign-in.
#[derive(SimpleObject)]
pub struct LoginPayload {
    /// The viewer.
    viewer: Viewer,
    /// The new session.
    session: Session,
    /// Its tokens.
    tokens: SessionTokens,
}

/// What keeps a session going.
#[derive(InputObject)]
pub struct RefreshSessionInput {
    /// The refresh token; absent when it is in the cookie.
    refresh_token: Option<String>,
}

/// A session that goes on.
#[derive(SimpleObject)]
pub struct RefreshSessionPayload {
    /// The session.
    session: Session,
    /// Its new tokens.
    tokens: SessionTokens,
}

/// Which sessions to end.
#[derive(OneofObject)]
pub enum RevokeSessionsInput {
    /// This one.
    SessionId(ID),
    /// All but the current one; must be true.
    AllOthers(bool),
}

/// Sessions that ended.
#[derive(SimpleObject)]
pub struct RevokeSessionsPayload {
    /// Their ids.
    session_ids: Vec<ID>,
    /// The viewer, with the sessions that are left.
    viewer: Viewer,
}

/// Options of a sign-out.
#[derive(InputObject)]
pub struct LogoutInput {
    /// Token of the push device to unregister at the same time.
    push_token: Option<String>,
}

/// A sign-out.
#[derive(SimpleObject)]
pub struct LogoutPayload {
    /// The session that ended.
    session_id: ID,
}

#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Create an account and sign in. Errors: REGISTRATION_CLOSED, TOKEN_INVALID (invitation or setup code), CONFLICT (name
    /// taken, or an address that someone has proven).
    async fn register(&self, ctx: &Context<'_>, input: RegisterInput) -> Option<Result<RegisterPayload>> {
        Some(register(ctx, input).await)
    }

    /// Sign in with a password. Errors: INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED (go on with `answerSecondFactor`).
    async fn login(&self, ctx: &Context<'_>, input: LoginInput) -> Option<Result<LoginPayload>> {
        Some(login(ctx, input).await)
    }

    /// Trade a refresh token for new tokens. The one before the present one is answered with the same successor for 60
    /// seconds, while that is unused; any other reuse ends the session. Errors: UNAUTHENTICATED (spent, expired or
    /// revoked).
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        input: RefreshSessionInput,
    ) -> Option<Result<RefreshSessionPayload>> {
        Some(refresh_session(ctx, input).await)
    }

    /// End the session that makes this call.
    async fn logout(&self, ctx: &Context<'_>, input: Option<LogoutInput>) -> Option<Result<LogoutPayload>> {
        Some(logout(ctx, input).await)
    }

    /// End one session of the viewer, or all but the current one.
    async fn revoke_sessions(
        &self,
        ctx: &Context<'_>,
        input: RevokeSessionsInput,
    ) -> Option<Result<RevokeSessionsPayload>> {
        Some(revoke_sessions(ctx, input).await)
    }
}

async fn register(ctx: &Context<'_>, input: RegisterInput) -> Result<RegisterPayload> {
    let keep = Keep::by(ctx, input.token_delivery)?;
    let draft = RegisterDraft::from(Registration {
        email: input.email,
        username: input.username,
        password: input.password,
        display_name: input.display_name,
        setup_code: input.setup_code,
        client_name: input.client_name,
    })?;
    let registered = invitations::register(ctx.app(), ctx.scope().origin, draft, input.invitation).await?;
    let (viewer, session, tokens) = enter(ctx, keep, registered);
    Ok(RegisterPayload { viewer, session, tokens })
}

async fn login(ctx: &Context<'_>, input: LoginInput) -> Result<LoginPayload> {
    let keep = Keep::by(ctx, input.token_delivery)?;
    let draft = LoginDraft::from(input.identifier, input.password, input.client_name, input.token_delivery)?;
    let (viewer, session, tokens) = enter(ctx, keep, accounts::log_in(ctx.app(), ctx.scope().origin, draft).await?);
    Ok(LoginPayload { viewer, session, tokens })
}

async fn refresh_session(ctx: &Context<'_>, input: RefreshSessionInput) -> Result<RefreshSessionPayload> {
    let jar = ctx.scope().jar.as_ref();
    let from_cookie = || jar.and_then(|jar| Some((jar.token()?.to_owned(), Keep::InCookie(jar))));
    let given = input.refresh_token.filter(|token| !token.is_empty()).map(|token| (token, Keep::ByClient));
    let (token, keep) =
        given.or_else(from_cookie).ok_or_else(|| Error::bad_input(vec![Fault::required().of("refreshToken")]))?;
    let (_, session, tokens) = enter(ctx, keep, accounts::refresh(ctx.app(), ctx.scope().origin, &token).await?);
    Ok(RefreshSessionPayload { session, tokens })
}

async fn logout(ctx: &Context<'_>, input: Option<LogoutInput>) -> Result<LogoutPayload> {
    let viewer = ctx.viewer()?;
    let push_token = input.and_then(|input| input.push_token);
    accounts::log_out(ctx.app(), &viewer, push_token.as_deref()).await?;
    go(ctx);
    Ok(LogoutPayload { session_id: viewer.session_id.into() })
}

async fn revoke_sessions(ctx: &Context<'_>, input: RevokeSessionsInput) -> Result<RevokeSessionsPayload> {
    let viewer = ctx.viewer()?;
    let which = match input {
        RevokeSessionsInput::SessionId(id) => SessionId::parse(&id)
            .map(Which::This)
            .ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("sessionId")]))?,
        RevokeSessionsInput::AllOthers(true) => Which::AllOthers,
        RevokeSessionsInput::AllOthers(false) => {
            let fault = Fault::new(InputCode::NotAllowed, "This has to be true, or absent");
            return Err(Error::bad_input(vec![fault.of("allOthers")]));
        }
    };
    let ended = accounts::revoke(ctx.app(), &viewer, which).await?;
    // Who has ended the session that asks is still shown what is left.
    if ended.contains(&viewer.session_id)
        && let Some(jar) = &ctx.scope().jar
    {
        jar.empty();
    }
    ctx.scope().forget_loaded();
    Ok(RevokeSessionsPayload { session_ids: ended.into_iter().map(ID::from).collect(), viewer: Viewer(viewer) })
}
