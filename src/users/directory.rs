//! The directory: everybody who can sign in and is not gone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::store::{self, Listed};
use super::{Among, ServerRole, User, UserOrderField};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::UserId;
use crate::page::{Cursor, Millis, Order, Page, Window};
use crate::text;
use crate::viewer::Viewer;

/// Which people, checked.
#[derive(Debug, Default)]
pub struct PeopleFilter {
    /// What the handle or the name begins with, in whatever case.
    pub(super) search: Option<String>,
    pub roles: Option<Vec<ServerRole>>,
    pub among: Option<Among>,
}

/// Place in the directory: what it is ordered by, and the id.
#[derive(Debug, Serialize, Deserialize)]
pub enum PeopleCursor {
    /// The name as the database folds it.
    Name(String, UserId),
    LastSeen(Millis, UserId),
    CreatedAt(Millis, UserId),
}

/// Values of a place, as the database compares them.
pub(super) enum Place<'a> {
    Name(&'a str, UserId),
    LastSeen(Instant, UserId),
    CreatedAt(Instant, UserId),
}

impl PeopleFilter {
    pub fn searching(self, search: Option<String>) -> Result<Self> {
        Ok(Self { search: text::search(search, 0..=80)?, ..self })
    }
}

impl Cursor for PeopleCursor {
    const LIST: &str = "users";
}

impl PeopleCursor {
    fn of(order: Order<UserOrderField>, Listed { user, folded_name, last_seen_at }: &Listed) -> Self {
        match order.field {
            UserOrderField::Name => Self::Name(folded_name.clone(), user.id),
            UserOrderField::LastSeen => Self::LastSeen(last_seen_at.unwrap_or_default().into(), user.id),
            UserOrderField::CreatedAt => Self::CreatedAt(user.created_at.into(), user.id),
        }
    }

    /// Whether we could have written it, for a list in this order: no name has a NUL, and the database takes none.
    pub fn is_of(&self, order: Order<UserOrderField>) -> bool {
        match self {
            Self::Name(name, _) => order.field == UserOrderField::Name && !name.contains('\0'),
            Self::LastSeen(..) => order.field == UserOrderField::LastSeen,
            Self::CreatedAt(..) => order.field == UserOrderField::CreatedAt,
        }
    }

    pub(super) fn place(&self) -> Place<'_> {
        match self {
            Self::Name(name, id) => Place::Name(name, *id),
            Self::LastSeen(at, id) => Place::LastSeen((*at).into(), *id),
            Self::CreatedAt(at, id) => Place::CreatedAt((*at).into(), *id),
        }
    }
}

/// A page of the directory.
pub async fn people(
    app: &App,
    viewer: &Viewer,
    filter: PeopleFilter,
    order: Order<UserOrderField>,
    window: Window<PeopleCursor>,
) -> Result<Page<(PeopleCursor, Arc<User>)>> {
    let (viewer, filter, wanted) = (viewer.user_id, &filter, &window);
    let rows = app.db.read(async move |conn| store::people(conn, viewer, filter, order, wanted).await).await?;
    Ok(window.page(rows).map(|listed| (PeopleCursor::of(order, &listed), Arc::new(listed.user))))
}
