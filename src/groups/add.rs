//! Adding people.

use async_graphql::Enum;

use super::{Action, Changed, Departure, Member, MemberRole, hold, store};
use crate::app::App;
use crate::error::Result;
use crate::id::{GroupId, UserId};
use crate::notifications::Happening;
use crate::text::{Fault, Wrong};
use crate::users;
use crate::viewer::Viewer;

/// The people that one call may add, to a group or a conversation.
pub const ADDED_AT_ONCE: usize = 100;

/// Why someone could not be added. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "RejectionReason")]
pub enum Rejection {
    /// There is no such user.
    NotFound,
    /// A ban keeps them out.
    Banned,
    /// They are not a member of the group whose channel it is.
    NotInGroup,
    /// There is no room for more.
    Full,
    /// They cannot be added by the viewer; no more is said.
    NotAllowed,
}

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
    group: GroupId,
    /// Each once.
    people: Vec<UserId>,
    role: MemberRole,
}

impl AddDraft {
    pub fn from(group_id: &str, user_ids: &[String], role: MemberRole) -> Result<Self> {
        let mut wrong = Wrong::default();
        let group = wrong.note("groupId", GroupId::parse(group_id).ok_or_else(Fault::not_an_id));
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
            Some(Self { group: group?, people, role })
        })
    }
}

/// Adds people to a group; those who cannot be added come back with the reason.
pub async fn add_members(app: &App, viewer: &Viewer, draft: AddDraft) -> Result<Added> {
    let now = app.clock.now();
    let AddDraft { group, ref people, role } = draft;
    app.db
        .transaction(async move |tx| {
            let mut held = hold(tx, viewer, group, now).await?;
            held.may(Action::AddMembers(role)).or_refuse()?;
            let known = users::existing(tx, people).await?;
            let reachable = users::reachable(tx, people).await?;
            let in_block = users::in_block_among(tx, viewer.user_id, people).await?;
            let before = store::members_of(tx, group, people).await?;
            let (mut members, mut newcomers, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
            for &person in people {
                let earlier = before.iter().find(|member| member.user_id == person);
                match earlier.map(|member| member.departure) {
                    Some(None) => members.extend(earlier.cloned()),
                    Some(Some(Departure::Banned)) => rejected.push((person, Rejection::Banned)),
                    _ if in_block.contains(&person) => rejected.push((person, Rejection::NotAllowed)),
                    _ if reachable.contains(&person) => newcomers.push(person),
                    _ if known.contains(&person) => rejected.push((person, Rejection::NotAllowed)),
                    _ => rejected.push((person, Rejection::NotFound)),
                }
            }
            members.extend(held.admit(tx, &newcomers, role).await?);
            held.tell(app, tx, Happening::Added, None, &newcomers).await?;
            // As they were named.
            members.sort_by_key(|member| people.iter().position(|person| *person == member.user_id));
            Ok(Added { changed: held.write(tx).await?, members, rejected })
        })
        .await
}
