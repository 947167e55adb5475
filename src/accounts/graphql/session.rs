//! A session, its tokens, and what becomes of the request that begins or ends it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::Viewer;
use crate::accounts::{self, SignedIn, TokenDelivery};
use crate::app::App;
use crate::context::{Ask, Load};
use crate::cookie::Jar;
use crate::directive::perViewer;
use crate::error::{Error, InputCode, Result};
use crate::id::{SessionId, UserId};
use crate::scalar::DateTime;
use crate::text::Fault;

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
