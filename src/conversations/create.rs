//! Creating a channel.

use super::places::{self, Line};
use super::{Changed, Channel, Here, Kind, MemberRole, NewChannel, Reference, Visibility, add, lock, store};
use crate::app::App;
use crate::creations::CreationKey;
use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::groups::{self, ADDED_AT_ONCE, Action, Address, numbered, taken};
use crate::id::{CategoryId, ConversationId, GroupId, UserId};
use crate::notifications::Happening;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// Addresses are unique on the server.
pub(super) const SLUG_KEY: &str = "channels_slug_key";
/// And in a group.
pub(super) const SLUG_IN_GROUP_KEY: &str = "channels_group_id_slug_key";

/// A channel to be, checked but for what only the database knows.
#[derive(Debug)]
pub struct ChannelDraft {
    name: String,
    address: Address,
    topic: Option<String>,
    visibility: Visibility,
    posting_role: MemberRole,
    group: Option<GroupId>,
    category: Option<CategoryId>,
    members: Vec<UserId>,
    client_key: Option<String>,
}

/// What a client sends.
pub struct ChannelInput {
    pub name: String,
    pub slug: Option<String>,
    pub topic: Option<String>,
    pub visibility: Visibility,
    pub posting_role: MemberRole,
    pub group_id: Option<String>,
    pub category_id: Option<String>,
    pub member_ids: Vec<String>,
    pub client_key: Option<String>,
}

/// A channel, and whether an earlier call with the same key had created it.
pub struct Created {
    pub changed: Changed,
    pub is_replay: bool,
}

