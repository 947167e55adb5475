//! Conversations, channels and seats.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use super::may::Standing;
use super::pages::{ChannelCursor, ChannelFilter, MemberCursor};
use super::sight::{Place, Sight, judge};
use super::{Departure, Kind, MemberRole, Position, Visibility};
use crate::clock::Instant;
use crate::db::{Conn, insert_many};
use crate::id::{ConversationId, MemberId, UserId};
use crate::page::{Direction, Window};
use crate::schema::{channels, conversation_events, conversation_members, conversations, creation_keys, users};
use crate::users::ServerRole;

define_sql_function!(fn lower(text: Text) -> Text);

/// A conversation, with its channel if it is one.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conversations)]
pub struct Conversation {
    pub id: ConversationId,
    pub kind: Kind,
    /// Position of the latest event.
    pub last_seq: i32,
    /// Number of the latest message outside of threads.
    pub last_msg_no: i32,
    /// The newest message outside of threads that is not deleted.
    pub last_message_seq: Option<i32>,
    pub last_activity_at: Instant,
    pub member_count: i32,
    pub version: i32,
    pub created_by_id: Option<UserId>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub archived_at: Option<Instant>,
    #[diesel(embed)]
    pub channel: Option<Channel>,
}

/// Name and settings of a channel.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = channels)]
pub struct Channel {
    pub name: String,
    pub slug: Option<String>,
    pub topic: Option<String>,
    pub visibility: Visibility,
    pub posting_role: MemberRole,
}

/// A channel to be.
#[derive(Clone, Debug)]
pub struct NewChannel {
    pub id: ConversationId,
    pub channel: Channel,
    pub created_by_id: Option<UserId>,
    pub created_at: Instant,
}

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
    pub muted_until: Option<Option<Instant>>,
    pub is_favorite: Option<bool>,
    pub hidden_no: Option<Option<i32>>,
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
            last_read_seq: seq,
            last_read_no: conversation.last_msg_no,
        }
    }

    pub fn added_by(self, added_by_id: Option<UserId>) -> Self {
        Self { added_by_id, ..self }
    }
}

/// The row that orders all that happens in the conversation, locked. Not `FOR UPDATE`: foreign keys may still look.
pub async fn lock_row(conn: &mut Conn, id: ConversationId) -> QueryResult<Option<Conversation>> {
    let locked: Option<ConversationId> =
        conversations::table.find(id).select(conversations::id).for_no_key_update().first(conn).await.optional()?;
    read_locked(conn, locked).await
}

/// The same for somebody who sees it; nobody else waits for the lock or holds it. Where they stand is to be judged again
/// under the lock.
pub(super) async fn lock_in_sight(
    conn: &mut Conn,
    id: ConversationId,
    user: UserId,
) -> QueryResult<Option<Conversation>> {
    use conversation_members as m;
    let seat = m::table.filter(m::conversation_id.eq(id).and(m::user_id.eq(user)));
    let holds = diesel::dsl::exists(seat.filter(m::left_at.is_null()));
    let is_banned = diesel::dsl::exists(seat.filter(m::departure.eq(Departure::Banned)));
    let is_public =
        channels::table.filter(channels::conversation_id.eq(id).and(channels::visibility.eq(Visibility::Public)));
    let locked: Option<ConversationId> = conversations::table
        .find(id)
        .filter(holds.or(diesel::dsl::exists(is_public).and(diesel::dsl::not(is_banned))))
        .select(conversations::id)
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?;
    read_locked(conn, locked).await
}

async fn read_locked(conn: &mut Conn, locked: Option<ConversationId>) -> QueryResult<Option<Conversation>> {
    match locked {
        // Read by the next statement: it sees what was committed while this one waited.
        Some(id) => Ok(by_ids(conn, &[id]).await?.pop()),
        None => Ok(None),
    }
}

pub(super) async fn by_ids(conn: &mut Conn, ids: &[ConversationId]) -> QueryResult<Vec<Conversation>> {
    conversations::table
        .left_join(channels::table)
        .filter(conversations::id.eq_any(ids))
        .select(Conversation::as_select())
        .load(conn)
        .await
}

