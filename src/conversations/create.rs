//! Creating a channel.

use super::{Changed, Channel, Here, Kind, MemberRole, NewChannel, Reference, Visibility, add, lock, store};
use crate::app::App;
use crate::clock::Instant;
use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, InputCode, Result};
use crate::id::{ConversationId, UserId};
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// The people that one call may add.
pub const ADDED_AT_ONCE: usize = 100;
/// Addresses tried for a name before the client is asked to choose one.
const SLUGS_TRIED: usize = 20;
/// Under which creations keep their keys.
const MUTATION: &str = "createChannel";
/// Addresses are unique.
pub(super) const SLUG_KEY: &str = "channels_slug_key";

/// A channel to be, checked but for what only the database knows.
#[derive(Debug)]
pub struct ChannelDraft {
    name: String,
    slug: Slug,
    topic: Option<String>,
    visibility: Visibility,
    posting_role: MemberRole,
    members: Vec<UserId>,
    client_key: Option<String>,
}

/// The address of a channel to be.
#[derive(Debug)]
enum Slug {
    /// Private channels have none.
    None,
    /// As the client wants it, or CONFLICT.
    Chosen(String),
    /// Made from the name, with a number where that is taken.
    Made(String),
}

/// What a client sends.
pub struct ChannelInput {
    pub name: String,
    pub slug: Option<String>,
    pub topic: Option<String>,
    pub visibility: Visibility,
    pub posting_role: MemberRole,
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
        let slug = match (input.slug, input.visibility) {
            (Some(_), Visibility::Private) => wrong.note("slug", Err(private_has_none())),
            (Some(slug), Visibility::Public) => wrong.note("slug", text::slug(&slug)).map(Slug::Chosen),
            (None, Visibility::Private) => Some(Slug::None),
            (None, Visibility::Public) => Some(Slug::Made(made_slug(name.as_deref().unwrap_or_default()))),
        };
        let topic = wrong.note("topic", input.topic.map(|topic| text::block(&topic, 0..=500)).transpose());
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
                slug: slug?,
                topic: topic?.filter(|topic| !topic.is_empty()),
                visibility: input.visibility,
                posting_role: input.posting_role,
                members: members?,
                client_key: client_key?,
            })
        })
    }

    /// Tells the same input from another one under the same key.
    fn digest(&self) -> Vec<u8> {
        let slug = match &self.slug {
            Slug::Chosen(slug) => Some(slug.as_str()),
            // Made from the name, or none: as the other fields say.
            Slug::Made(_) | Slug::None => None,
        };
        let members: Vec<String> = self.members.iter().map(UserId::to_string).collect();
        text::input_digest(&[
            ("name", Some(&self.name)),
            ("slug", slug),
            ("topic", self.topic.as_deref()),
            ("visibility", Some(self.visibility.name())),
            ("postingRole", Some(self.posting_role.name())),
            ("memberIds", Some(&members.join(","))),
        ])
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
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            if let Some(earlier) = replay(tx, viewer, draft, now).await? {
                return Ok(earlier);
            }
            let id = ConversationId::at(now);
            keep_key(tx, viewer, draft, id).await?;
            let new = NewChannel {
                id,
                channel: Channel {
                    name: draft.name.clone(),
                    slug: address(tx, &draft.slug).await?,
                    topic: draft.topic.clone(),
                    visibility: draft.visibility,
                    posting_role: draft.posting_role,
                },
                created_by_id: Some(viewer.user_id),
                created_at: now,
            };
            store::insert_channel(tx, &new).await.on_constraint(SLUG_KEY, slug_taken)?;
            let mut here = Here::founded(tx, viewer, id, now).await?;
            here.seat(tx, viewer.user_id, MemberRole::Owner).await?;
            let members = known(tx, draft, viewer).await?;
            here.seat_all(tx, &members, MemberRole::Member).await?;
            Ok(Created { changed: here.write(tx).await?, is_replay: false })
        })
        .await
}

/// What an earlier call with the same key created, as it is now.
async fn replay(tx: &mut Tx, viewer: &Viewer, draft: &ChannelDraft, now: Instant) -> Result<Option<Created>> {
    let Some(key) = &draft.client_key else { return Ok(None) };
    let Some((id, digest)) = store::created_with(tx, viewer.user_id, MUTATION, key).await? else { return Ok(None) };
    if digest != draft.digest() {
        return Err(Error::new(Code::IdempotencyKeyReused, "This clientKey came before with different input"));
    }
    // By the front door: who lost sight of it since does not get it back by its key.
    let reference = Reference { kind: Kind::Channel, id };
    let here = lock(tx, viewer, reference, now).await?;
    Ok(Some(Created { changed: here.unchanged(), is_replay: true }))
}

async fn keep_key(tx: &mut Tx, viewer: &Viewer, draft: &ChannelDraft, id: ConversationId) -> Result<()> {
    let Some(key) = &draft.client_key else { return Ok(()) };
    store::keep_creation_key(tx, viewer.user_id, MUTATION, key, &draft.digest(), id)
        .await
        .on_constraint("creation_keys_pkey", || Error::new(Code::Conflict, "The same call runs right now, try again"))
}

/// The people to add, or which of them nobody can add.
async fn known(tx: &mut Tx, draft: &ChannelDraft, viewer: &Viewer) -> Result<Vec<UserId>> {
    let mut wanted: Vec<UserId> = Vec::new();
    for &id in draft.members.iter().filter(|&&id| id != viewer.user_id) {
        if !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    let addable = add::addable(tx, viewer.user_id, &wanted).await?;
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

/// An address for what is private.
pub(super) fn private_has_none() -> Fault {
    Fault::new(InputCode::NotAllowed, "Private channels have none: it would betray them")
}

pub(super) fn slug_taken() -> Error {
    Error::new(Code::Conflict, "This address is taken")
}

/// An address from a name: what can be written in a-z, 0-9 and dash.
pub(super) fn made_slug(name: &str) -> String {
    let made: String = slug::slugify(name).chars().take(70).collect();
    match made.len() {
        0 | 1 => format!("channel-{made}").trim_end_matches('-').to_owned(),
        _ => made.trim_end_matches('-').to_owned(),
    }
}

async fn address(tx: &mut Tx, slug: &Slug) -> Result<Option<String>> {
    Ok(match slug {
        Slug::None => None,
        Slug::Chosen(chosen) => Some(chosen.clone()),
        Slug::Made(made) => Some(free_slug(tx, made.clone()).await?),
    })
}

/// An address that nobody had a moment ago; whoever is faster now gets it, and this call a CONFLICT.
pub(super) async fn free_slug(tx: &mut Tx, made: String) -> Result<String> {
    let numbered = (2..=SLUGS_TRIED).map(|number| format!("{made}-{number}"));
    let candidates: Vec<String> = std::iter::once(made.clone()).chain(numbered).collect();
    let taken = store::taken_slugs(tx, &candidates).await?;
    let free = candidates.into_iter().find(|candidate| !taken.iter().flatten().any(|taken| taken == candidate));
    free.ok_or_else(|| Error::new(Code::Conflict, "Choose a slug: those made from this name are taken"))
}
