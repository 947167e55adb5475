//! Categories by the handful.

use std::collections::HashMap;

use crate::app::App;
use crate::context::Load;
use crate::conversations::store::{self, Category};
use crate::error::Result;
use crate::id::{CategoryId, GroupId, UserId};

/// A category, for whoever has sight of it already.
pub struct CategoryById;

impl Load for CategoryById {
    type Key = CategoryId;
    type Value = Category;

    async fn load(app: &App, keys: &[CategoryId]) -> Result<HashMap<CategoryId, Category>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::categories_by_ids(conn, &keys).await).await?;
        Ok(found.into_iter().map(|category| (category.id, category)).collect())
    }
}

/// The categories of a group that somebody is shown, in display order; nothing where there are none.
pub struct CategoriesShown;

impl Load for CategoriesShown {
    type Key = (UserId, GroupId);
    type Value = Vec<Category>;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Vec<Category>>> {
        let keys = keys.to_vec();
        let mut all: HashMap<Self::Key, Vec<Category>> = HashMap::new();
        for (viewer, category) in app.db.read(async move |conn| store::categories_shown(conn, &keys).await).await? {
            let Some(group) = category.group_id else { continue };
            all.entry((viewer, group)).or_default().push(category);
        }
        Ok(all)
    }
}
