//! Creating a group.

use super::store::{self, Group};
use super::{Address, Changed, Held, MemberRole, Visibility, hold, numbered, taken};
use crate::app::App;
use crate::creations::CreationKey;
use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::id::GroupId;
use crate::text::{self, Wrong};
use crate::viewer::Viewer;

/// A group to be, checked but for what only the database knows.
#[derive(Debug)]
pub struct GroupDraft {
    name: String,
    address: Address,
    description: Option<String>,
    visibility: Visibility,
    client_key: Option<String>,
}

/// What a client sends.
pub struct GroupInput {
    pub name: String,
    pub slug: Option<String>,
    pub description: Option<String>,
    pub visibility: Visibility,
    pub client_key: Option<String>,
}

/// A group, and whether an earlier call with the same key had created it.
pub struct Created {
    pub changed: Changed,
    pub is_replay: bool,
}

impl GroupDraft {
    pub fn from(input: GroupInput) -> Result<Self> {
        let mut wrong = Wrong::default();
        let name = wrong.note("name", text::line(&input.name, 1..=80));
        let address = Address::from(input.slug, input.visibility, name.as_deref().unwrap_or_default(), "group");
        let address = wrong.note("slug", address);
        let description = input.description.map(|description| text::block(&description, 0..=500)).transpose();
        let description = wrong.note("description", description);
        let client_key = wrong.note("clientKey", input.client_key.map(|key| text::client_key(&key)).transpose());
        wrong.finish(|| {
            Some(Self {
                name: name?,
                address: address?,
                description: description?.filter(|description| !description.is_empty()),
                visibility: input.visibility,
                client_key: client_key?,
            })
        })
    }

    fn key(&self, viewer: &Viewer) -> Option<CreationKey> {
        let input_digest = text::input_digest(&[
            ("name", Some(&self.name)),
            ("slug", self.address.chosen()),
            ("description", self.description.as_deref()),
            ("visibility", Some(self.visibility.name())),
        ]);
        let client_key = self.client_key.clone()?;
        Some(CreationKey { user_id: viewer.user_id, mutation: "createGroup", client_key, input_digest })
    }
}

/// Creates a group that the viewer owns.
pub async fn create_group(app: &App, viewer: &Viewer, draft: GroupDraft) -> Result<Created> {
    match create_once(app, viewer, &draft).await {
        // The same call was under way and has just created it, or somebody was faster with the address that was made.
        Err(error) if error.code() == Code::Conflict && draft.address.chosen().is_none() => {
            create_once(app, viewer, &draft).await
        }
        Err(error) if error.code() == Code::Conflict && draft.client_key.is_some() => {
            create_once(app, viewer, &draft).await
        }
        answer => answer,
    }
}

async fn create_once(app: &App, viewer: &Viewer, draft: &GroupDraft) -> Result<Created> {
    let (now, key) = (app.clock.now(), draft.key(viewer));
    app.db
        .transaction(async move |tx| {
            let id = GroupId::at(now);
            if let Some(key) = &key {
                if let Some(earlier) = key.used(tx).await? {
                    // By the front door: who lost sight of it since does not get it back by its key.
                    let held = hold(tx, viewer, GroupId(earlier), now).await?;
                    return Ok(Created { changed: held.unchanged(), is_replay: true });
                }
                key.take(tx, id.0).await?;
            }
            let group = Group {
                id,
                name: draft.name.clone(),
                slug: address(tx, &draft.address).await?,
                description: draft.description.clone(),
                visibility: draft.visibility,
                member_count: 0,
                version: 1,
                created_by_id: viewer.user_id,
                created_at: now,
                updated_at: now,
                archived_at: None,
            };
            store::insert(tx, &group).await.on_constraint("groups_slug_key", taken)?;
            let mut held = Held::founded(viewer, group);
            held.admit(tx, &[viewer.user_id], MemberRole::Owner).await?;
            Ok(Created { changed: held.write(tx).await?, is_replay: false })
        })
        .await
}

async fn address(tx: &mut Tx, address: &Address) -> Result<Option<String>> {
    Ok(match address {
        Address::None => None,
        Address::Chosen(slug) => Some(slug.clone()),
        Address::Made(made) => Some(free_address(tx, made).await?),
    })
}

/// An address that nobody had a moment ago; whoever is faster now gets it, and this call a CONFLICT.
pub(super) async fn free_address(tx: &mut Tx, made: &str) -> Result<String> {
    let candidates = numbered(made);
    let taken = store::taken_slugs(tx, &candidates).await?;
    let free = candidates.into_iter().find(|candidate| !taken.iter().flatten().any(|taken| taken == candidate));
    free.ok_or_else(|| Error::new(Code::Conflict, "Choose a slug: those made from this name are taken"))
}
