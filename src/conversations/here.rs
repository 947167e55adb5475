//! Standing in a conversation to change something: its row is locked until the transaction ends.

use std::sync::Arc;

use futures_util::try_join;
use serde::Serialize;

use super::events::{MEMBER_JOINED, MEMBER_LEFT, MEMBER_UPDATED, MemberJoined, MemberLeft, MemberUpdated};
use super::may::{Action, Standing, may};
use super::sight::Sight;
use super::store::{self, Viewpoint};
use super::{Conversation, Departure, Member, MemberRole, Reference, Verdict, Visibility};
use crate::app::App;
use crate::clock::Instant;
use crate::db::{Busy, Tx};
use crate::error::{Code, Error, Result};
use crate::groups;
use crate::id::{ConversationId, GroupId, MemberId, UserId};
use crate::log::{self, Kind, Writer};
use crate::notifications::{self, Cause, Happening};
use crate::realtime::{Mark, Subject};
use crate::viewer::Viewer;

/// A conversation whose row this transaction holds, with where the viewer stands in it. What is changed on it is
/// written by `write`, together with the events.
pub struct Here {
    pub conversation: Conversation,
    /// The viewer's seat, as it is under the lock; `None` for a reader of a public channel.
    pub seat: Option<Member>,
    sight: Sight,
    /// Where the viewer stands, as it is under the lock; `None` for who founds it, whom nobody asks.
    standing: Option<Standing>,
    viewer: Viewer,
    /// When this happens: never before the last message. What happened since may be a little later.
    pub now: Instant,
    log: Writer,
}

/// A conversation after a change, and the sight of the one who made it: what is shown of it needs no further look, which
/// could fail although the change is done.
pub struct Changed {
    pub conversation: Conversation,
    pub sight: Sight,
}

/// Locks a conversation, or says *not found* to strangers. The lock is a statement of its own: the next one then sees
/// all that was committed before, in particular that somebody was just removed.
pub async fn lock(tx: &mut Tx, viewer: &Viewer, reference: Reference, now: Instant) -> Result<Here> {
    let missing = || Error::not_found("conversation");
    let (busy, ask) = (tx.busy(), [(viewer.user_id, reference.id)]);
    // Strangers do not get to hold the row, or to feel that somebody does.
    if !store::lock_in_sight(tx, reference.id, viewer.user_id, busy).await? {
        let is_seen = busy == Busy::PassOver && !store::standings(tx, &ask).await?.is_empty();
        return Err(if is_seen { tx.step_back(reference.id.0) } else { missing() });
    }
    let (found, seat) = try_join!(store::standings(tx, &ask), store::seat(tx, reference.id, viewer.user_id))?;
    let found = found.into_iter().next().filter(|found| found.sight.reference() == reference).ok_or_else(missing)?;
    let Viewpoint { conversation, sight, standing, .. } = found;
    let conversation = Arc::unwrap_or_clone(conversation);
    Ok(Here {
        now: now.max(conversation.last_activity_at),
        log: Writer::after(conversation.id, conversation.last_seq),
        seat: seat.filter(Member::holds),
        standing: Some(standing),
        viewer: *viewer,
        conversation,
        sight,
    })
}

/// Locks the conversation of a membership; *not found* for strangers, and for a membership that another has followed.
/// It may have ended. Looked at again under the lock: they may just have left.
pub(super) async fn lock_with_member(
    tx: &mut Tx,
    viewer: &Viewer,
    id: MemberId,
    now: Instant,
) -> Result<(Here, Member)> {
    let missing = || Error::not_found("member");
    let (found, kind) = store::member_with_kind(tx, id).await?.ok_or_else(missing)?;
    let place = Reference { kind, id: found.conversation_id };
    let here = lock(tx, viewer, place, now).await.map_err(|error| match error.code() {
        Code::NotFound => missing(),
        _ => error,
    })?;
    let member = store::seat(tx, place.id, found.user_id).await?;
    let member = member.filter(|member| member.id == id).ok_or_else(missing)?;
    Ok((here, member))
}

impl Here {
    /// In a conversation that this very transaction has inserted: nobody else sees it, so nobody can have locked it.
    pub(super) async fn founded(tx: &mut Tx, viewer: &Viewer, id: ConversationId, now: Instant) -> Result<Self> {
        let inserted = store::by_ids(tx, &[id]).await?.pop();
        let conversation = inserted.ok_or_else(|| Error::internal("a row just inserted is gone"))?;
        Ok(Self {
            now,
            log: Writer::after(id, conversation.last_seq),
            seat: None,
            standing: None,
            viewer: *viewer,
            sight: Sight::of_founder(&conversation),
            conversation,
        })
    }

    /// Of somebody who is gone for good, whether or not they would still see it. Nobody asks what they may do.
    pub async fn in_absence(tx: &mut Tx, gone: UserId, id: ConversationId, now: Instant) -> Result<Self> {
        let conversation = store::lock_row(tx, id).await?.ok_or_else(|| Error::not_found("conversation"))?;
        let seat = store::seat(tx, id, gone).await?;
        Ok(Self {
            now: now.max(conversation.last_activity_at),
            log: Writer::after(id, conversation.last_seq),
            seat: seat.filter(Member::holds),
            standing: None,
            viewer: Viewer::absent(gone),
            sight: Sight::of_founder(&conversation),
            conversation,
        })
    }

    pub fn sight(&self) -> Sight {
        self.sight
    }

    pub fn viewer_id(&self) -> UserId {
        self.viewer.user_id
    }

