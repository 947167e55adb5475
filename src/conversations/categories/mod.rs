//! Categories: headings that channels are shown under, of a group or of the server. What is in a group is ordered by its
//! admins, what is not by those who run the server.

mod create;
mod delete;
mod loaders;
mod update;

use std::sync::Arc;

pub use create::{CategoryDraft, create_category};
pub use delete::delete_category;
pub use loaders::{CategoriesShown, CategoryById};
pub use update::{CategoryChanges, CategoryUpdateDraft, update_category};

use super::places::Line;
use super::store::{self, Category};
use crate::app::App;
use crate::clock::Instant;
use crate::context::Scope;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::groups::Action;
use crate::id::{CategoryId, GroupId};
use crate::users;
use crate::viewer::Viewer;

/// Categories of a group or of the server at most: they are listed without pages.
const MOST: i32 = 100;

/// Those of the server, in display order.
pub async fn server_categories(app: &App) -> Result<Vec<Category>> {
    app.db.read(async |conn| store::categories_of_server(conn).await).await
}

/// A category that the viewer sees: of the server, or of a group that shows it to them.
pub async fn category_in_sight(scope: &Scope, viewer: &Viewer, id: CategoryId) -> Result<Option<Arc<Category>>> {
    let Some(category) = scope.load::<CategoryById>(id).await? else { return Ok(None) };
    let Some(group) = category.group_id else { return Ok(Some(category)) };
    let shown = scope.load::<CategoriesShown>((viewer.user_id, group)).await?;
    Ok(Some(category).filter(|_| shown.is_some_and(|shown| shown.iter().any(|shown| shown.id == id))))
}

/// The line of a group or of the server, for somebody who may put it in order: the group's admins and up, and those who run
/// the server. Nobody else gets to hold it.
async fn hold_line(tx: &mut Tx, viewer: &Viewer, group: Option<GroupId>, now: Instant) -> Result<Line> {
    if let Some(group) = group {
        return Line::of_group(tx, viewer, group, Action::ManageCategories, now).await;
    }
    let user = users::undeleted(tx, viewer.user_id).await?;
    match user.is_some_and(|user| user.role.administers()) {
        true => Line::of_server(tx).await,
        false => Err(Error::forbidden("You may not do this here")),
    }
}

/// A category and the line it stands in, held; *not found* for strangers. Read again under the lock.
async fn hold_category(tx: &mut Tx, viewer: &Viewer, id: CategoryId, now: Instant) -> Result<(Line, Category)> {
    let missing = || Error::not_found("category");
    let found = store::categories_by_ids(tx, &[id]).await?.pop().ok_or_else(missing)?;
    if let Some(group) = found.group_id {
        let shown = store::categories_shown(tx, &[(viewer.user_id, group)]).await?;
        shown.iter().find(|(_, shown)| shown.id == id).ok_or_else(missing)?;
    }
    let line = hold_line(tx, viewer, found.group_id, now).await?;
    let found = store::categories_by_ids(tx, &[id]).await?.pop().ok_or_else(missing)?;
    Ok((line, found))
}
