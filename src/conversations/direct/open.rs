//! Opening.

use super::{DIRECT_SIZE, People, willing};
use crate::app::App;
use crate::clock::Instant;
use crate::conversations::{Changed, Here, Kind, MemberRole, Reference, lock, store};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{ConversationId, UserId};
use crate::text::{Fault, Wrong};
use crate::users;
use crate::viewer::Viewer;

/// Whom to talk with, checked but for what only the database knows.
#[derive(Debug)]
pub struct OpenDraft {
    /// As they were named.
    others: Vec<UserId>,
    people: People,
}

/// A direct conversation, and whether it was not there before.
pub struct Opened {
    pub changed: Changed,
    pub is_new: bool,
}

impl OpenDraft {
    pub fn from(viewer: &Viewer, user_ids: &[String]) -> Result<Self> {
        let mut wrong = Wrong::default();
        let others = match user_ids.len() {
            0..=DIRECT_SIZE => {
                wrong.note_each("userIds", user_ids.iter().map(|id| UserId::parse(id).ok_or_else(Fault::not_an_id)))
            }
            _ => wrong.note("userIds", Err(Fault::too_many(DIRECT_SIZE - 1))),
        };
        let people = others.as_ref().map(|others| People::of(viewer.user_id, others.iter().copied()));
        let people = people.and_then(|people| wrong.note("userIds", people));
        wrong.finish(|| Some(Self { others: others?, people: people? }))
    }
}

/// Opens the conversation of the viewer and these people: the one that was opened for exactly them, or a new one.
pub async fn open_direct(app: &App, viewer: &Viewer, draft: OpenDraft) -> Result<Opened> {
    let (now, draft) = (app.clock.now(), &draft);
    app.db
        .transaction(async move |tx| {
            let existing = users::existing(tx, &draft.others).await?;
            let mut wrong = Wrong::default();
            let found = draft.others.iter().map(|id| existing.contains(id).then_some(()).ok_or_else(Fault::unknown_id));
            let found = wrong.note_each("userIds", found);
            wrong.finish(|| found)?;
            open_for(tx, viewer, &draft.people, now).await
        })
        .await
}

/// The same as part of something larger. FORBIDDEN where one of them and the viewer stand in a block, whichever of the two
/// wants it so; and for a new one also where somebody could not hear of it, or does not want it.
pub async fn open_for(tx: &mut Tx, viewer: &Viewer, people: &People, now: Instant) -> Result<Opened> {
    let others = people.but(viewer.user_id);
    if !users::in_block_among(tx, viewer.user_id, &others).await?.is_empty() {
        return Err(unreachable());
    }
    if let Some(changed) = find(tx, viewer, people, now).await? {
        return Ok(Opened { changed, is_new: false });
    }
    let reachable = users::reachable(tx, &others).await?;
    let willing = willing(tx, viewer.user_id, &others).await?;
    if !others.iter().all(|other| reachable.contains(other) && willing.contains(other)) {
        return Err(unreachable());
    }
    loop {
        let id = ConversationId::at(now);
        if store::take_key(tx, id, &people.key()).await? {
            return Ok(Opened { changed: found(tx, viewer, id, &others, now).await?, is_new: true });
        }
        // Somebody was faster.
        if let Some(changed) = find(tx, viewer, people, now).await? {
            return Ok(Opened { changed, is_new: false });
        }
        // And somebody has added to it or left it since: the key is free again.
    }
}

/// What was opened for exactly these people.
async fn find(tx: &mut Tx, viewer: &Viewer, people: &People, now: Instant) -> Result<Option<Changed>> {
    let key = [people.key()];
    let Some((_, id)) = store::found_by(tx, &key).await?.pop() else { return Ok(None) };
    let here = match lock(tx, viewer, Reference { kind: Kind::Direct, id }, now).await {
        // They have just left it on another device.
        Err(error) if error.code() == Code::NotFound => return Ok(None),
        here => here?,
    };
    // Under the lock: somebody else may just have left, or have been added.
    let is_theirs = store::found_by(tx, &key).await?.iter().any(|(_, found)| *found == id);
    Ok(is_theirs.then(|| here.unchanged()))
}

async fn found(tx: &mut Tx, viewer: &Viewer, id: ConversationId, others: &[UserId], now: Instant) -> Result<Changed> {
    store::insert(tx, id, Kind::Direct, Some(viewer.user_id), now).await?;
    let mut here = Here::founded(tx, viewer, id, now).await?;
    let people = [&[viewer.user_id], others].concat();
    here.seat_all(tx, &people, MemberRole::Member).await?;
    here.write(tx).await
}

/// Says no more, so that nobody learns who has blocked whom.
pub fn unreachable() -> Error {
    Error::forbidden("One of them cannot be written to")
}