/// Where one of these people stands in one of these conversations, if they see it.
#[derive(Queryable)]
struct StandingRow {
    kind: Kind,
    id: ConversationId,
    last_seq: i32,
    archived_at: Option<Instant>,
    channel: Option<(Visibility, MemberRole)>,
    seat: Option<(MemberId, MemberRole, Option<Departure>)>,
    server_role: ServerRole,
    has_owner: bool,
}

impl StandingRow {
    fn judge(self) -> Option<(Sight, Standing)> {
        let sight = judge(&Place {
            kind: self.kind,
            id: self.id,
            last_seq: self.last_seq,
            visibility: self.channel.map(|(visibility, _)| visibility),
            seat: self.seat.map(|(id, _, departure)| (id, departure)),
        })?;
        let standing = Standing {
            kind: self.kind,
            visibility: self.channel.map_or(Visibility::Private, |(visibility, _)| visibility),
            posting_role: self.channel.map_or(MemberRole::Guest, |(_, posting_role)| posting_role),
            is_archived: self.archived_at.is_some(),
            has_owner: self.has_owner,
            seat_role: self.seat.filter(|(_, _, departure)| departure.is_none()).map(|(_, role, _)| role),
            group_role: None,
            server_role: self.server_role,
            sanction: None,
            is_blocked: false,
        };
        Some((sight, standing))
    }
}

/// Whoever of these people sees which of these conversations, and where they stand there.
pub(super) async fn standings(
    conn: &mut Conn,
    people: &[UserId],
    ids: &[ConversationId],
) -> QueryResult<Vec<(UserId, Sight, Standing)>> {
    use conversation_members as m;
    let owner = diesel::alias!(conversation_members as owner);
    let owns = owner
        .filter(owner.field(m::conversation_id).eq(conversations::id))
        .filter(owner.field(m::role).eq(MemberRole::Owner).and(owner.field(m::left_at).is_null()));
    let mut standings = Vec::new();
    for &person in people {
        let rows: Vec<StandingRow> = conversations::table
            .left_join(channels::table)
            .left_join(m::table.on(m::conversation_id.eq(conversations::id).and(m::user_id.eq(person))))
            .inner_join(users::table.on(users::id.eq(person)))
            .filter(conversations::id.eq_any(ids))
            .select((
                conversations::kind,
                conversations::id,
                conversations::last_seq,
                conversations::archived_at,
                (channels::visibility, channels::posting_role).nullable(),
                (m::id, m::role, m::departure).nullable(),
                users::role,
                diesel::dsl::exists(owns),
            ))
            .load(conn)
            .await?;
        let seen = rows.into_iter().filter_map(StandingRow::judge);
        standings.extend(seen.map(|(sight, standing)| (person, sight, standing)));
    }
    Ok(standings)
}

pub(super) async fn kind(conn: &mut Conn, id: ConversationId) -> QueryResult<Kind> {
    conversations::table.find(id).select(conversations::kind).first(conn).await
}

/// Somebody's seat, held or not.
pub(super) async fn seat(conn: &mut Conn, id: ConversationId, user: UserId) -> QueryResult<Option<Member>> {
    conversation_members::table.find((id, user)).select(Member::as_select()).first(conn).await.optional()
}

/// The seats of these people that hold, or of whom they ended how.
pub(super) async fn seats(conn: &mut Conn, id: ConversationId, users: &[UserId]) -> QueryResult<Vec<Member>> {
    conversation_members::table
        .filter(conversation_members::conversation_id.eq(id).and(conversation_members::user_id.eq_any(users)))
        .select(Member::as_select())
        .load(conn)
        .await
}

/// Seats by their ids; those that ended too, until a rejoin gives them a new one.
pub(super) async fn members_by_ids(conn: &mut Conn, ids: &[MemberId]) -> QueryResult<Vec<Member>> {
    conversation_members::table
        .filter(conversation_members::id.eq_any(ids))
        .select(Member::as_select())
        .load(conn)
        .await
}

