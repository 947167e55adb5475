//! What this server is.

use async_graphql::resolver_utils::EnumType;
use async_graphql::{Context, Enum, Object, SimpleObject};

use super::guard;
use crate::config::RegistrationPolicy;
use crate::context::Ask;
use crate::conversations::DIRECT_SIZE;
use crate::error::{Code, InputCode};
use crate::log::REPLAYED_EVENTS;
use crate::messages::{CONTENT, MENTIONED_AT_ONCE};
use crate::oauth::graphql::{OAuthProvider, oauth_providers};
use crate::page::MOST;
use crate::push;
use crate::scalar::DateTime;

/// Health of a server or of one of its parts. Values are added over time.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum HealthStatus {
    /// All works.
    Ok,
    /// Works, with something slow or missing.
    Degraded,
    /// Does not work.
    Down,
}

/// An optional part of a server. Values are added over time.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum ServerFeature {
    /// Audio and video calls.
    Calls,
    /// Groups with channels of their own.
    Groups,
    /// Listings and transactions.
    Marketplace,
    /// Sign-in at other providers.
    Oauth,
    /// Push notifications to devices.
    Push,
    /// File uploads.
    Uploads,
}

/// Sizes and rates that a server enforces.
#[derive(SimpleObject)]
pub struct ServerLimits {
    /// Characters in a message.
    message_length: i32,
    /// People mentioned by name in a message.
    mentions_per_message: i32,
    /// People in one direct conversation, the viewer included.
    direct_conversation_size: i32,
    /// Edges in one page of a connection.
    page_size: i32,
    /// Events that one resumed stream replays before it reports a gap instead.
    replayed_events: i32,
    /// Cost that one operation may have.
    operation_cost: i32,
}

pub struct Server;

/// What this server is, offers and allows: all a client needs before anyone signs in.
#[Object]
impl Server {
    /// The server's display name.
    async fn name(&self) -> &str {
        "chinwag"
    }

    /// Software version, as in 1.4.2.
    async fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    /// The server's clock, to correct one's own.
    async fn time(&self, ctx: &Context<'_>) -> DateTime {
        ctx.app().clock.now().into()
    }

    /// Whether the server and what it depends on work.
    async fn health(&self, ctx: &Context<'_>) -> HealthStatus {
        match ctx.app().db.ping().await {
            Ok(()) => HealthStatus::Ok,
            Err(_) => HealthStatus::Down,
        }
    }

    /// Who may create an account.
    async fn registration(&self, ctx: &Context<'_>) -> RegistrationPolicy {
        ctx.app().config.limits.registration
    }

    /// Optional parts that are switched on; ask before using their fields.
    async fn features(&self, ctx: &Context<'_>) -> Vec<ServerFeature> {
        let mut features = vec![ServerFeature::Groups, ServerFeature::Push];
        if !ctx.app().providers.all().is_empty() {
            features.push(ServerFeature::Oauth);
        }
        features
    }

    /// Where one may sign in besides with a password.
    async fn oauth_providers(&self, ctx: &Context<'_>) -> Vec<OAuthProvider> {
        oauth_providers(ctx.app())
    }

    /// The key under which browsers subscribe, as `applicationServerKey` of `pushManager.subscribe` takes it. Where a
    /// subscription has another one, end it and subscribe anew.
    async fn web_push_public_key(&self, ctx: &Context<'_>) -> String {
        push::public_key(ctx.app())
    }

    /// Sizes and rates that the server enforces, for forms to check before sending.
    async fn limits(&self) -> ServerLimits {
        ServerLimits {
            message_length: *CONTENT.end() as i32,
            mentions_per_message: MENTIONED_AT_ONCE as i32,
            direct_conversation_size: DIRECT_SIZE as i32,
            page_size: MOST as i32,
            replayed_events: REPLAYED_EVENTS,
            operation_cost: guard::COST as i32,
        }
    }

    /// Every code that this server may put into `extensions.code` of an error.
    async fn error_codes(&self) -> Vec<Code> {
        Code::items().iter().map(|item| item.value).collect()
    }

    /// Every code that this server may put into `extensions.fields` of an error.
    async fn input_error_codes(&self) -> Vec<InputCode> {
        InputCode::items().iter().map(|item| item.value).collect()
    }
}

#[derive(Default)]
pub struct ServerQuery;

#[Object]
impl ServerQuery {
    /// What this server is, offers and allows; needs no sign-in.
    async fn server(&self) -> Server {
        Server
    }
}
