//! Many people who come, write and go, all at once, as somebody tells it who was there: an import. Nobody asks for it,
//! so nobody's rights are judged; all else is as if each had done it here.

use std::collections::HashMap;

use super::events::{MEMBER_JOINED, MEMBER_LEFT, MemberJoined, MemberLeft};
use super::places::Line;
use super::store::{self, SeatRow};
use super::{Channel, Conversation, Departure, MemberRole, NewChannel, Visibility, create};
use crate::clock::Instant;
use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::groups::{made_address, taken};
use crate::id::{ConversationId, MemberId, UserId};
use crate::log::{self, Kind, Writer};
use crate::realtime::{Mark, Subject};

/// A conversation whose row this transaction holds, to be told what happened in it. Nothing is written before `write`,
/// and then only the outcome: one row a person, one for the conversation.
pub struct Chronicle {
    conversation: Conversation,
    log: Writer,
    /// When the latest event happened: no later one is told to be before it.
    last: Instant,
    seats: HashMap<UserId, Seat>,
    /// Who came and who went.
    moves: Vec<(UserId, Mark)>,
}

struct Seat {
    row: SeatRow,
    is_changed: bool,
}

/// Where a message has its place.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub seq: i32,
    /// Its number; `None` in a thread.
    pub no: Option<i32>,
    pub at: Instant,
}

impl Chronicle {
    /// Founds a public channel that everyone may write in, owned by `owner` if there is anybody. CONFLICT where all
    /// addresses made from its name are taken.
    pub async fn found(tx: &mut Tx, name: &str, owner: Option<UserId>, at: Instant) -> Result<ConversationId> {
        let id = ConversationId::at(at);
        let slug = create::free_slug(tx, None, &made_address(name, "channel")).await?;
        let line = Line::of_server(tx).await?;
        let position = line.end(tx, None).await?;
        let channel = Channel {
            name: name.to_owned(),
            slug: Some(slug),
            topic: None,
            visibility: Visibility::Public,
            posting_role: MemberRole::Guest,
            group_id: None,
            category_id: None,
            position,
            archived_with_group: false,
        };
        let new = NewChannel { id, channel, created_by_id: owner, created_at: at };
        store::insert_channel(tx, &new).await.on_constraint(create::SLUG_KEY, taken)?;
        if let Some(owner) = owner {
            let mut chronicle = Self::open(tx, id, &[owner]).await?;
            chronicle.seat(owner, MemberRole::Owner, at)?;
            chronicle.write(tx).await?;
        }
        line.tell(tx, at).await?;
        Ok(id)
    }

    /// Locks a conversation in which nobody but `people` will do anything. The lock is a statement of its own.
    pub async fn open(tx: &mut Tx, id: ConversationId, people: &[UserId]) -> Result<Self> {
        let conversation = store::lock_row(tx, id).await?.ok_or_else(|| Error::not_found("conversation"))?;
        if conversation.archived_at.is_some() {
            return Err(Error::new(Code::Archived, "This conversation is archived"));
        }
        let latest = store::latest_event_at(tx, id, conversation.last_seq).await?;
        let seats = store::seat_rows(tx, id, people).await?;
        Ok(Self {
            log: Writer::after(id, conversation.last_seq),
            last: latest.map_or(conversation.last_activity_at, |at| at.max(conversation.last_activity_at)),
            seats: seats.into_iter().map(|row| (row.user_id, Seat { row, is_changed: false })).collect(),
            moves: Vec::new(),
            conversation,
        })
    }

    pub fn id(&self) -> ConversationId {
        self.conversation.id
    }

    /// Somebody joins. Whoever is a member stays one, and whoever was banned stays away.
    pub fn join(&mut self, user_id: UserId, at: Instant) -> Result<()> {
        match self.seats.get(&user_id).map(|seat| seat.row.departure) {
            Some(None | Some(Departure::Banned)) => Ok(()),
            Some(Some(_)) | None => self.seat(user_id, MemberRole::Member, at),
        }
    }

    /// Somebody leaves; `false` for whoever is no member.
    pub fn leave(&mut self, user_id: UserId, at: Instant) -> Result<bool> {
        let at = self.not_before(at);
        let Some(seat) = self.seats.get_mut(&user_id).filter(|seat| seat.row.departure.is_none()) else {
            return Ok(false);
        };
        seat.row.left_at = Some(at);
        seat.row.departure = Some(Departure::Left);
        seat.is_changed = true;
        let event = MemberLeft { member_id: seat.row.id, user_id, reason: Departure::Left };
        self.log.with(MEMBER_LEFT, Some(user_id), &event, at)?;
        self.moves.push((user_id, Mark::Left(Subject::Conversation(self.conversation.id))));
        self.conversation.member_count -= 1;
        Ok(true)
    }

    /// Somebody, who joins with it if need be, writes a message that is an event of this kind. Outside of threads it is
    /// the conversation's last message, has the next number, and its author has read up to it.
    pub fn write_message(&mut self, kind: Kind, author: UserId, is_in_thread: bool, at: Instant) -> Result<Written> {
        self.join(author, at)?;
        let at = self.not_before(at);
        let seq = self.log.about_message(kind, author, None, at)?;
        let conversation = &mut self.conversation;
        conversation.last_activity_at = at;
        if is_in_thread {
            return Ok(Written { seq, no: None, at });
        }
        conversation.last_msg_no += 1;
        conversation.last_message_seq = Some(seq);
        let no = conversation.last_msg_no;
        if let Some(seat) = self.seats.get_mut(&author).filter(|seat| seat.row.departure.is_none()) {
            seat.row.last_read_seq = seq;
            seat.row.last_read_no = no;
            seat.row.last_read_at = Some(at);
            seat.row.own_unread = 0;
            seat.is_changed = true;
        }
        Ok(Written { seq, no: Some(no), at })
    }

    /// Writes the row, the seats and the events; followers hear of them when the transaction is committed.
    pub async fn write(mut self, tx: &mut Tx) -> Result<()> {
        self.conversation.last_seq = self.log.seq();
        let changed: Vec<SeatRow> =
            self.seats.into_values().filter(|seat| seat.is_changed).map(|seat| seat.row).collect();
        store::save_seats(tx, &changed).await?;
        store::save(tx, std::slice::from_ref(&self.conversation)).await?;
        tx.outbox().marks.append(&mut self.moves);
        log::append(tx, self.log.take_events()).await
    }

    /// Seats somebody, for the first time or again. Joining has read everything.
    fn seat(&mut self, user_id: UserId, role: MemberRole, at: Instant) -> Result<()> {
        let at = self.not_before(at);
        let member_id = MemberId::at(at);
        let seq = self.log.with(MEMBER_JOINED, Some(user_id), &MemberJoined { member_id, user_id }, at)?;
        let row = SeatRow {
            conversation_id: self.conversation.id,
            user_id,
            id: member_id,
            role,
            joined_at: at,
            added_by_id: None,
            left_at: None,
            departure: None,
            departure_note: None,
            joined_seq: seq,
            last_read_seq: seq,
            last_read_no: self.conversation.last_msg_no,
            last_read_at: None,
            own_unread: 0,
        };
        self.seats.insert(user_id, Seat { row, is_changed: true });
        self.moves.push((user_id, Mark::Joined(Subject::Conversation(self.conversation.id))));
        self.conversation.member_count += 1;
        Ok(())
    }

    fn not_before(&mut self, at: Instant) -> Instant {
        self.last = self.last.max(at);
        self.last
    }
}
