//! OAuth in the API.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{BeginDraft, BeginInput, CompleteDraft, CompleteInput, Linked, LinkedById, Purpose};
use crate::accounts::graphql::{Keep, Session, SessionTokens, Viewer, enter};
use crate::accounts::{Proof, TokenDelivery, fresh};
use crate::app::App;
use crate::context::Ask;
use crate::error::{Error, Result};
use crate::id::OAuthAccountId;
use crate::oauth;
use crate::providers::Provider;
use crate::scalar::{DateTime, Url};
use crate::text::Fault;

/// A provider at which one may sign in.
#[derive(SimpleObject)]
#[graphql(name = "OAuthProvider")]
pub struct OAuthProvider {
    /// Short name to pass to `beginOAuth`, as in github.
    key: String,
    /// Name to show.
    name: String,
    /// Logo to show.
    icon_url: Option<Url>,
}

impl From<&Provider> for OAuthProvider {
    fn from(provider: &Provider) -> Self {
        Self { key: provider.key.clone(), name: provider.name.clone(), icon_url: provider.icon_url.clone().map(Url) }
    }
}

/// Those that are configured.
pub fn oauth_providers(app: &App) -> Vec<OAuthProvider> {
    app.providers.all().iter().map(OAuthProvider::from).collect()
}

#[derive(Clone)]
pub struct OAuthAccount(Arc<Linked>);

/// An account at an OAuth provider, linked to a user. Its provider's tokens are never shown.
#[Object(name = "OAuthAccount")]
impl OAuthAccount {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The provider.
    async fn provider(&self, ctx: &Context<'_>) -> OAuthProvider {
        match ctx.app().providers.of(&self.0.issuer) {
            Some(provider) => provider.into(),
            // One that was asked once.
            None => OAuthProvider { key: self.0.issuer.clone(), name: self.0.issuer.clone(), icon_url: None },
        }
    }

    /// Name or address of the account at the provider.
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// When it was linked.
    async fn linked_at(&self) -> DateTime {
        self.0.linked_at.into()
    }
}

/// The viewer's linked accounts.
pub async fn oauth_accounts(ctx: &Context<'_>) -> Result<Vec<OAuthAccount>> {
    let found = oauth::linked_to(ctx.app(), ctx.viewer()?.user_id).await?;
    Ok(found.into_iter().map(|linked| OAuthAccount(linked.into())).collect())
}

/// The linked account of this id, if it is the viewer's.
pub async fn find_oauth_account(ctx: &Context<'_>, id: OAuthAccountId) -> Result<Option<OAuthAccount>> {
    let viewer = ctx.viewer()?;
    let found = ctx.load::<LinkedById>(id).await?;
    Ok(found.filter(|linked| linked.user_id == viewer.user_id).map(OAuthAccount))
}

/// What an OAuth round trip is for. Values are added over time.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "OAuthPurpose")]
pub enum OAuthPurpose {
    /// Sign in, creating an account where there is none.
    SignIn,
    /// Link the account to the viewer.
    Link,
}

/// The first leg of OAuth (authorization code with PKCE).
#[derive(InputObject)]
#[graphql(name = "BeginOAuthInput")]
pub struct BeginOAuthInput {
    /// `OAuthProvider.key`.
    provider: String,
    /// What it is for.
    purpose: OAuthPurpose,
    /// Where the provider sends the browser back to; one of those the server allows.
    redirect_url: Url,
    /// PKCE challenge (S256) whose verifier goes into `completeOAuth`.
    code_challenge: String,
    /// For LINK, the present password; absent only where `hasPassword` is false and the session is at most 10 minutes old.
    current_password: Option<String>,
}

/// Where to send the browser.
#[derive(SimpleObject)]
#[graphql(name = "BeginOAuthPayload")]
pub struct BeginOAuthPayload {
    /// The provider's page.
    authorization_url: Url,
    /// Comes back from the provider; pass it to `completeOAuth`.
    state: String,
}

/// The last leg of OAuth.
#[derive(InputObject)]
#[graphql(name = "CompleteOAuthInput")]
pub struct CompleteOAuthInput {
    /// From `beginOAuth`, as the provider sent it back.
    state: String,
    /// From the provider.
    code: String,
    /// PKCE verifier for the challenge given before.
    code_verifier: String,
    /// For a new account, 3 to 32 of a-z, 0-9, dot, dash and underscore; unique. Made from the provider's when absent.
    username: Option<String>,
    /// For a new account, the token of an invitation.
    invitation: Option<String>,
    /// What the client calls itself, for the list of sessions.
    client_name: Option<String>,
    /// Where the refresh token goes.
    #[graphql(default_with = "TokenDelivery::Payload")]
    token_delivery: TokenDelivery,
}

/// The outcome of OAuth.
#[derive(SimpleObject)]
#[graphql(name = "CompleteOAuthPayload")]
pub struct CompleteOAuthPayload {
    /// The viewer.
    viewer: Viewer,
    /// The account that was used or linked.
    oauth_account: OAuthAccount,
    /// Whether the sign-in created the viewer's account.
    is_new_user: bool,
    /// The new session; null after LINK.
    session: Option<Session>,
    /// Its tokens; null after LINK.
    tokens: Option<SessionTokens>,
}