impl ChannelDraft {
    pub fn from(input: ChannelInput) -> Result<Self> {
        let mut wrong = Wrong::default();
        let name = wrong.note("name", text::line(&input.name, 1..=80));
        let address = Address::from(input.slug, input.visibility, name.as_deref().unwrap_or_default(), "channel");
        let address = wrong.note("slug", address);
        let topic = wrong.note("topic", input.topic.map(|topic| text::block(&topic, 0..=500)).transpose());
        let group = input.group_id.map(|id| GroupId::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
        let group = wrong.note("groupId", group);
        let category = input.category_id.map(|id| CategoryId::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
        let category = wrong.note("categoryId", category);
        let members = match input.member_ids.len() {
            0..=ADDED_AT_ONCE => wrong.note_each(
                "memberIds",
                input.member_ids.iter().map(|id| UserId::parse(id).ok_or_else(Fault::not_an_id)),
            ),
            _ => wrong.note("memberIds", Err(Fault::too_many(ADDED_AT_ONCE))),
        };
        let client_key = wrong.note("clientKey", input.client_key.map(|key| text::client_key(&key)).transpose());
        wrong.finish(|| {
            Some(Self {
                name: name?,
                address: address?,
                topic: topic?.filter(|topic| !topic.is_empty()),
                visibility: input.visibility,
                posting_role: input.posting_role,
                group: group?,
                category: category?,
                members: members?,
                client_key: client_key?,
            })
        })
    }

    fn key(&self, viewer: &Viewer) -> Option<CreationKey> {
        let members: Vec<String> = self.members.iter().map(UserId::to_string).collect();
        let (group, category) = (self.group.map(|id| id.to_string()), self.category.map(|id| id.to_string()));
        let input_digest = text::input_digest(&[
            ("name", Some(&self.name)),
            ("slug", self.address.chosen()),
            ("topic", self.topic.as_deref()),
            ("visibility", Some(self.visibility.name())),
            ("postingRole", Some(self.posting_role.name())),
            ("memberIds", Some(&members.join(","))),
            ("groupId", group.as_deref()),
            ("categoryId", category.as_deref()),
        ]);
        let client_key = self.client_key.clone()?;
        Some(CreationKey { user_id: viewer.user_id, mutation: "createChannel", client_key, input_digest })
    }
}

/// Creates a channel that the viewer owns, with its first members.
pub async fn create_channel(app: &App, viewer: &Viewer, draft: ChannelDraft) -> Result<Created> {
    match create_once(app, viewer, &draft).await {
        // The same call was under way and has just created it: now it is a replay.
        Err(error) if error.code() == Code::Conflict && draft.client_key.is_some() => {
            create_once(app, viewer, &draft).await
        }
        answer => answer,
    }
}

async fn create_once(app: &App, viewer: &Viewer, draft: &ChannelDraft) -> Result<Created> {
    let (now, key) = (app.clock.now(), draft.key(viewer));
    app.db
        .transaction(async move |tx| {
            let id = ConversationId::at(now);
            if let Some(key) = &key {
                if let Some(earlier) = key.used(tx).await? {
                    // By the front door: who lost sight of it since does not get it back by its key.
                    let reference = Reference { kind: Kind::Channel, id: ConversationId(earlier) };
                    let here = lock(tx, viewer, reference, now).await?;
                    return Ok(Created { changed: here.unchanged(), is_replay: true });
                }
                key.take(tx, id.0).await?;
            }
            let line = match draft.group {
                Some(group) => Line::of_group(tx, viewer, group, Action::CreateChannel, now).await?,
                None => Line::of_server(tx).await?,
            };
            line.contains(tx, draft.category).await?;
            line.has_room(tx).await?;
            let new = NewChannel {
                id,
                channel: Channel {
                    name: draft.name.clone(),
                    slug: address(tx, draft).await?,
                    topic: draft.topic.clone(),
                    visibility: draft.visibility,
                    posting_role: draft.posting_role,
                    group_id: draft.group,
                    category_id: draft.category,
                    position: line.end(tx, draft.category).await?,
                    archived_with_group: false,
                },
                created_by_id: Some(viewer.user_id),
                created_at: now,
            };
            store::insert_channel(tx, &new).await.on_constraint(slug_key(draft.group), taken)?;
            let mut here = Here::founded(tx, viewer, id, now).await?;
            here.seat(tx, viewer.user_id, MemberRole::Owner).await?;
            let members = known(tx, draft, viewer).await?;
            here.seat_all(tx, &members, MemberRole::Member).await?;
            here.tell(app, tx, Happening::Added, None, &members).await?;
            places::tell_of(tx, &here).await?;
            Ok(Created { changed: here.write(tx).await?, is_replay: false })
        })
        .await
}

/// The people to add, or which of them nobody can add.
async fn known(tx: &mut Tx, draft: &ChannelDraft, viewer: &Viewer) -> Result<Vec<UserId>> {
    let mut wanted: Vec<UserId> = Vec::new();
    for &id in draft.members.iter().filter(|&&id| id != viewer.user_id) {
        if !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    let mut addable = add::addable(tx, viewer.user_id, &wanted).await?;
    if let Some(group) = draft.group {
        let members = groups::members_among(tx, group, &wanted).await?;
        addable.retain(|id| members.contains(id));
    }
    let mut wrong = Wrong::default();
    wrong.note_each(
        "memberIds",
        draft.members.iter().map(|id| match addable.contains(id) || *id == viewer.user_id {
            true => Ok(()),
            false => Err(Fault::unknown_id()),
        }),
    );
    wrong.finish(|| Some(wanted))
}

/// The index in which an address is unique.
pub(super) fn slug_key(group: Option<GroupId>) -> &'static str {
    match group {
        Some(_) => SLUG_IN_GROUP_KEY,
        None => SLUG_KEY,
    }
}

async fn address(tx: &mut Tx, draft: &ChannelDraft) -> Result<Option<String>> {
    Ok(match &draft.address {
        Address::None => None,
        Address::Chosen(chosen) => Some(chosen.clone()),
        Address::Made(made) => Some(free_slug(tx, draft.group, made).await?),
    })
}

/// An address that nobody had a moment ago; whoever is faster now gets it, and this call a CONFLICT.
pub(super) async fn free_slug(tx: &mut Tx, group: Option<GroupId>, made: &str) -> Result<String> {
    let candidates = numbered(made);
    let taken = store::taken_slugs(tx, group, &candidates).await?;
    let free = candidates.into_iter().find(|candidate| !taken.iter().flatten().any(|taken| taken == candidate));
    free.ok_or_else(|| Error::new(Code::Conflict, "Choose a slug: those made from this name are taken"))
}
