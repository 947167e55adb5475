//! Accounts in the API: signing in, and what belongs to the viewer alone.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};

use super::second_factor::graphql::SecondFactor;
use super::{LoginDraft, RegisterDraft, RegisterInput as Registration, SignedIn, TokenDelivery, Which};
use crate::accounts;
use crate::accounts::devices::graphql::{PushDevice, push_devices};
use crate::accounts::preferences::graphql::{Preferences, preferences};
use crate::app::App;
use crate::context::{Ask, Load};
use crate::cookie::Jar;
use crate::directive::perViewer;
use crate::error::{Error, InputCode, Result};
use crate::groups::graphql::{GroupConnection, groups_of};
use crate::id::{SessionId, UserId, ViewerId};
use crate::invitations;
use crate::messages::mentions::graphql::{MentionConnection, MentionFilter, mentions_of};
use crate::messages::threads::graphql::{ThreadConnection, ThreadFilter, followed_threads};
use crate::notifications::graphql::{NotificationConnection, NotificationFilter, notifications_of};
use crate::oauth::graphql::{OAuthAccount, oauth_accounts};
use crate::page::Arguments;
use crate::reads::graphql::{
    self as reads, ConversationConnection, ConversationViewerState, InboxFilter, UnreadSummary,
};
use crate::scalar::DateTime;
use crate::text::Fault;
use crate::users::graphql::{ServerPermissions, User, UserConnection, blocked_users, server_permissions, user};
use crate::viewer::Viewer as Who;
use crate::viewer_events::graphql::{ViewerEventBatch, events, events_cursor};

#[derive(Clone)]
pub struct Viewer(pub Who);

/// Everything that belongs to the signed-in user and that nobody else sees.
#[Object]
impl Viewer {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        ViewerId(self.0.user_id.0).into()
    }

    /// Position of `viewerEvents` before anything else of this answer was read: subscribe `after` it to miss nothing.
    async fn events_cursor(&self, ctx: &Context<'_>) -> Result<String> {
        events_cursor(ctx).await
    }

    /// What `viewerEvents` would deliver after a position, up to `first` events, to catch up over HTTP.
    async fn events(
        &self,
        ctx: &Context<'_>,
        after: String,
        #[graphql(default = 100)] first: i32,
    ) -> Result<ViewerEventBatch> {
        events(ctx, self.0, &after, first).await
    }

    /// The public side of the viewer.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        user(ctx, self.0.user_id).await
    }

    /// The viewer's mail address; null for none.
    async fn email(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        let account = ctx.load::<AccountOf>(self.0.user_id).await;
        account.map(|account| account.and_then(|account| account.email.clone())).transpose()
    }

    /// Whether the mail address is proven.
    async fn is_email_verified(&self, ctx: &Context<'_>) -> Result<bool> {
        let account = ctx.load::<AccountOf>(self.0.user_id).await?;
        Ok(account.is_some_and(|account| account.email_verified_at.is_some()))
    }

    /// The address that waits for its proof, after `changeEmail`.
    async fn pending_email(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        let account = ctx.load::<AccountOf>(self.0.user_id).await;
        account.map(|account| account.and_then(|account| account.pending_email.clone())).transpose()
    }

    /// Whether the viewer has a password, besides OAuth accounts.
    async fn has_password(&self, ctx: &Context<'_>) -> Result<bool> {
        let account = ctx.load::<AccountOf>(self.0.user_id).await?;
        Ok(account.is_some_and(|account| account.password_hash.is_some()))
    }

    /// The viewer's second factor; null for none.
    async fn second_factor(&self, ctx: &Context<'_>) -> Option<Result<SecondFactor>> {
        let account = ctx.load::<AccountOf>(self.0.user_id).await;
        account.map(|account| account.and_then(|account| SecondFactor::of(&account))).transpose()
    }

    /// What the viewer may do on this server.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<ServerPermissions> {
        server_permissions(ctx, self.0.user_id).await
    }

    /// The viewer's preferences.
    async fn preferences(&self, ctx: &Context<'_>) -> Result<Preferences> {
        preferences(ctx, self.0.user_id).await
    }

    /// The inbox: conversations the viewer is a member of, latest activity first.
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        filter: Option<InboxFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ConversationConnection> {
        reads::conversations(ctx, &self.0, filter, Arguments { first, after, last, before }).await
    }

    /// Every conversation the viewer is in, up to 1000, for a sidebar: channels by group, category and position, then direct
    /// ones by latest activity. Costs one for each ten.
    async fn sidebar(&self, ctx: &Context<'_>) -> Result<Vec<ConversationViewerState>> {
        reads::sidebar(ctx, &self.0).await
    }

    /// Groups the viewer is a member of, by name.
    async fn groups(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<GroupConnection> {
        groups_of(ctx, &self.0, Arguments { first, after, last, before }).await
    }

    /// Messages that mention the viewer, newest first.
    async fn mentions(
        &self,
        ctx: &Context<'_>,
        filter: Option<MentionFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<MentionConnection> {
        mentions_of(ctx, &self.0, filter, Arguments { first, after, last, before }).await
    }

    /// Threads the viewer follows, latest reply first.
    async fn threads(
        &self,
        ctx: &Context<'_>,
        filter: Option<ThreadFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ThreadConnection> {
        followed_threads(ctx, &self.0, filter, Arguments { first, after, last, before }).await
    }

    /// Notifications, newest first.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        filter: Option<NotificationFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<NotificationConnection> {
        notifications_of(ctx, &self.0, filter, Arguments { first, after, last, before }).await
    }

    /// Numbers for badges.
    async fn unread(&self) -> UnreadSummary {
        UnreadSummary(self.0.user_id)
    }

    /// People the viewer has blocked, newest first.
    async fn blocked_users(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<UserConnection> {
        blocked_users(ctx, Arguments { first, after, last, before }).await
    }

    /// The session that makes this call.
    async fn session(&self, ctx: &Context<'_>) -> Result<Session> {
        find_session(ctx, self.0.session_id).await?.ok_or_else(Error::unauthenticated)
    }

    /// All sessions of the viewer, last used first.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let found = accounts::sessions_of(ctx.app(), self.0.user_id).await?;
        Ok(found.into_iter().map(|session| Session(Arc::new(session))).collect())
    }

    /// OAuth accounts linked to the viewer.
    async fn oauth_accounts(&self, ctx: &Context<'_>) -> Result<Vec<OAuthAccount>> {
        oauth_accounts(ctx).await
    }

    /// Devices registered for push notifications.
    async fn push_devices(&self, ctx: &Context<'_>) -> Result<Vec<PushDevice>> {
        push_devices(ctx).await
    }
}

/// The viewer's account.
struct AccountOf;

impl Load for AccountOf {
    type Key = UserId;
    type Value = accounts::Account;

    async fn load(app: &App, keys: &[UserId]) -> Result<HashMap<UserId, accounts::Account>> {
        let mut found = HashMap::new();
        // One viewer asks in a request.
        for &id in keys {
            found.extend(accounts::account(app, id).await?.map(|account| (id, account)));
        }
        Ok(found)
    }
}

#[derive(Clone)]
pub struct Session(pub Arc<accounts::Session>);

/// The session with this id, if it is the viewer's and has not ended.
pub async fn find_session(ctx: &Context<'_>, id: SessionId) -> Result<Option<Session>> {
    Ok(ctx.load::<SessionOf>((ctx.viewer()?.user_id, id)).await?.map(Session))
}

/// A session of somebody.
struct SessionOf;

impl Load for SessionOf {
    type Key = (UserId, SessionId);
    type Value = accounts::Session;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, accounts::Session>> {
        let ids = keys.iter().map(|(_, id)| *id).collect();
        let found = accounts::live_sessions(app, ids).await?;
        Ok(found.into_iter().map(|session| ((session.user_id, session.id), session)).collect())
    }
}

/// A sign-in on one device.
#[Object]
impl Session {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// What the client calls itself, as in Firefox on Linux.
    async fn client_name(&self) -> &str {
        &self.0.client_name
    }

    /// Address of the last sign-in or refresh.
    async fn ip_address(&self) -> Option<&str> {
        self.0.ip_address.as_deref()
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last refreshed, or begun.
    async fn last_used_at(&self) -> DateTime {
        self.0.last_used_at.into()
    }

    /// When it ends, unless refreshed before.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// Whether this session makes this call.
    #[graphql(directive = perViewer::apply())]
    async fn is_current(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.session_id == self.0.id)
    }
}

/// Tokens of a session.
#[derive(SimpleObject)]
pub struct SessionTokens {
    /// Bearer token for HTTP and for the `connection_init` of a WebSocket.
    access_token: String,
    /// When the access token ends.
    access_token_expires_at: DateTime,
    /// For `refreshSession`; null when it went into an HttpOnly cookie.
    refresh_token: Option<String>,
    /// When the refresh token ends.
    refresh_token_expires_at: DateTime,
}

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
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// Everything that belongs to the signed-in user; null when nobody is signed in.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        ctx.scope().viewer().map(Viewer)
    }
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

