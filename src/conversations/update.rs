//! Changing a channel's settings.

use super::create::{free_slug, slug_key};
use super::events::{CONVERSATION_UPDATED, ConversationUpdated, VISIBILITY};
use super::{Action, Changed, Channel, Here, MemberRole, Reference, Visibility, lock, places, store};
use crate::app::App;
use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::groups::{fitting, made_address, taken};
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// What a client sends. `None` is absent, and stays; `Some(None)` is null, and clears.
pub struct ChannelChanges {
    pub channel_id: String,
    pub name: Option<Option<String>>,
    pub slug: Option<Option<String>>,
    pub topic: Option<Option<String>>,
    pub visibility: Option<Option<Visibility>>,
    pub exposes_history: bool,
    pub posting_role: Option<Option<MemberRole>>,
    pub expected_version: Option<i32>,
}

/// What to change, checked but for what depends on how things are.
#[derive(Debug)]
pub struct UpdateDraft {
    channel: Reference,
    name: Option<String>,
    slug: Option<Option<String>>,
    topic: Option<Option<String>>,
    visibility: Option<Visibility>,
    exposes_history: bool,
    posting_role: Option<MemberRole>,
    expected_version: Option<i32>,
}

impl UpdateDraft {
    pub fn from(changes: ChannelChanges) -> Result<Self> {
        let mut wrong = Wrong::default();
        let id = Reference::parse_channel(&changes.channel_id);
        let channel = wrong.note("channelId", id.ok_or_else(Fault::not_an_id));
        let name = text::given(changes.name).and_then(|name| name.map(|name| text::line(&name, 1..=80)).transpose());
        let name = wrong.note("name", name);
        let slug = changes.slug.map(|slug| slug.map(|slug| text::slug(&slug)).transpose()).transpose();
        let slug = slug.and_then(|slug| match changes.visibility.flatten() {
            Some(visibility) => fitting(&slug, visibility).map(|()| slug),
            None => Ok(slug),
        });
        let slug = wrong.note("slug", slug);
        let topic = changes.topic.map(|topic| topic.map(|topic| text::block(&topic, 0..=500)).transpose());
        let topic = wrong.note("topic", topic.transpose());
        let visibility = wrong.note("visibility", text::given(changes.visibility));
        let posting_role = wrong.note("postingRole", text::given(changes.posting_role));
        wrong.finish(|| {
            Some(Self {
                channel: channel?,
                name: name?,
                slug: slug?,
                topic: topic?.map(|topic| topic.filter(|topic| !topic.is_empty())),
                visibility: visibility?,
                exposes_history: changes.exposes_history,
                posting_role: posting_role?,
                expected_version: changes.expected_version,
            })
        })
    }

    /// The settings as they will be. An address is made where one is needed and none is named.
    async fn applied_to(&self, tx: &mut Tx, before: &Channel) -> Result<Channel> {
        let visibility = self.visibility.unwrap_or(before.visibility);
        let name = self.name.clone().unwrap_or_else(|| before.name.clone());
        let mut wrong = Wrong::default();
        let fits = wrong.note("slug", fitting(&self.slug, visibility));
        wrong.finish(|| fits)?;
        let slug = match (visibility, self.slug.clone().flatten().or_else(|| before.slug.clone())) {
            (Visibility::Private, _) => None,
            (Visibility::Public, Some(slug)) => Some(slug),
            (Visibility::Public, None) => Some(free_slug(tx, before.group_id, &made_address(&name, "channel")).await?),
        };
        let topic = self.topic.clone().unwrap_or_else(|| before.topic.clone());
        let posting_role = self.posting_role.unwrap_or(before.posting_role);
        Ok(Channel { name, slug, topic, visibility, posting_role, ..before.clone() })
    }
}

/// Changes what is given of a channel's settings. What is so already is no change.
pub async fn update_channel(app: &App, viewer: &Viewer, draft: UpdateDraft) -> Result<Changed> {
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
            let mut here = lock(tx, viewer, draft.channel, now).await?;
            here.may(Action::UpdateSettings).or_refuse()?;
            let version = here.conversation.version;
            if draft.expected_version.is_some_and(|expected| expected != version) {
                return Err(Error::version_conflict(version));
            }
            let before = here.conversation.channel.clone();
            let before = before.ok_or_else(|| Error::internal("a channel without settings"))?;
            judge(&here, &before, draft)?;
            let after = draft.applied_to(tx, &before).await?;
            let changed_fields = changed_fields(&before, &after);
            if changed_fields.is_empty() {
                return Ok(here.unchanged());
            }
            here.conversation.version += 1;
            here.conversation.updated_at = here.now;
            let saved = store::save_settings(tx, here.conversation.id, &after).await;
            saved.on_constraint(slug_key(after.group_id), taken)?;
            if ["name", "slug", VISIBILITY].iter().any(|field| changed_fields.iter().any(|changed| changed == field)) {
                // As it was, and as it will be: what turned private leaves the list.
                places::tell_of(tx, &here).await?;
                here.conversation.channel = Some(after);
                places::tell_of(tx, &here).await?;
            } else {
                here.conversation.channel = Some(after);
            }
            here.log(CONVERSATION_UPDATED, &ConversationUpdated { changed_fields })?;
            here.write(tx).await
        })
        .await
}

/// What takes more than the right to change settings.
fn judge(here: &Here, before: &Channel, draft: &UpdateDraft) -> Result<()> {
    if let Some(posting_role) = draft.posting_role.filter(|role| *role != before.posting_role) {
        here.may(Action::ChangePostingRole(before.posting_role, posting_role)).or_refuse()?;
    }
    if draft.visibility == Some(Visibility::Public) && before.visibility == Visibility::Private {
        here.may(Action::MakePublic).or_refuse()?;
        // Written among few, and about to be read by all.
        if here.conversation.last_msg_no > 0 && !draft.exposes_history {
            return Err(Error::new(Code::FailedPrecondition, "Everybody will read what was written: confirm it")
                .with("reason", "HISTORY"));
        }
    }
    Ok(())
}

/// By their names in the API.
fn changed_fields(before: &Channel, after: &Channel) -> Vec<String> {
    let fields = [
        ("name", before.name != after.name),
        ("slug", before.slug != after.slug),
        ("topic", before.topic != after.topic),
        (VISIBILITY, before.visibility != after.visibility),
        ("postingRole", before.posting_role != after.posting_role),
    ];
    fields.into_iter().filter(|(_, is_changed)| *is_changed).map(|(name, _)| name.to_owned()).collect()
}
