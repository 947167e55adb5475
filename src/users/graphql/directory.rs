//! The directory in the API.

use std::sync::Arc;

use async_graphql::{Context, InputObject};

use super::User;
use crate::context::Ask;
use crate::error::Result;
use crate::page::{Arguments, Cursor, Order, OrderDirection, Page, connection};
use crate::presence;
use crate::realtime::PresenceStatus;
use crate::users::{self, PeopleCursor, PeopleFilter, ServerRole, UserOrderField};

connection! {
    /// A page of users.
    UserConnection {},
    /// One of the users, and where it stands.
    UserEdge,
    /// Where to go on from.
    cursor,
    /// The user.
    User
}

/// Which users of the directory.
#[derive(InputObject)]
pub struct UserFilter {
    /// Handle or name begins so.
    search: Option<String>,
    /// How present they are at this moment, as the viewer sees it; up to 1000 are found.
    statuses: Option<Vec<PresenceStatus>>,
    /// Role on the server.
    roles: Option<Vec<ServerRole>>,
}

/// Order of users.
#[derive(InputObject)]
pub struct UserOrder {
    /// By what.
    field: UserOrderField,
    /// In which direction.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl UserFilter {
    async fn read(self, ctx: &Context<'_>) -> Result<PeopleFilter> {
        let Self { search, statuses, roles } = self;
        let among = presence::among(ctx.app(), &ctx.viewer()?, statuses.as_deref()).await?;
        PeopleFilter { roles, among, ..PeopleFilter::default() }.searching(search)
    }
}

impl From<UserOrder> for Order<UserOrderField> {
    fn from(UserOrder { field, direction }: UserOrder) -> Self {
        Self { field, direction }
    }
}

pub async fn users(
    ctx: &Context<'_>,
    filter: Option<UserFilter>,
    order: Option<UserOrder>,
    arguments: Arguments,
) -> Result<UserConnection> {
    let viewer = ctx.viewer()?;
    let filter = match filter {
        Some(filter) => filter.read(ctx).await?,
        None => PeopleFilter::default(),
    };
    let order = order.map(Into::into).unwrap_or_default();
    let window = arguments.window_of(|cursor: &PeopleCursor| cursor.is_of(order))?;
    Ok(connection_of(users::people(ctx.app(), &viewer, filter, order, window).await?))
}

/// Those whom the viewer has blocked.
pub async fn blocked_users(ctx: &Context<'_>, arguments: Arguments) -> Result<UserConnection> {
    let viewer = ctx.viewer()?;
    Ok(connection_of(users::blocked_users(ctx.app(), &viewer, arguments).await?))
}

fn connection_of<C: Cursor>(page: Page<(C, Arc<users::User>)>) -> UserConnection {
    UserConnection::new(page.map(|(cursor, user)| UserEdge::at(&cursor, User(user))))
}