/// Who keeps a refresh token.
#[derive(Clone, Copy)]
pub enum Keep<'a> {
    ByClient,
    InCookie(&'a Jar),
}

impl<'a> Keep<'a> {
    /// As the client wants it, if that can be.
    pub fn by(ctx: &'a Context<'_>, delivery: TokenDelivery) -> Result<Self> {
        match (delivery, &ctx.scope().jar) {
            (TokenDelivery::Payload, _) => Ok(Self::ByClient),
            (TokenDelivery::Cookie, Some(jar)) => Ok(Self::InCookie(jar)),
            (TokenDelivery::Cookie, None) => {
                let message = "Cookies are for browsers that POST from a page of this server or of CORS_ORIGINS";
                Err(Error::bad_input(vec![Fault::new(InputCode::NotAllowed, message).of("tokenDelivery")]))
            }
        }
    }
}

/// The rest of the request is this viewer's: what is selected below `viewer` then works within the sign-in.
pub fn enter(ctx: &Context<'_>, keep: Keep<'_>, signed_in: SignedIn) -> (Viewer, Session, SessionTokens) {
    ctx.scope().replace_viewer(Some(signed_in.viewer));
    let SignedIn { viewer, session, tokens } = signed_in;
    let refresh_token = match keep {
        Keep::ByClient => Some(tokens.refresh),
        Keep::InCookie(jar) => {
            jar.put(tokens.refresh, tokens.refresh_expires_at - ctx.app().clock.now());
            None
        }
    };
    let tokens = SessionTokens {
        access_token: tokens.access,
        access_token_expires_at: tokens.access_expires_at.into(),
        refresh_token,
        refresh_token_expires_at: tokens.refresh_expires_at.into(),
    };
    (Viewer(viewer), Session(Arc::new(session)), tokens)
}

/// The rest of the request is nobody's, and the browser has nothing left to come back with.
pub fn go(ctx: &Context<'_>) {
    ctx.scope().replace_viewer(None);
    if let Some(jar) = &ctx.scope().jar {
        jar.empty();
    }
}
