//! Seats.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use super::super::{Departure, Kind, MemberRole, Reached, Reference};
use super::Conversation;
use crate::accounts::preferences::NotificationLevel;
use crate::clock::Instant;
use crate::db::{Conn, among, insert_many, update_many};
use crate::id::{ConversationId, MemberId, UserId};
use crate::recount::{Counter, Counters, Place};
use crate::schema::{conversation_members, conversations, users};

/// A seat.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conversation_members)]
pub struct Member {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub id: MemberId,
    pub role: MemberRole,
    pub rank: i16,
    pub joined_at: Instant,
    pub added_by_id: Option<UserId>,
    pub departure: Option<Departure>,
    pub last_read_seq: i32,
    pub last_read_no: i32,
    pub last_read_at: Option<Instant>,
    pub own_unread: i32,
    /// May be past: it is judged by the one who reads it.
    pub muted_until: Option<Instant>,
    pub is_favorite: bool,
    /// Number of the latest message when its holder hid the conversation.
    pub hidden_no: Option<i32>,
    /// For what its holder is notified; `None` for as their preferences say.
    pub notification_level: Option<NotificationLevel>,
}

impl Member {
    /// Whether the membership has not ended.
    pub fn holds(&self) -> bool {
        self.departure.is_none()
    }

    /// Whether its holder has hidden the conversation, whose latest message has this number: a later one shows it again.
    pub fn is_hidden(&self, last_msg_no: i32) -> bool {
        self.hidden_no.is_some_and(|hidden_no| hidden_no >= last_msg_no)
    }
}

/// How somebody wants to keep a conversation from now on: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = conversation_members)]
pub struct Keeping {
    pub notification_level: Option<Option<NotificationLevel>>,
    pub muted_until: Option<Option<Instant>>,
    pub is_favorite: Option<bool>,
    pub hidden_no: Option<Option<i32>>,
}

/// A membership that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Departed {
    pub reference: Reference,
    pub user_id: UserId,
    pub departure: Departure,
}

/// A seat to be, or to be again.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = conversation_members)]
pub struct NewMember {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub id: MemberId,
    pub role: MemberRole,
    pub joined_at: Instant,
    pub added_by_id: Option<UserId>,
    /// All threads are read up to there.
    pub joined_seq: i32,
    pub last_read_seq: i32,
    pub last_read_no: i32,
}

impl NewMember {
    /// Joining by the event at `seq`: everything is read.
    pub fn joining(
        conversation: &Conversation,
        user_id: UserId,
        role: MemberRole,
        joined_at: Instant,
        seq: i32,
    ) -> Self {
        Self {
            conversation_id: conversation.id,
            user_id,
            id: MemberId::at(joined_at),
            role,
            joined_at,
            added_by_id: None,
            joined_seq: seq,
            last_read_seq: seq,
            last_read_no: conversation.last_msg_no,
        }
    }

    pub fn added_by(self, added_by_id: Option<UserId>) -> Self {
        Self { added_by_id, ..self }
    }
}

/// Somebody's seat, held or not.
pub async fn seat(mut conn: &Conn, id: ConversationId, user: UserId) -> QueryResult<Option<Member>> {
    conversation_members::table.find((id, user)).select(Member::as_select()).first(&mut conn).await.optional()
}

/// The seats of these people that hold, or of whom they ended how.
pub async fn seats(conn: &mut Conn, id: ConversationId, users: &[UserId]) -> QueryResult<Vec<Member>> {
    conversation_members::table
        .filter(conversation_members::conversation_id.eq(id).and(conversation_members::user_id.eq_any(users)))
        .select(Member::as_select())
        .load(conn)
        .await
}

/// The members of direct conversations, which are few in each, as their lists have them.
pub async fn participants(conn: &mut Conn, ids: &[ConversationId]) -> QueryResult<Vec<Member>> {
    use conversation_members as m;
    m::table
        .filter(m::conversation_id.eq_any(ids).and(m::left_at.is_null()))
        .order((m::conversation_id, m::rank, m::joined_at, m::id))
        .select(Member::as_select())
        .load(conn)
        .await
}

/// Seats by their ids; those that ended too, until a rejoin gives them a new one.
pub async fn members_by_ids(conn: &mut Conn, ids: &[MemberId]) -> QueryResult<Vec<Member>> {
    conversation_members::table
        .filter(conversation_members::id.eq_any(ids))
        .select(Member::as_select())
        .load(conn)
        .await
}

