//! What belongs to the viewer alone.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Session, find_session};
use crate::accounts;
use crate::accounts::devices::graphql::{PushDevice, push_devices};
use crate::accounts::preferences::graphql::{Preferences, preferences};
use crate::accounts::second_factor::graphql::SecondFactor;
use crate::app::App;
use crate::context::{Ask, Load};
use crate::error::{Error, Result};
use crate::groups::graphql::{GroupConnection, groups_of};
use crate::id::{UserId, ViewerId};
use crate::messages::mentions::graphql::{MentionConnection, MentionFilter, mentions_of};
use crate::messages::threads::graphql::{ThreadConnection, ThreadFilter, followed_threads};
use crate::notifications::graphql::{NotificationConnection, NotificationFilter, notifications_of};
use crate::oauth::graphql::{OAuthAccount, oauth_accounts};
use crate::page::Arguments;
use crate::reads::graphql::{
    self as reads, ConversationConnection, ConversationViewerState, InboxFilter, UnreadSummary,
};
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
        let found = accounts::accounts_of(app, keys).await?;
        Ok(found.into_iter().map(|account| (account.user_id, account)).collect())
    }
}