pub async fn insert_channel(conn: &mut Conn, new: &NewChannel) -> QueryResult<()> {
    let conversation = (
        conversations::id.eq(new.id),
        conversations::kind.eq(Kind::Channel),
        conversations::version.eq(1),
        conversations::created_by_id.eq(new.created_by_id),
        conversations::created_at.eq(new.created_at),
        conversations::updated_at.eq(new.created_at),
        conversations::last_activity_at.eq(new.created_at),
    );
    diesel::insert_into(conversations::table).values(conversation).execute(conn).await?;
    let channel = (
        channels::conversation_id.eq(new.id),
        channels::name.eq(&new.channel.name),
        channels::slug.eq(&new.channel.slug),
        channels::topic.eq(&new.channel.topic),
        channels::visibility.eq(new.channel.visibility),
        channels::posting_role.eq(new.channel.posting_role),
    );
    diesel::insert_into(channels::table).values(channel).execute(conn).await.map(drop)
}

/// Of these addresses, those that are taken.
pub(super) async fn taken_slugs(conn: &mut Conn, slugs: &[String]) -> QueryResult<Vec<Option<String>>> {
    channels::table.filter(channels::slug.eq_any(slugs)).select(channels::slug).load(conn).await
}

pub(super) async fn by_slug(conn: &mut Conn, slug: &str) -> QueryResult<Option<ConversationId>> {
    channels::table.filter(channels::slug.eq(slug)).select(channels::conversation_id).first(conn).await.optional()
}

/// What a creation with this key made, and of which input.
pub(super) async fn created_with(
    conn: &mut Conn,
    user: UserId,
    mutation: &str,
    key: &str,
) -> QueryResult<Option<(ConversationId, Vec<u8>)>> {
    creation_keys::table
        .find((user, mutation, key))
        .select((creation_keys::created_id, creation_keys::input_digest))
        .first(conn)
        .await
        .optional()
}

/// Takes a key for a creation; violates `creation_keys_pkey` where another call was faster.
pub(super) async fn keep_creation_key(
    conn: &mut Conn,
    user: UserId,
    mutation: &str,
    key: &str,
    digest: &[u8],
    id: ConversationId,
) -> QueryResult<()> {
    let row = (
        creation_keys::user_id.eq(user),
        creation_keys::mutation.eq(mutation),
        creation_keys::client_key.eq(key),
        creation_keys::input_digest.eq(digest),
        creation_keys::created_id.eq(id),
    );
    diesel::insert_into(creation_keys::table).values(row).execute(conn).await.map(drop)
}

/// Of the seats that a chronicle told of, how they ended up; with everything that a new one needs.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conversation_members)]
pub(super) struct SeatRow {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub id: MemberId,
    pub role: MemberRole,
    pub joined_at: Instant,
    pub added_by_id: Option<UserId>,
    pub left_at: Option<Instant>,
    pub departure: Option<Departure>,
    pub departure_note: Option<String>,
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
        last_read_seq: i32 as Integer,
        last_read_no: i32 as Integer,
        last_read_at: Option<Instant> as Nullable<Timestamptz>,
        own_unread: i32 as Integer,
    } then " ON CONFLICT (conversation_id, user_id) DO UPDATE SET \
        id = excluded.id, role = excluded.role, joined_at = excluded.joined_at, \
        added_by_id = excluded.added_by_id, left_at = excluded.left_at, departure = excluded.departure, \
        departure_note = excluded.departure_note, last_read_seq = excluded.last_read_seq, \
        last_read_no = excluded.last_read_no, last_read_at = excluded.last_read_at, own_unread = excluded.own_unread, \
        muted_until = CASE WHEN conversation_members.id = excluded.id THEN conversation_members.muted_until END, \
        is_favorite = conversation_members.id = excluded.id AND conversation_members.is_favorite, \
        hidden_no = CASE WHEN conversation_members.id = excluded.id THEN conversation_members.hidden_no END"
}

/// Seats as they are now, new ones and others, whole.
pub(super) async fn save_seats(conn: &mut Conn, seats: &[SeatRow]) -> QueryResult<()> {
    SaveSeats::of(seats).execute(conn).await.map(drop)
}