/// A seat by its id, held or not, and the kind of its conversation.
pub async fn member_with_kind(conn: &mut Conn, id: MemberId) -> QueryResult<Option<(Member, Kind)>> {
    conversation_members::table
        .inner_join(conversations::table)
        .filter(conversation_members::id.eq(id))
        .select((Member::as_select(), conversations::kind))
        .first(conn)
        .await
        .optional()
}

/// Seats people, each once, whether or not they were here before; a rejoined seat is new but for its place in the table.
pub async fn seat_all(conn: &mut Conn, new: &[NewMember]) -> QueryResult<Vec<Member>> {
    use conversation_members as m;
    diesel::insert_into(m::table)
        .values(new)
        .on_conflict((m::conversation_id, m::user_id))
        .do_update()
        .set((
            m::id.eq(excluded(m::id)),
            m::role.eq(excluded(m::role)),
            m::joined_at.eq(excluded(m::joined_at)),
            m::added_by_id.eq(excluded(m::added_by_id)),
            m::left_at.eq(None::<Instant>),
            m::departure.eq(None::<Departure>),
            m::departure_note.eq(None::<String>),
            m::joined_seq.eq(excluded(m::joined_seq)),
            m::last_read_seq.eq(excluded(m::last_read_seq)),
            m::last_read_no.eq(excluded(m::last_read_no)),
            m::last_read_at.eq(None::<Instant>),
            m::own_unread.eq(0),
            m::notification_level.eq(None::<NotificationLevel>),
            m::muted_until.eq(None::<Instant>),
            m::is_favorite.eq(false),
            m::hidden_no.eq(None::<i32>),
        ))
        .returning(Member::as_returning())
        .get_results(conn)
        .await
}

pub async fn set_role(conn: &mut Conn, member: &Member, role: MemberRole) -> QueryResult<Member> {
    diesel::update(conversation_members::table.find((member.conversation_id, member.user_id)))
        .set(conversation_members::role.eq(role))
        .returning(Member::as_returning())
        .get_result(conn)
        .await
}

/// Of these seats, how those ended that have.
pub async fn departures(conn: &mut Conn, seats: &[(ConversationId, UserId)]) -> QueryResult<Vec<Departed>> {
    use conversation_members as m;
    let ended: Vec<(Kind, ConversationId, UserId, Departure)> = m::table
        .inner_join(conversations::table)
        .filter(among(m::conversation_id, m::user_id, seats))
        .filter(m::departure.is_not_null())
        .select((conversations::kind, m::conversation_id, m::user_id, m::departure.assume_not_null()))
        .load(conn)
        .await?;
    let departed = |(kind, id, user_id, departure)| Departed { reference: Reference { kind, id }, user_id, departure };
    Ok(ended.into_iter().map(departed).collect())
}

/// The seat of the one who owns a conversation, if anybody does.
pub async fn owner(conn: &mut Conn, id: ConversationId) -> QueryResult<Option<Member>> {
    use conversation_members as m;
    m::table
        .filter(m::conversation_id.eq(id).and(m::role.eq(MemberRole::Owner)).and(m::left_at.is_null()))
        .select(Member::as_select())
        .first(conn)
        .await
        .optional()
}

/// Who is next to own a conversation: the highest role and, of those, the longest there, of those who can sign in.
pub async fn heir(conn: &mut Conn, id: ConversationId) -> QueryResult<Option<Member>> {
    use conversation_members as m;
    m::table
        .inner_join(users::table)
        .filter(m::conversation_id.eq(id).and(m::left_at.is_null()))
        .filter(users::is_claimed.and(users::deleted_at.is_null()))
        .order((m::rank, m::joined_at, m::id))
        .select(Member::as_select())
        .first(conn)
        .await
        .optional()
}

/// Where somebody has ever had a seat, in the order of the conversations' ids, and whether it is theirs alone: what they
/// note for themselves.
pub async fn ever_in(
    conn: &mut Conn,
    user: UserId,
    after: Option<ConversationId>,
    limit: i64,
) -> QueryResult<Vec<(ConversationId, bool)>> {
    use conversation_members as m;
    let mut query = m::table
        .inner_join(conversations::table)
        .filter(m::user_id.eq(user))
        .order(m::conversation_id)
        .limit(limit)
        .select((
            m::conversation_id,
            m::left_at.is_null().and(conversations::kind.eq(Kind::Direct)).and(conversations::member_count.eq(1)),
        ))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(m::conversation_id.gt(after));
    }
    query.load(conn).await
}

