//! The directory: everybody who can sign in and is not gone.

use std::sync::Arc;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store::{self, Listed};
use super::{Among, ServerRole, User, UserOrderField};
use crate::app::App;
use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::page::{Cursor, OrderDirection, Page, Window};
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
    Name(String, Uuid),
    /// In milliseconds.
    LastSeen(i64, Uuid),
    /// In milliseconds.
    CreatedAt(i64, Uuid),
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
            UserOrderField::Name => Self::Name(folded_name.clone(), user.id.0),
            UserOrderField::LastSeen => Self::LastSeen(last_seen_at.map_or(0, |at| at.timestamp_millis()), user.id.0),
            UserOrderField::CreatedAt => Self::CreatedAt(user.created_at.timestamp_millis(), user.id.0),
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
            Self::Name(name, id) => Place::Name(name, UserId(*id)),
            Self::LastSeen(millis, id) => Place::LastSeen(instant(*millis), UserId(*id)),
            Self::CreatedAt(millis, id) => Place::CreatedAt(instant(*millis), UserId(*id)),
        }
    }
}

/// A client may send any number; one that is no time of ours stands before all.
pub(super) fn instant(millis: i64) -> Instant {
    let millis = Some(millis).filter(|millis| (0..253_402_300_800_000).contains(millis)).unwrap_or_default();
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
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