/// The seats of these people, held or not, whole.
pub(super) async fn seat_rows(conn: &mut Conn, id: ConversationId, users: &[UserId]) -> QueryResult<Vec<SeatRow>> {
    conversation_members::table
        .filter(conversation_members::conversation_id.eq(id).and(conversation_members::user_id.eq_any(users)))
        .select(SeatRow::as_select())
        .load(conn)
        .await
}

/// When the event at this position happened.
pub(super) async fn latest_event_at(conn: &mut Conn, id: ConversationId, seq: i32) -> QueryResult<Option<Instant>> {
    conversation_events::table.find((id, seq)).select(conversation_events::occurred_at).first(conn).await.optional()
}

/// Seats somebody, whether or not they were here before; a rejoined seat is new but for its place in the table.
pub(super) async fn seat_again(conn: &mut Conn, new: &NewMember) -> QueryResult<Member> {
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
            m::last_read_seq.eq(excluded(m::last_read_seq)),
            m::last_read_no.eq(excluded(m::last_read_no)),
            m::last_read_at.eq(None::<Instant>),
            m::own_unread.eq(0),
            m::muted_until.eq(None::<Instant>),
            m::is_favorite.eq(false),
            m::hidden_no.eq(None::<i32>),
        ))
        .returning(Member::as_returning())
        .get_result(conn)
        .await
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

/// Moves somebody's position to a message of their own: who writes has read.
pub async fn read_by_writing(
    conn: &mut Conn,
    id: ConversationId,
    user: UserId,
    seq: i32,
    no: i32,
    now: Instant,
) -> QueryResult<()> {
    diesel::update(conversation_members::table.find((id, user)))
        .set((
            conversation_members::last_read_seq.eq(seq),
            conversation_members::last_read_no.eq(no),
            conversation_members::last_read_at.eq(now),
            conversation_members::own_unread.eq(0),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Moves the position of a seat that holds, forward only; says whether it has moved.
pub(super) async fn read_up_to(conn: &mut Conn, seat: MemberId, to: Position, now: Instant) -> QueryResult<bool> {
    use conversation_members as m;
    let behind = m::table.filter(m::id.eq(seat).and(m::left_at.is_null()).and(m::last_read_seq.lt(to.seq)));
    let moved = diesel::update(behind)
        .set((m::last_read_seq.eq(to.seq), m::last_read_no.eq(to.no), m::last_read_at.eq(now), m::own_unread.eq(0)))
        .execute(conn)
        .await?;
    Ok(moved > 0)
}

/// Changes how a seat that holds is kept.
pub(super) async fn keep(conn: &mut Conn, seat: MemberId, keeping: &Keeping) -> QueryResult<()> {
    use conversation_members as m;
    let held = m::table.filter(m::id.eq(seat).and(m::left_at.is_null()));
    diesel::update(held).set(keeping).execute(conn).await.map(drop)
}

/// The counters of a locked row. diesel caches no UPDATE, and this one runs with every change of a conversation.
pub async fn save_head(conn: &mut Conn, conversation: &Conversation) -> QueryResult<()> {
    SaveHead(conversation).execute(conn).await.map(drop)
}

struct SaveHead<'a>(&'a Conversation);

impl QueryId for SaveHead<'_> {
    type QueryId = SaveHead<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for SaveHead<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let row = self.0;
        out.push_sql("UPDATE conversations SET last_seq = ");
        out.push_bind_param::<Integer, _>(&row.last_seq)?;
        out.push_sql(", last_msg_no = ");
        out.push_bind_param::<Integer, _>(&row.last_msg_no)?;
        out.push_sql(", last_message_seq = ");
        out.push_bind_param::<Nullable<Integer>, _>(&row.last_message_seq)?;
        out.push_sql(", last_activity_at = ");
        out.push_bind_param::<Timestamptz, _>(&row.last_activity_at)?;
        out.push_sql(", member_count = ");
        out.push_bind_param::<Integer, _>(&row.member_count)?;
        out.push_sql(", changed_xid = pg_current_xact_id() WHERE id = ");
        out.push_bind_param::<SqlUuid, _>(&row.id)
    }
}

