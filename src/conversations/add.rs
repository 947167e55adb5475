//! Adding people.

use super::direct::{self, People};
use super::{Action, Changed, Departure, Here, Kind, Member, MemberRole, Reference, Rejection, lock, store};
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::groups::{self, ADDED_AT_ONCE};
use crate::id::UserId;
use crate::notifications::Happening;
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

/// People who are to be added, apart by what becomes of them; each in the order in which they were named.
#[derive(Default)]
struct Judged {
    /// Those who are members already.
    members: Vec<Member>,
    newcomers: Vec<UserId>,
    rejected: Vec<(UserId, Rejection)>,
}

/// Adds people to a conversation; those who cannot be added come back with the reason. Where its people are fixed, adding
/// opens another one for them and the newcomers.
pub async fn add_members(app: &App, viewer: &Viewer, draft: AddDraft) -> Result<Added> {
    let now = app.clock.now();
    let AddDraft { conversation: reference, ref people, role } = draft;
    app.db
        .transaction(async move |tx| {
            let here = lock(tx, viewer, reference, now).await?;
            here.may(Action::AddMembers(role)).or_refuse()?;
            let Judged { members, newcomers, rejected } = judge(tx, &here, people).await?;
            let (changed, mut members) = match here.conversation.has_fixed_people() {
                _ if newcomers.is_empty() => (here.unchanged(), members),
                true => {
                    let another = open_another(tx, viewer, &here, newcomers, now).await?;
                    let members = store::seats(tx, another.sight.id(), people).await?;
                    (another, members)
                }
                false => {
                    let (changed, new) = seat(app, tx, here, &newcomers, role).await?;
                    (changed, [members, new].concat())
                }
            };
            // As they were named.
            members.sort_by_key(|member| people.iter().position(|person| *person == member.user_id));
            Ok(Added { changed, members, rejected })
        })
        .await
}

/// Of these people, those whom somebody may bring into a conversation.
pub(super) async fn addable(tx: &mut Tx, user: UserId, people: &[UserId]) -> Result<Vec<UserId>> {
    let mut reachable = users::reachable(tx, people).await?;
    let in_block = users::in_block_among(tx, user, people).await?;
    reachable.retain(|person| !in_block.contains(person));
    Ok(reachable)
}

async fn judge(tx: &mut Tx, here: &Here, people: &[UserId]) -> Result<Judged> {
    let known = users::existing(tx, people).await?;
    let mut addable = addable(tx, here.viewer_id(), people).await?;
    if here.conversation.kind == Kind::Direct {
        let willing = direct::willing(tx, here.viewer_id(), people).await?;
        addable.retain(|person| willing.contains(person));
    }
    let seats = store::seats(tx, here.conversation.id, people).await?;
    // Nobody is in a channel of a group that they are not in: leaving a group waits for this lock.
    let in_group = match here.group() {
        Some(group) => Some(groups::members_among(tx, group, people).await?),
        None => None,
    };
    let is_outside = |person: &UserId| in_group.as_ref().is_some_and(|members| !members.contains(person));
    let mut judged = Judged::default();
    for &person in people {
        let seat = seats.iter().find(|seat| seat.user_id == person);
        let rejection = match seat.map(|seat| seat.departure) {
            Some(None) => {
                judged.members.extend(seat.cloned());
                continue;
            }
            Some(Some(Departure::Banned)) => Some(Rejection::Banned),
            _ if !known.contains(&person) => Some(Rejection::NotFound),
            _ if !addable.contains(&person) => Some(Rejection::NotAllowed),
            _ if is_outside(&person) => Some(Rejection::NotInGroup),
            _ if judged.newcomers.len() >= here.conversation.room() => Some(Rejection::Full),
            _ => None,
        };
        match rejection {
            Some(reason) => judged.rejected.push((person, reason)),
            None => judged.newcomers.push(person),
        }
    }
    Ok(judged)
}

async fn seat(
    app: &App,
    tx: &mut Tx,
    mut here: Here,
    newcomers: &[UserId],
    role: MemberRole,
) -> Result<(Changed, Vec<Member>)> {
    let new = here.seat_all(tx, newcomers, role).await?;
    here.tell(app, tx, Happening::Added, None, newcomers).await?;
    if here.conversation.kind == Kind::Direct {
        direct::regroup(tx, &mut here).await?;
    }
    Ok((here.write(tx).await?, new))
}

async fn open_another(
    tx: &mut Tx,
    viewer: &Viewer,
    here: &Here,
    newcomers: Vec<UserId>,
    now: Instant,
) -> Result<Changed> {
    let already = store::participants(tx, &[here.conversation.id]).await?;
    let people = already.iter().map(|member| member.user_id).chain(newcomers);
    let people =
        People::of(viewer.user_id, people).map_err(|_| Error::internal("more people than there is room for"))?;
    Ok(direct::open_for(tx, viewer, &people, now).await?.changed)
}
