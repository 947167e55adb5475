//! Renaming and moving a category.

use super::create::place;
use super::hold_category;
use crate::app::App;
use crate::conversations::store::{self, Category};
use crate::error::{Error, Result};
use crate::id::CategoryId;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// What a client sends. `None` is absent, and stays.
pub struct CategoryChanges {
    pub category_id: String,
    pub name: Option<Option<String>>,
    pub position: Option<Option<i32>>,
    pub expected_version: Option<i32>,
}

/// What to change, checked.
#[derive(Debug)]
pub struct CategoryUpdateDraft {
    category: CategoryId,
    name: Option<String>,
    position: Option<i32>,
    expected_version: Option<i32>,
}

impl CategoryUpdateDraft {
    pub fn from(changes: CategoryChanges) -> Result<Self> {
        let mut wrong = Wrong::default();
        let category = wrong.note("categoryId", CategoryId::parse(&changes.category_id).ok_or_else(Fault::not_an_id));
        let name = text::given(changes.name).and_then(|name| name.map(|name| text::line(&name, 1..=80)).transpose());
        let name = wrong.note("name", name);
        let position = wrong.note("position", text::given(changes.position).and_then(place));
        let expected_version = changes.expected_version;
        wrong.finish(|| Some(Self { category: category?, name: name?, position: position?, expected_version }))
    }
}

/// Renames a category, or moves it among the others of its group or of the server. What is so already is no change.
pub async fn update_category(app: &App, viewer: &Viewer, draft: CategoryUpdateDraft) -> Result<Category> {
    let (now, draft) = (app.clock.now(), &draft);
    app.db
        .transaction(async move |tx| {
            let (line, before) = hold_category(tx, viewer, draft.category, now).await?;
            if draft.expected_version.is_some_and(|expected| expected != before.version) {
                return Err(Error::version_conflict(before.version));
            }
            let last = store::count_categories(tx, line.group_id()).await? - 1;
            let position = draft.position.map_or(before.position, |position| position.min(last));
            let name = draft.name.clone().unwrap_or_else(|| before.name.clone());
            if name == before.name && position == before.position {
                return Ok(before);
            }
            if position != before.position {
                store::shift_categories(tx, line.group_id(), before.position + 1, -1).await?;
                store::shift_categories(tx, line.group_id(), position, 1).await?;
            }
            let after = Category { name, position, version: before.version + 1, ..before };
            store::save_category(tx, &after).await?;
            line.tell(tx, now).await?;
            Ok(after)
        })
        .await
}
