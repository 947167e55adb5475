//! Standing in a group to change something: its row is locked until the transaction ends. Rows of its channels are locked
//! after it, never before.

use std::sync::Arc;

use super::may::{Action, Standing, Verdict, may};
use super::store::{self, NewMember, Viewpoint};
use super::{Departure, Group, Member, MemberRole, Sight};
use crate::app::App;
use crate::clock::Instant;
use crate::db::{Busy, OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::id::{GroupId, GroupMemberId, UserId};
use crate::notifications::{self, Cause, Happening};
use crate::realtime::{Mark, Subject};
use crate::viewer::Viewer;

/// A group whose row this transaction holds. What is changed on it is written by `write`.
pub struct Held {
    pub group: Group,
    sight: Sight,
    /// As it is under the lock; `None` for who founds it, whom nobody asks.
    standing: Option<Standing>,
    viewer: Viewer,
    /// When this happens: never before the group was there.
    pub now: Instant,
    is_changed: bool,
}

/// A group after a change, and the sight of the one who made it.
pub struct Changed {
    pub group: Group,
    pub sight: Sight,
}

/// A membership after a change of it.
pub struct ChangedMember {
    pub changed: Changed,
    pub member: Member,
}

/// Locks a group, or says *not found* to strangers, who do not get to hold the row.
pub async fn hold(tx: &mut Tx, viewer: &Viewer, id: GroupId, now: Instant) -> Result<Held> {
    let missing = || Error::not_found("group");
    let ask = [(viewer.user_id, id)];
    if store::standings(tx, &ask).await?.is_empty() {
        return Err(missing());
    }
    let busy = tx.busy();
    if !store::lock(tx, id, busy).await? && busy == Busy::PassOver {
        return Err(tx.step_back(id.0));
    }
    // Looked at again by a statement of its own: it sees what was committed while the lock was waited for.
    let found = store::standings(tx, &ask).await?.pop().ok_or_else(missing)?;
    let Viewpoint { group, sight, standing, .. } = found;
    let group = Arc::unwrap_or_clone(group);
    let now = now.max(group.created_at);
    Ok(Held { group, sight, standing: Some(standing), viewer: *viewer, now, is_changed: false })
}

/// Locks the group of a membership; *not found* for strangers, and for a membership that another has followed. It may have
/// ended.
pub async fn hold_with_member(tx: &mut Tx, viewer: &Viewer, id: GroupMemberId, now: Instant) -> Result<(Held, Member)> {
    let missing = || Error::not_found("member");
    let found = store::members_by_ids(tx, &[id]).await?.pop().ok_or_else(missing)?;
    let held = hold(tx, viewer, found.group_id, now).await.map_err(|error| match error.code() {
        Code::NotFound => missing(),
        _ => error,
    })?;
    let member = store::members_of(tx, found.group_id, &[found.user_id]).await?.pop();
    Ok((held, member.filter(|member| member.id == id).ok_or_else(missing)?))
}

impl Held {
    /// A group that this very transaction has inserted.
    pub(super) fn founded(viewer: &Viewer, group: Group) -> Self {
        let (sight, now) = (Sight::of_standing(group.id), group.created_at);
        Self { group, sight, standing: None, viewer: *viewer, now, is_changed: false }
    }

    pub fn id(&self) -> GroupId {
        self.group.id
    }

    /// As its members are told of it.
    fn subject(&self) -> Subject {
        Subject::Group(self.group.id)
    }

    /// The viewer's role, if they are a member.
    pub fn role(&self) -> Option<MemberRole> {
        self.standing.and_then(|standing| standing.role)
    }

    /// Whether the viewer may do this, and why not.
    pub fn may(&self, action: Action) -> Verdict {
        self.standing.map_or(Verdict::Allowed, |standing| may(action, &standing))
    }

    /// The viewer's membership.
    pub async fn own_membership(&self, tx: &mut Tx) -> Result<Option<Member>> {
        let own = store::members_of(tx, self.group.id, &[self.viewer.user_id]).await?.pop();
        Ok(own.filter(Member::holds))
    }

    /// The one who owns it, if anybody does.
    pub async fn owner(&self, tx: &mut Tx) -> Result<Option<Member>> {
        Ok(store::owner(tx, self.group.id).await?)
    }

    /// Makes people members, each once, for the first time or again.
    pub async fn admit(&mut self, tx: &mut Tx, people: &[UserId], role: MemberRole) -> Result<Vec<Member>> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let new: Vec<NewMember> = people.iter().map(|&user_id| self.newcomer(user_id, role)).collect();
        self.group.member_count += people.len() as i32;
        self.is_changed = true;
        // Who shares a group sees each other's presence.
        tx.outbox().presences.extend(people);
        tx.outbox().marks.extend(people.iter().map(|user_id| (*user_id, Mark::Joined(self.subject()))));
        Ok(store::admit(tx, &new).await?)
    }

    fn newcomer(&self, user_id: UserId, role: MemberRole) -> NewMember {
        NewMember {
            group_id: self.group.id,
            user_id,
            id: GroupMemberId::at(self.now),
            role,
            joined_at: self.now,
            added_by_id: (user_id != self.viewer.user_id).then_some(self.viewer.user_id),
        }
    }

    /// Ends a membership. Of its channels nothing is done here.
    pub async fn dismiss(
        &mut self,
        tx: &mut Tx,
        member: &Member,
        departure: Departure,
        note: Option<String>,
    ) -> Result<()> {
        store::set_left(tx, member, departure, note, self.now).await?;
        self.group.member_count -= 1;
        self.is_changed = true;
        tx.outbox().presences.push(member.user_id);
        tx.outbox().marks.push((member.user_id, Mark::Left(self.subject())));
        Ok(())
    }

    /// Gives a member another role.
    pub async fn give_role(&mut self, tx: &mut Tx, member: &Member, role: MemberRole) -> Result<Member> {
        // Guests share less with others.
        tx.outbox().presences.push(member.user_id);
        tx.outbox().marks.push((member.user_id, Mark::Changed(self.subject())));
        Ok(store::set_role(tx, member, role).await?)
    }

    /// Tells people of what the viewer has just done to them.
    pub async fn tell(
        &self,
        app: &App,
        tx: &mut Tx,
        happening: Happening,
        role: Option<MemberRole>,
        people: &[UserId],
    ) -> Result<()> {
        let cause = Cause::in_group(happening, self.viewer.user_id, self.group.id, self.now);
        let cause = role.map_or(cause, |role| cause.with(role.name()));
        notifications::tell(app, tx, cause, people).await
    }

    /// Closes it or opens it again.
    pub fn set_archived(&mut self, archived_at: Option<Instant>) {
        self.group.archived_at = archived_at;
        self.is_changed = true;
    }

    /// Gives it other settings, as a new version.
    pub(super) fn set(&mut self, settings: Group) {
        self.group = Group { version: self.group.version + 1, updated_at: self.now, ..settings };
        self.is_changed = true;
    }

    pub fn unchanged(self) -> Changed {
        Changed { group: self.group, sight: self.sight }
    }

    /// Writes the row, if anything of it has changed. Violates `groups_slug_key` where somebody has the address.
    pub async fn write(self, tx: &mut Tx) -> Result<Changed> {
        if self.is_changed {
            store::save(tx, &self.group).await.on_constraint("groups_slug_key", super::taken)?;
            tx.outbox().changed.push(self.subject());
        }
        Ok(self.unchanged())
    }
}
