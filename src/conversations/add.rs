//! Adding people.

use super::{Action, Changed, Departure, Member, MemberRole, Reference, Rejection, lock, store};
use crate::app::App;
use crate::error::Result;
use crate::groups::{self, ADDED_AT_ONCE};
use crate::id::UserId;
use crate::text::{Fault, Wrong};
use crate::users;
use crate::viewer::Viewer;

/// Who was added, and who was not.
pub struct Added {
    pub changed: Changed,
    /// Those who are members now, in the order they were named.
    pub members: Vec<Member>,
    pub rejected: Vec<(UserId, Rejection)>,
}

/// Whom to add where, checked but for what only the database knows.
#[derive(Debug)]
pub struct AddDraft {
    conversation: Reference,
    /// Each once.
    people: Vec<UserId>,
    role: MemberRole,
}

impl AddDraft {
    pub fn from(conversation_id: &str, user_ids: &[String], role: MemberRole) -> Result<Self> {
        let mut wrong = Wrong::default();
        let conversation = wrong.note("conversationId", Reference::parse(conversation_id).ok_or_else(Fault::not_an_id));
        let people = match user_ids.len() {
            0..=ADDED_AT_ONCE => {
                wrong.note_each("userIds", user_ids.iter().map(|id| UserId::parse(id).ok_or_else(Fault::not_an_id)))
            }
            _ => wrong.note("userIds", Err(Fault::too_many(ADDED_AT_ONCE))),
        };
        wrong.finish(|| {
            let mut people = people?;
            let mut seen = std::collections::HashSet::new();
            people.retain(|id| seen.insert(*id));
            Some(Self { conversation: conversation?, people, role })
        })
    }
}

/// Adds people to a conversation; those who cannot be added come back with the reason.
pub async fn add_members(app: &App, viewer: &Viewer, draft: AddDraft) -> Result<Added> {
    let now = app.clock.now();
    let AddDraft { conversation: reference, ref people, role } = draft;
    app.db
        .transaction(async move |tx| {
            let mut here = lock(tx, viewer, reference, now).await?;
            here.may(Action::AddMembers(role)).or_refuse()?;
            let known = users::existing(tx, people).await?;
            let reachable = users::reachable(tx, people).await?;
            let in_block = users::in_block_among(tx, viewer.user_id, people).await?;
            let seats = store::seats(tx, reference.id, people).await?;
            // Nobody is in a channel of a group that they are not in: leaving a group waits for this lock.
            let in_group = match here.group() {
                Some(group) => Some(groups::members_among(tx, group, people).await?),
                None => None,
            };
            let is_outside = |person: &UserId| in_group.as_ref().is_some_and(|members| !members.contains(person));
            let (mut members, mut newcomers, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
            for &person in people {
                let seat = seats.iter().find(|seat| seat.user_id == person);
                match seat.map(|seat| seat.departure) {
                    Some(None) => members.extend(seat.cloned()),
                    Some(Some(Departure::Banned)) => rejected.push((person, Rejection::Banned)),
                    _ if in_block.contains(&person) => rejected.push((person, Rejection::NotAllowed)),
                    _ if reachable.contains(&person) && is_outside(&person) => {
                        rejected.push((person, Rejection::NotInGroup))
                    }
                    _ if reachable.contains(&person) => newcomers.push(person),
                    _ if known.contains(&person) => rejected.push((person, Rejection::NotAllowed)),
                    _ => rejected.push((person, Rejection::NotFound)),
                }
            }
            members.extend(here.seat_all(tx, &newcomers, role).await?);
            // As they were named.
            members.sort_by_key(|member| people.iter().position(|person| *person == member.user_id));
            Ok(Added { changed: here.write(tx).await?, members, rejected })
        })
        .await
}