    /// Whether the viewer may do this, and why not.
    pub fn may(&self, action: Action) -> Verdict {
        self.standing.map_or(Verdict::Allowed, |standing| may(action, &standing))
    }

    /// The group whose channel it is.
    pub(super) fn group(&self) -> Option<GroupId> {
        self.conversation.channel.as_ref().and_then(|channel| channel.group_id)
    }

    /// The role of a member that counts: in a group's channel the one in the group may be higher.
    pub(super) async fn role_of(&self, tx: &mut Tx, member: &Member) -> Result<MemberRole> {
        let in_group = match self.group() {
            Some(group) => groups::role_in(tx, group, member.user_id).await?,
            None => None,
        };
        Ok(member.role.or_higher(in_group))
    }

    /// Whether whoever has no seat sees it too.
    pub(super) fn is_public(&self) -> bool {
        self.conversation.channel.as_ref().is_some_and(|channel| channel.visibility == Visibility::Public)
    }

    /// Appends an event of the viewer's about a message; `None` for the message that the event itself brings.
    pub fn log_message(&mut self, kind: Kind, subject_seq: Option<i32>) -> Result<i32> {
        self.log.about_message(kind, self.viewer.user_id, subject_seq, self.now)
    }

    /// Appends an event of the viewer's about a message, with what its kind keeps.
    pub fn log_message_with(&mut self, kind: Kind, subject_seq: i32, payload: &impl Serialize) -> Result<i32> {
        self.log.about_message_with(kind, self.viewer.user_id, subject_seq, payload, self.now)
    }

    /// Appends another event of the viewer's.
    pub fn log(&mut self, kind: Kind, payload: &impl Serialize) -> Result<i32> {
        self.log.with(kind, Some(self.viewer.user_id), payload, self.now)
    }

    /// As it stands, with nothing to write.
    pub fn unchanged(self) -> Changed {
        Changed { conversation: self.conversation, sight: self.sight }
    }

    /// The position of the latest event, with those appended here.
    pub fn seq(&self) -> i32 {
        self.log.seq()
    }

    /// Seats somebody, for the first time or again, and says so in the log. Joining has read everything.
    pub async fn seat(&mut self, tx: &mut Tx, user_id: UserId, role: MemberRole) -> Result<()> {
        self.seat_all(tx, &[user_id], role).await.map(drop)
    }

    /// The same for several people, each once.
    pub async fn seat_all(&mut self, tx: &mut Tx, people: &[UserId], role: MemberRole) -> Result<Vec<Member>> {
        let mut seats = Vec::with_capacity(people.len());
        for &user_id in people {
            let new = store::NewMember::joining(&self.conversation, user_id, role, self.now, self.seq() + 1)
                .added_by((user_id != self.viewer.user_id).then_some(self.viewer.user_id));
            self.log(MEMBER_JOINED, &MemberJoined { member_id: new.id, user_id })?;
            self.conversation.member_count += 1;
            // Who shares a conversation sees each other's presence.
            tx.outbox().presences.push(user_id);
            tx.outbox().marks.push((user_id, Mark::Joined(Subject::Conversation(self.conversation.id))));
            seats.push(new);
        }
        match seats.is_empty() {
            true => Ok(Vec::new()),
            false => Ok(store::seat_all(tx, &seats).await?),
        }
    }

    /// Ends a membership, and says so in the log.
    pub async fn unseat(
        &mut self,
        tx: &mut Tx,
        member: &Member,
        departure: Departure,
        note: Option<String>,
    ) -> Result<()> {
        store::set_left(tx, member, departure, note, self.now).await?;
        notifications::withdraw_from(tx, member.user_id, &[self.conversation.id], self.now).await?;
        let event = MemberLeft { member_id: member.id, user_id: member.user_id, reason: departure };
        self.log(MEMBER_LEFT, &event)?;
        self.conversation.member_count -= 1;
        tx.outbox().presences.push(member.user_id);
        tx.outbox().marks.push((member.user_id, Mark::Left(Subject::Conversation(self.conversation.id))));
        Ok(())
    }

    /// Gives a member another role, and says so in the log.
    pub async fn give_role(&mut self, tx: &mut Tx, member: &Member, role: MemberRole) -> Result<Member> {
        let changed = store::set_role(tx, member, role).await?;
        let event = MemberUpdated { member_id: member.id, user_id: member.user_id, previous_role: member.role, role };
        self.log(MEMBER_UPDATED, &event)?;
        Ok(changed)
    }

    /// Tells people of what the viewer has just done to them, and logged.
    pub(super) async fn tell(
        &self,
        app: &App,
        tx: &mut Tx,
        happening: Happening,
        role: Option<MemberRole>,
        people: &[UserId],
    ) -> Result<()> {
        let (id, seq) = (self.conversation.id, self.seq());
        let cause = Cause::in_conversation(happening, self.viewer.user_id, id, seq, self.now);
        let cause = role.map_or(cause, |role| cause.with(role.name()));
        notifications::tell(app, tx, cause, people).await
    }

    /// Writes the row and the events; followers hear of them when the transaction is committed. Where nothing happened,
    /// nothing is written: each write of the row is a change to those who follow it.
    pub async fn write(mut self, tx: &mut Tx) -> Result<Changed> {
        if self.conversation.last_seq == self.log.seq() {
            return Ok(self.unchanged());
        }
        self.conversation.last_seq = self.log.seq();
        store::save(tx, std::slice::from_ref(&self.conversation)).await?;
        log::append(tx, self.log.take_events()).await?;
        Ok(self.unchanged())
    }
}
