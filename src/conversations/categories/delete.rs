//! Deleting a category.

use super::hold_category;
use crate::app::App;
use crate::conversations::{places, store};
use crate::error::Result;
use crate::id::CategoryId;
use crate::viewer::Viewer;

/// Deletes a category. Its channels stay, behind those that have none.
pub async fn delete_category(app: &App, viewer: &Viewer, id: CategoryId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let (line, category) = hold_category(tx, viewer, id, now).await?;
            places::unfile(tx, line, id).await?;
            store::delete_category(tx, id).await?;
            store::shift_categories(tx, line.group_id(), category.position + 1, -1).await?;
            line.tell(tx, now).await
        })
        .await
}
