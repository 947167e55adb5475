//! Changing a group's settings.

use super::create::free_address;
use super::store::{self, Group};
use super::{Action, Changed, Visibility, fitting, hold, made_address};
use crate::app::App;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::GroupId;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// What a client sends. `None` is absent, and stays; `Some(None)` is null, and clears.
pub struct GroupChanges {
    pub group_id: String,
    pub name: Option<Option<String>>,
    pub slug: Option<Option<String>>,
    pub description: Option<Option<String>>,
    pub visibility: Option<Option<Visibility>>,
    pub exposes_history: bool,
    pub expected_version: Option<i32>,
}

/// What to change, checked but for what depends on how things are.
#[derive(Debug)]
pub struct UpdateDraft {
    group: GroupId,
    name: Option<String>,
    slug: Option<Option<String>>,
    description: Option<Option<String>>,
    visibility: Option<Visibility>,
    exposes_history: bool,
    expected_version: Option<i32>,
}

impl UpdateDraft {
    pub fn from(changes: GroupChanges) -> Result<Self> {
        let mut wrong = Wrong::default();
        let group = wrong.note("groupId", GroupId::parse(&changes.group_id).ok_or_else(Fault::not_an_id));
        let name = text::given(changes.name).and_then(|name| name.map(|name| text::line(&name, 1..=80)).transpose());
        let name = wrong.note("name", name);
        let slug = changes.slug.map(|slug| slug.map(|slug| text::slug(&slug)).transpose()).transpose();
        let slug = slug.and_then(|slug| match changes.visibility.flatten() {
            Some(visibility) => fitting(&slug, visibility).map(|()| slug),
            None => Ok(slug),
        });
        let slug = wrong.note("slug", slug);
        let description = changes.description.map(|text| text.map(|text| text::block(&text, 0..=500)).transpose());
        let description = wrong.note("description", description.transpose());
        let visibility = wrong.note("visibility", text::given(changes.visibility));
        wrong.finish(|| {
            Some(Self {
                group: group?,
                name: name?,
                slug: slug?,
                description: description?.map(|text| text.filter(|text| !text.is_empty())),
                visibility: visibility?,
                exposes_history: changes.exposes_history,
                expected_version: changes.expected_version,
            })
        })
    }

    /// The group as it will be. An address is made where one is needed and none is named.
    async fn applied_to(&self, tx: &mut Tx, before: &Group) -> Result<Group> {
        let visibility = self.visibility.unwrap_or(before.visibility);
        let name = self.name.clone().unwrap_or_else(|| before.name.clone());
        let mut wrong = Wrong::default();
        let fits = wrong.note("slug", fitting(&self.slug, visibility));
        wrong.finish(|| fits)?;
        let slug = match (visibility, self.slug.clone().flatten().or_else(|| before.slug.clone())) {
            (Visibility::Private, _) => None,
            (Visibility::Public, Some(slug)) => Some(slug),
            (Visibility::Public, None) => Some(free_address(tx, &made_address(&name, "group")).await?),
        };
        let description = self.description.clone().unwrap_or_else(|| before.description.clone());
        Ok(Group { name, slug, description, visibility, ..before.clone() })
    }
}

/// Changes what is given of a group's settings. What is so already is no change.
pub async fn update_group(app: &App, viewer: &Viewer, draft: UpdateDraft) -> Result<Changed> {
    match update_once(app, viewer, &draft).await {
        // Somebody was faster with the address that was made for this one, and nobody has asked for: it gets another.
        Err(error) if error.code() == Code::Conflict && draft.slug.is_none() => update_once(app, viewer, &draft).await,
        answer => answer,
    }
}

async fn update_once(app: &App, viewer: &Viewer, draft: &UpdateDraft) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut held = hold(tx, viewer, draft.group, now).await?;
            held.may(Action::UpdateSettings).or_refuse()?;
            if draft.expected_version.is_some_and(|expected| expected != held.group.version) {
                return Err(Error::version_conflict(held.group.version));
            }
            if draft.visibility == Some(Visibility::Public) && held.group.visibility == Visibility::Private {
                held.may(Action::MakePublic).or_refuse()?;
                // Written among few, and about to be read by whoever joins.
                if !draft.exposes_history && store::has_public_history(tx, held.id()).await? {
                    return Err(Error::new(
                        Code::FailedPrecondition,
                        "Everybody will read what was written: confirm it",
                    )
                    .with("reason", "HISTORY"));
                }
            }
            let after = draft.applied_to(tx, &held.group).await?;
            if after == held.group {
                return Ok(held.unchanged());
            }
            held.set(after);
            held.write(tx).await
        })
        .await
}