impl<Connection> diesel::RunQueryDsl<Connection> for SaveHead<'_> {}

/// A page of members that hold their seats: by role, then by when they joined.
pub(super) async fn members(
    conn: &mut Conn,
    id: ConversationId,
    window: &Window<MemberCursor>,
) -> QueryResult<Vec<Member>> {
    use conversation_members as m;
    let mut query = m::table
        .filter(m::conversation_id.eq(id).and(m::left_at.is_null()))
        .select(Member::as_select())
        .limit(window.fetch())
        .into_boxed();
    if let Some(after) = &window.after {
        query = query.filter(Beyond { operator: " > ", place: after.values() });
    }
    if let Some(before) = &window.before {
        query = query.filter(Beyond { operator: " < ", place: before.values() });
    }
    query = match window.direction {
        Direction::Forward => query.order((m::rank.asc(), m::joined_at.asc(), m::id.asc())),
        Direction::Backward => query.order((m::rank.desc(), m::joined_at.desc(), m::id.desc())),
    };
    query.load(conn).await
}

/// Compares a member with a place in their list as one row, which diesel cannot say; said column by column, PostgreSQL
/// would read all of a rank from its beginning.
struct Beyond {
    operator: &'static str,
    place: (i16, Instant, MemberId),
}

impl Expression for Beyond {
    type SqlType = Bool;
}

impl AppearsOnTable<conversation_members::table> for Beyond {}

impl ValidGrouping<()> for Beyond {
    type IsAggregate = is_aggregate::No;
}

impl QueryFragment<Pg> for Beyond {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (rank, joined_at, id) = &self.place;
        out.push_sql("(conversation_members.rank, conversation_members.joined_at, conversation_members.id)");
        out.push_sql(self.operator);
        out.push_sql("(");
        out.push_bind_param::<SmallInt, _>(rank)?;
        out.push_sql(", ");
        out.push_bind_param::<Timestamptz, _>(joined_at)?;
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, _>(id)?;
        out.push_sql(")");
        Ok(())
    }
}

/// A page of the channels that somebody sees, by name.
pub(super) async fn channels(
    conn: &mut Conn,
    viewer: UserId,
    filter: &ChannelFilter,
    window: &Window<ChannelCursor>,
) -> QueryResult<Vec<(Conversation, String)>> {
    use conversation_members as m;
    let name = lower(channels::name);
    let mut query = conversations::table
        .inner_join(channels::table)
        .left_join(m::table.on(m::conversation_id.eq(conversations::id).and(m::user_id.eq(viewer))))
        .filter(conversations::archived_at.is_not_null().eq(filter.is_archived))
        .select((Conversation::as_select(), name))
        .limit(window.fetch())
        .into_boxed();
    let is_member = m::user_id.is_not_null().and(m::left_at.is_null());
    let is_open = channels::visibility.eq(Visibility::Public).and(m::departure.is_distinct_from(Departure::Banned));
    query = match filter.is_joined {
        Some(true) => query.filter(is_member),
        Some(false) => query.filter(is_open).filter(diesel::dsl::not(is_member)),
        None => query.filter(is_member.or(is_open.assume_not_null())),
    };
    if let Some(visibility) = filter.visibility {
        query = query.filter(channels::visibility.eq(visibility));
    }
    if let Some(ChannelCursor(after, id)) = &window.after {
        let id = ConversationId(*id);
        query = query.filter(name.ge(after)).filter(name.gt(after).or(conversations::id.gt(id)));
    }
    if let Some(ChannelCursor(before, id)) = &window.before {
        let id = ConversationId(*id);
        query = query.filter(name.le(before)).filter(name.lt(before).or(conversations::id.lt(id)));
    }
    query = match window.direction {
        Direction::Forward => query.order((name.asc(), conversations::id.asc())),
        Direction::Backward => query.order((name.desc(), conversations::id.desc())),
    };
    query.load(conn).await
}
