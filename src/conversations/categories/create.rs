//! Creating a category.

use super::{MOST, hold_line};
use crate::app::App;
use crate::conversations::store::{self, Category};
use crate::error::{Code, Error, Result};
use crate::id::{CategoryId, GroupId};
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// A category to be, checked.
#[derive(Debug)]
pub struct CategoryDraft {
    name: String,
    group: Option<GroupId>,
    position: Option<i32>,
}

impl CategoryDraft {
    pub fn from(name: &str, group_id: Option<&str>, position: Option<i32>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let name = wrong.note("name", text::line(name, 1..=80));
        let group = group_id.map(|id| GroupId::parse(id).ok_or_else(Fault::not_an_id)).transpose();
        let group = wrong.note("groupId", group);
        let position = wrong.note("position", place(position));
        wrong.finish(|| Some(Self { name: name?, group: group?, position: position? }))
    }
}

/// A place among categories, from 0; one behind the last is the last.
pub(super) fn place(position: Option<i32>) -> Result<Option<i32>, Fault> {
    match position {
        Some(position) if position < 0 => Err(Fault::out_of_range(0, MOST as usize)),
        position => Ok(position),
    }
}

/// Creates a category at a place among the others of its group or of the server, last if none is named.
pub async fn create_category(app: &App, viewer: &Viewer, draft: CategoryDraft) -> Result<Category> {
    let (now, draft) = (app.clock.now(), &draft);
    app.db
        .transaction(async move |tx| {
            let line = hold_line(tx, viewer, draft.group, now).await?;
            let count = store::count_categories(tx, line.group_id()).await?;
            if count >= MOST {
                let message = "There are as many categories as there can be";
                return Err(Error::new(Code::FailedPrecondition, message).with("reason", "TOO_MANY"));
            }
            let position = draft.position.map_or(count, |position| position.min(count));
            store::shift_categories(tx, line.group_id(), position, 1).await?;
            let id = CategoryId::at(now);
            let category = Category { id, group_id: line.group_id(), name: draft.name.clone(), position, version: 1 };
            store::insert_category(tx, &category).await?;
            line.tell(tx, now).await?;
            Ok(category)
        })
        .await
}