pub async fn set_left(
    conn: &mut Conn,
    member: &Member,
    departure: Departure,
    note: Option<String>,
    now: Instant,
) -> QueryResult<()> {
    diesel::update(conversation_members::table.find((member.conversation_id, member.user_id)))
        .set((
            conversation_members::left_at.eq(now),
            conversation_members::departure.eq(departure),
            conversation_members::departure_note.eq(note),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Of these conversations, those in which somebody has a seat.
pub async fn seated_in(
    conn: &mut Conn,
    conversations: &[ConversationId],
    user: UserId,
) -> QueryResult<Vec<ConversationId>> {
    use conversation_members as m;
    m::table
        .filter(m::user_id.eq(user).and(m::conversation_id.eq_any(conversations)).and(m::left_at.is_null()))
        .select(m::conversation_id)
        .load(conn)
        .await
}

/// Ends all seats of somebody in these conversations that hold, and says which those were.
pub async fn set_all_left(
    conn: &mut Conn,
    conversations: &[ConversationId],
    user: UserId,
    departure: Departure,
    now: Instant,
) -> QueryResult<Vec<Member>> {
    use conversation_members as m;
    let held = m::table.filter(m::user_id.eq(user).and(m::conversation_id.eq_any(conversations)));
    // One by one, in the order in which everybody locks several seats of one person.
    let one_by_one = held.clone().order(m::conversation_id).select(m::id).for_no_key_update();
    one_by_one.load::<MemberId>(conn).await?;
    diesel::update(held.filter(m::left_at.is_null()))
        .set((m::left_at.eq(now), m::departure.eq(departure)))
        .returning(Member::as_returning())
        .get_results(conn)
        .await
}

/// Somebody's position at a message of their own.
#[derive(Clone, Debug)]
pub struct Position {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub last_read_seq: i32,
    pub last_read_no: i32,
    pub last_read_at: Option<Instant>,
}

update_many! {
    SavePositions(Position) of "conversation_members" {
        conversation_id: ConversationId as SqlUuid,
        user_id: UserId as SqlUuid,
    } {
        last_read_seq: i32 as Integer,
        last_read_no: i32 as Integer,
        last_read_at: Option<Instant> as Nullable<Timestamptz>,
    } also "own_unread = 0"
}

/// Moves positions to messages of their owners': who writes has read.
pub async fn read_by_writing(mut conn: &Conn, positions: &[Position]) -> QueryResult<()> {
    SavePositions::of(positions).execute(&mut conn).await.map(drop)
}

/// Counts the holder's own messages outside of threads between two positions in the log; to be finished by the latter.
/// Whoever holds a seat has sent theirs under a key, by whose index they are found: without one are those of an import,
/// as whose people nobody signs in.
const OWN_SINCE: &str = "(SELECT count(*) FROM messages AS own \
    WHERE own.conversation_id = conversation_members.conversation_id AND own.author_id = conversation_members.user_id \
    AND own.client_key IS NOT NULL AND own.thread_root_seq IS NULL AND own.seq > ";

/// Moves the position of a seat that holds, forward only; says whether it has moved. Of one's own messages behind a
/// position that was moved back, those are taken off that it passes: whatever it passes was committed before this
/// statement began, so it sees them also where it had to wait for the row.
pub async fn read_up_to(conn: &mut Conn, seat: MemberId, to: Reached, now: Instant) -> QueryResult<bool> {
    use conversation_members as m;
    let behind = m::table.filter(m::id.eq(seat).and(m::left_at.is_null()).and(m::last_read_seq.lt(to.seq)));
    let own_unread = diesel::dsl::sql::<Integer>("CASE WHEN own_unread = 0 THEN 0 ELSE own_unread - ")
        .sql(OWN_SINCE)
        .sql("conversation_members.last_read_seq AND own.seq <= ")
        .bind::<Integer, _>(to.seq)
        .sql(")::integer END");
    let position = (m::last_read_seq.eq(to.seq), m::last_read_no.eq(to.no), m::last_read_at.eq(now));
    let moved = diesel::update(behind).set((position, m::own_unread.eq(own_unread))).execute(conn).await?;
    Ok(moved > 0)
}

/// A seat that holds, locked.
pub async fn lock_seat(conn: &mut Conn, seat: MemberId) -> QueryResult<()> {
    use conversation_members as m;
    let held = m::table.filter(m::id.eq(seat).and(m::left_at.is_null())).select(m::id).for_no_key_update();
    held.first::<MemberId>(conn).await.optional().map(drop)
}

/// Moves the position of a locked seat, back only. When somebody read that far is not known any more, but that it was no
/// later than they read further.
pub async fn read_back_to(conn: &mut Conn, seat: MemberId, to: Reached) -> QueryResult<()> {
    use conversation_members as m;
    let beyond = m::table.filter(m::id.eq(seat).and(m::left_at.is_null()).and(m::last_read_seq.gt(to.seq)));
    let own_unread = diesel::dsl::sql::<Integer>("own_unread + ")
        .sql(OWN_SINCE)
        .bind::<Integer, _>(to.seq)
        .sql(" AND own.seq <= conversation_members.last_read_seq)::integer");
    let position = (m::last_read_seq.eq(to.seq), m::last_read_no.eq(to.no));
    diesel::update(beyond).set((position, m::own_unread.eq(own_unread))).execute(conn).await.map(drop)
}

/// Leaves a seat as it is: what somebody may do there has changed all the same.
pub async fn touch_seat(conn: &mut Conn, id: ConversationId, user: UserId) -> QueryResult<()> {
    use conversation_members as m;
    diesel::update(m::table.find((id, user))).set(m::own_unread.eq(m::own_unread)).execute(conn).await.map(drop)
}

/// Changes how a seat that holds is kept.
pub async fn keep(conn: &mut Conn, seat: MemberId, keeping: &Keeping) -> QueryResult<()> {
    use conversation_members as m;
    let held = m::table.filter(m::id.eq(seat).and(m::left_at.is_null()));
    diesel::update(held).set(keeping).execute(conn).await.map(drop)
}

/// Of the seats that a chronicle told of, how they ended up; with everything that a new one needs.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conversation_members)]
pub struct SeatRow {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub id: MemberId,
    pub role: MemberRole,
    pub joined_at: Instant,
    pub added_by_id: Option<UserId>,
    pub left_at: Option<Instant>,
    pub departure: Option<Departure>,
    pub departure_note: Option<String>,
    pub joined_seq: i32,
    pub last_read_seq: i32,
    pub last_read_no: i32,
    pub last_read_at: Option<Instant>,
    pub own_unread: i32,
}

insert_many! {
    SaveSeats(SeatRow) into "conversation_members" {
        conversation_id: ConversationId as SqlUuid,
        user_id: UserId as SqlUuid,
        id: MemberId as SqlUuid,
        role: MemberRole as Text,
        joined_at: Instant as Timestamptz,
        added_by_id: Option<UserId> as Nullable<SqlUuid>,
        left_at: Option<Instant> as Nullable<Timestamptz>,
        departure: Option<Departure> as Nullable<Text>,
        departure_note: Option<String> as Nullable<Text>,
        joined_seq: i32 as Integer,
        last_read_seq: i32 as Integer,
        last_read_no: i32 as Integer,
        last_read_at: Option<Instant> as Nullable<Timestamptz>,
        own_unread: i32 as Integer,
    } then " ON CONFLICT (conversation_id, user_id) DO UPDATE SET \
        id = excluded.id, role = excluded.role, joined_at = excluded.joined_at, \
        added_by_id = excluded.added_by_id, left_at = excluded.left_at, departure = excluded.departure, \
        departure_note = excluded.departure_note, joined_seq = excluded.joined_seq, \
        last_read_seq = excluded.last_read_seq, last_read_no = excluded.last_read_no, last_read_at = excluded.last_read_at, own_unread = excluded.own_unread, \
        notification_level = CASE WHEN conversation_members.id = excluded.id THEN conversation_members.notification_level END, \
        muted_until = CASE WHEN conversation_members.id = excluded.id THEN conversation_members.muted_until END, \
        is_favorite = conversation_members.id = excluded.id AND conversation_members.is_favorite, \
        hidden_no = CASE WHEN conversation_members.id = excluded.id THEN conversation_members.hidden_no END"
}

/// Seats as they are now, new ones and others, whole.
pub async fn save_seats(conn: &mut Conn, seats: &[SeatRow]) -> QueryResult<()> {
    SaveSeats::of(seats).execute(conn).await.map(drop)
}

/// The seats of these people, held or not, whole.
pub async fn seat_rows(conn: &mut Conn, id: ConversationId, users: &[UserId]) -> QueryResult<Vec<SeatRow>> {
    conversation_members::table
        .filter(conversation_members::conversation_id.eq(id).and(conversation_members::user_id.eq_any(users)))
        .select(SeatRow::as_select())
        .load(conn)
        .await
}

/// Counters of members of conversations.
pub struct MemberCount;

impl Counter for MemberCount {
    const KIND: &'static str = "recount.conversation_members";

    fn counters(after: &Place) -> Counters {
        Counters::new(
            "SELECT c.id, 0, '', c.member_count::bigint, (SELECT count(*) FROM conversation_members AS m \
             WHERE m.conversation_id = c.id AND m.left_at IS NULL) FROM conversations AS c WHERE c.id > ",
        )
        .value::<SqlUuid, _>(after.0)
        .sql(" ORDER BY c.id LIMIT ")
    }
}
