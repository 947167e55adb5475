//! The directory: everybody who can sign in and is not gone.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::store::{self, Listed};
use super::{Among, ServerRole, User, UserOrderField};
use crate::app::App;
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::page::{Cursor, Millis, OrderDirection, Page, Window};
use crate::text;
use crate::viewer::Viewer;

/// Which people, checked.
#[derive(Debug, Default)]
pub struct PeopleFilter {
    /// What the handle or the name begins with, in whatever case.
    pub(super) search: Option<String>,
    pub(super) roles: Option<Vec<ServerRole>>,
    pub(super) among: Option<Among>,
}

/// In which order.
#[derive(Clone, Copy, Debug)]
pub struct PeopleOrder {
    pub field: UserOrderField,
    pub direction: OrderDirection,
}

impl Default for PeopleOrder {
    fn default() -> Self {
        Self { field: UserOrderField::Name, direction: OrderDirection::Asc }
    }
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
    pub fn from(search: Option<String>, roles: Option<Vec<ServerRole>>, among: Option<Among>) -> Result<Self> {
        let search = search.map(|search| text::line(&search, 0..=80)).transpose();
        let search = search.map_err(|fault| Error::bad_input(vec![fault.of_filter("search")]))?;
        // Whoever has typed nothing yet looks for nobody in particular.
        Ok(Self { search: search.filter(|search| !search.is_empty()), roles, among })
    }
}

impl Cursor for PeopleCursor {
    const LIST: &str = "users";
}

impl PeopleCursor {
    fn of(order: PeopleOrder, Listed { user, folded_name, last_seen_at }: &Listed) -> Self {
        match order.field {
            UserOrderField::Name => Self::Name(folded_name.clone(), user.id),
            UserOrderField::LastSeen => Self::LastSeen(last_seen_at.unwrap_or_default().into(), user.id),
            UserOrderField::CreatedAt => Self::CreatedAt(user.created_at.into(), user.id),
        }
    }

    /// Whether we could have written it, for a list in this order: no name has a NUL, and the database takes none.
    pub fn is_of(&self, order: PeopleOrder) -> bool {
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
    order: PeopleOrder,
    window: Window<PeopleCursor>,
) -> Result<Page<(PeopleCursor, Arc<User>)>> {
    let (viewer, filter, wanted) = (viewer.user_id, &filter, &window);
    let rows = app.db.read(async move |conn| store::people(conn, viewer, filter, order, wanted).await).await?;
    Ok(window.page(rows).map(|listed| (PeopleCursor::of(order, &listed), Arc::new(listed.user))))
}
