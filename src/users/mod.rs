//! People, as anyone on the server may see them. What is private to them belongs to `accounts`.

mod administrator;
mod blocks;
mod create;
mod directory;
mod go;
pub mod graphql;
mod handles;
mod likeness;
mod loaders;
mod named;
mod promote;
mod store;
mod unclaimed;
mod update;

use std::sync::Arc;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

pub use administrator::Administrator;
pub use blocks::{
    BlockCursor, HasBlocked, block, blocked_users, blocks_of, forget_blocks, in_block_among, in_block_with, unblock,
};
pub use create::create;
pub use directory::{PeopleCursor, PeopleFilter, people};
pub use go::go;
pub use handles::FreeHandles;
pub use loaders::UserById;
pub use named::{tokens, with_names};
pub use promote::{give_role, promote};
pub use store::User;
pub use unclaimed::{Unclaimed, create_unclaimed};
pub use update::{ProfileDraft, ProfileInput, update_profile};

use crate::app::App;
use crate::db::{Tx, text_enum};
use crate::error::Result;
use crate::id::UserId;

/// Role on the server as a whole, from least to most.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum ServerRole {
    /// Uses the server.
    User,
    /// Handles reports and sanctions too.
    Moderator,
    /// Runs the server.
    Admin,
}
text_enum!(ServerRole);

impl ServerRole {
    /// Whether one handles reports and sanctions.
    pub fn moderates(self) -> bool {
        self >= Self::Moderator
    }

    /// Whether one runs the server.
    pub fn administers(self) -> bool {
        self == Self::Admin
    }
}

/// What users are ordered by. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserOrderField {
    /// Name to show.
    #[default]
    Name,
    /// When last here; those who do not show it to the viewer are left out.
    LastSeen,
    /// Creation.
    CreatedAt,
}

/// Some people out of all.
#[derive(Debug)]
pub enum Among {
    Only(Vec<UserId>),
    AllBut(Vec<UserId>),
}

/// Somebody, unless their account is gone.
pub async fn undeleted(tx: &mut Tx, id: UserId) -> Result<Option<User>> {
    Ok(store::by_ids(tx, &[id]).await?.pop().filter(|user| user.deleted_at.is_none()))
}

/// Of these people, those who can be added somewhere: they exist, are not gone, and somebody can sign in as them.
pub async fn reachable(tx: &mut Tx, ids: &[UserId]) -> Result<Vec<UserId>> {
    Ok(store::reachable(tx, ids).await?)
}

/// Of these people, those that exist.
pub async fn existing(tx: &Tx, ids: &[UserId]) -> Result<Vec<UserId>> {
    Ok(store::existing(tx, ids).await?)
}

/// The one who has run the server for longest.
pub async fn first_admin(tx: &mut Tx) -> Result<Option<UserId>> {
    Ok(store::first_admin(tx).await?)
}

/// The one with this handle, in whatever case it is written. No handle has a NUL, which cannot even be asked for.
pub async fn find_by_handle(app: &App, username: String) -> Result<Option<Arc<User>>> {
    if username.contains('\0') {
        return Ok(None);
    }
    let username = username.to_lowercase();
    let found = app.db.read(async move |conn| store::by_username(conn, &username).await).await?;
    Ok(found.map(Arc::new))
}