/// Which OAuth account to unlink.
#[derive(InputObject)]
#[graphql(name = "UnlinkOAuthAccountInput")]
pub struct UnlinkOAuthAccountInput {
    /// The account.
    #[graphql(name = "oauthAccountId")]
    oauth_account_id: ID,
    /// The present password; absent only where `hasPassword` is false and the session is at most 10 minutes old.
    current_password: Option<String>,
}

/// An account that is no longer linked.
#[derive(SimpleObject)]
#[graphql(name = "UnlinkOAuthAccountPayload")]
pub struct UnlinkOAuthAccountPayload {
    /// Its id.
    oauth_account_id: ID,
    /// The viewer, with those that are left.
    viewer: Viewer,
}

#[derive(Default)]
pub struct OAuthMutation;

#[Object]
impl OAuthMutation {
    /// Begin a sign-in, or the linking of an account, at an OAuth provider: where to send the browser. Errors:
    /// INVALID_CREDENTIALS (LINK), OAUTH_FAILED (the provider does not answer).
    #[graphql(name = "beginOAuth")]
    async fn begin_oauth(&self, ctx: &Context<'_>, input: BeginOAuthInput) -> Option<Result<BeginOAuthPayload>> {
        Some(begin(ctx, input).await)
    }

    /// Finish what `beginOAuth` began, with the code that the provider sent back. An account is found by its address only
    /// where both sides have proven it. Errors: TOKEN_INVALID (the state is wrong, spent or expired), OAUTH_FAILED, CONFLICT
    /// (linked to someone else, or the name is taken), REGISTRATION_CLOSED, SECOND_FACTOR_REQUIRED.
    #[graphql(name = "completeOAuth")]
    async fn complete_oauth(
        &self,
        ctx: &Context<'_>,
        input: CompleteOAuthInput,
    ) -> Option<Result<CompleteOAuthPayload>> {
        Some(complete(ctx, input).await)
    }

    /// Unlink an OAuth account. Errors: INVALID_CREDENTIALS, FAILED_PRECONDITION (it is the only way left to sign in).
    #[graphql(name = "unlinkOAuthAccount")]
    async fn unlink_oauth_account(
        &self,
        ctx: &Context<'_>,
        input: UnlinkOAuthAccountInput,
    ) -> Option<Result<UnlinkOAuthAccountPayload>> {
        Some(unlink(ctx, input).await)
    }
}

async fn begin(ctx: &Context<'_>, input: BeginOAuthInput) -> Result<BeginOAuthPayload> {
    let BeginOAuthInput { provider, purpose, redirect_url, code_challenge, current_password } = input;
    let viewer = match purpose {
        OAuthPurpose::SignIn => None,
        OAuthPurpose::Link => Some(ctx.viewer()?),
    };
    let draft = BeginDraft::from(ctx.app(), BeginInput { provider, redirect_url: redirect_url.0, code_challenge })?;
    let begun = match viewer {
        None => oauth::begin(ctx.app(), Purpose::SignIn, draft).await?,
        Some(viewer) => {
            let fresh = fresh(ctx.app(), &viewer, Proof::Password(current_password)).await?;
            oauth::begin(ctx.app(), Purpose::Link(&fresh), draft).await?
        }
    };
    Ok(BeginOAuthPayload { authorization_url: Url(begun.authorization_url), state: begun.state })
}

async fn complete(ctx: &Context<'_>, input: CompleteOAuthInput) -> Result<CompleteOAuthPayload> {
    let keep = Keep::by(ctx, input.token_delivery)?;
    let draft = CompleteDraft::from(CompleteInput {
        state: input.state,
        code: input.code,
        code_verifier: input.code_verifier,
        username: input.username,
        invitation: input.invitation,
        client_name: input.client_name,
        token_delivery: input.token_delivery,
    })?;
    let viewer = ctx.scope().viewer();
    let completed = oauth::complete(ctx.app(), ctx.scope().origin, viewer.as_ref(), draft).await?;
    let oauth_account = OAuthAccount(completed.linked.into());
    let is_new_user = completed.is_new_user;
    match completed.signed_in {
        Some(signed_in) => {
            let (viewer, session, tokens) = enter(ctx, keep, signed_in);
            let (session, tokens) = (Some(session), Some(tokens));
            Ok(CompleteOAuthPayload { viewer, oauth_account, is_new_user, session, tokens })
        }
        None => {
            ctx.scope().forget_loaded();
            let viewer = Viewer(ctx.viewer()?);
            Ok(CompleteOAuthPayload { viewer, oauth_account, is_new_user, session: None, tokens: None })
        }
    }
}

async fn unlink(ctx: &Context<'_>, input: UnlinkOAuthAccountInput) -> Result<UnlinkOAuthAccountPayload> {
    let viewer = ctx.viewer()?;
    let id = OAuthAccountId::parse(&input.oauth_account_id);
    let id = id.ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("oauthAccountId")]))?;
    let fresh = fresh(ctx.app(), &viewer, Proof::Password(input.current_password)).await?;
    oauth::unlink(ctx.app(), &fresh, id).await?;
    ctx.scope().forget_loaded();
    Ok(UnlinkOAuthAccountPayload { oauth_account_id: id.into(), viewer: Viewer(viewer) })
}
