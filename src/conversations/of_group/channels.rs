//! All channels of a group, held.

use std::collections::HashSet;

use crate::clock::Instant;
use crate::conversations::events::{
    CONVERSATION_ARCHIVED, CONVERSATION_UNARCHIVED, MEMBER_LEFT, MemberLeft, Nothing, SIGHT_LOST, SightLost,
};
use crate::conversations::gathering::{Room, changed};
use crate::conversations::places::Line;
use crate::conversations::{Departure, store};
use crate::db::Tx;
use crate::error::Result;
use crate::groups::Held;
use crate::id::{ConversationId, UserId};
use crate::log::{self, Kind};
use crate::notifications;
use crate::realtime::{Mark, Subject};
use crate::viewer::Viewer;

/// The channels of a group that this transaction holds, and whose rows it holds too. What happens in them is written by
/// `write`.
pub(super) struct Channels {
    rooms: Vec<Room>,
    line: Line,
    now: Instant,
    actor: UserId,
}

impl Channels {
    /// Locks them in a statement of its own: the next one sees what was committed before.
    pub async fn hold(tx: &mut Tx, viewer: &Viewer, held: &Held) -> Result<Self> {
        let ids = store::lock_of_group(tx, held.id()).await?;
        let rooms = store::by_ids(tx, &ids).await?;
        let rooms = rooms.iter().map(|conversation| Room::of(conversation, held.now)).collect();
        Ok(Self { rooms, line: Line::of(held), now: held.now, actor: viewer.user_id })
    }

    /// Ends all that somebody had here: their seats, and what they saw without one.
    pub async fn dismiss(&mut self, tx: &mut Tx, user: UserId, departure: Departure) -> Result<()> {
        let seats = store::set_all_left(tx, &self.ids(), user, departure, self.now).await?;
        notifications::withdraw_from(tx, user, &self.ids(), self.now).await?;
        for seat in &seats {
            let Some(room) = self.rooms.iter_mut().find(|room| room.conversation.id == seat.conversation_id) else {
                continue;
            };
            room.conversation.member_count -= 1;
            let event = MemberLeft { member_id: seat.id, user_id: user, reason: departure };
            room.log(MEMBER_LEFT, self.actor, &event)?;
            tx.outbox().presences.push(user);
            tx.outbox().marks.push((user, Mark::Left(Subject::Conversation(seat.conversation_id))));
        }
        self.close_to(tx, user, &seats.iter().map(|seat| seat.conversation_id).collect()).await
    }

    /// Somebody's role in the group counts in these too: they hear of each that they have a seat in.
    pub async fn tell_of_role(&self, tx: &mut Tx, user: UserId) -> Result<()> {
        let seated = store::seated_in(tx, &self.ids(), user).await?;
        let marks = seated.into_iter().map(|id| (user, Mark::Changed(Subject::Conversation(id))));
        tx.outbox().marks.extend(marks);
        Ok(())
    }

    /// Leaves somebody what they have a seat in, and nothing else.
    pub async fn confine(&mut self, tx: &mut Tx, user: UserId) -> Result<()> {
        let seated = store::seated_in(tx, &self.ids(), user).await?;
        self.close_to(tx, user, &seated.into_iter().collect()).await
    }

    /// Ends the streams of somebody who has read public channels without a seat.
    async fn close_to(&mut self, tx: &mut Tx, user_id: UserId, seated: &HashSet<ConversationId>) -> Result<()> {
        let Some(group) = self.line.group_id() else { return Ok(()) };
        let read: HashSet<_> = store::delete_readers(tx, user_id, group, &self.ids()).await?.into_iter().collect();
        for room in self.rooms.iter_mut() {
            let id = room.conversation.id;
            if !read.contains(&id) || seated.contains(&id) {
                continue;
            }
            room.log(SIGHT_LOST, self.actor, &SightLost { user_id })?;
        }
        Ok(())
    }

    /// Closes those that are open.
    pub async fn archive(&mut self, tx: &mut Tx) -> Result<()> {
        self.set_archived(tx, CONVERSATION_ARCHIVED, true, |room| room.conversation.archived_at.is_none()).await
    }

    /// Opens those that were closed with the group.
    pub async fn unarchive(&mut self, tx: &mut Tx) -> Result<()> {
        let was_closed = |room: &Room| room.conversation.channel.as_ref().is_some_and(|c| c.archived_with_group);
        self.set_archived(tx, CONVERSATION_UNARCHIVED, false, was_closed).await
    }

    async fn set_archived(
        &mut self,
        tx: &mut Tx,
        event: Kind,
        is_archived: bool,
        concerns: impl Fn(&Room) -> bool + Send,
    ) -> Result<()> {
        let mut ids = Vec::new();
        for room in self.rooms.iter_mut().filter(|room| concerns(room)) {
            room.conversation.archived_at = is_archived.then_some(room.now);
            room.log(event, self.actor, &Nothing {})?;
            ids.push(room.conversation.id);
        }
        store::set_archived_with_group(tx, &ids, is_archived).await?;
        self.line.tell(tx, self.now).await
    }

    fn ids(&self) -> Vec<ConversationId> {
        self.rooms.iter().map(|room| room.conversation.id).collect()
    }

    /// Writes the rows and the events; followers hear of them when the transaction is committed.
    pub async fn write(self, tx: &mut Tx) -> Result<()> {
        let (changed, events) = changed(self.rooms.into_iter());
        if changed.is_empty() {
            return Ok(());
        }
        store::save(tx, &changed).await?;
        log::append(tx, events).await
    }
}
