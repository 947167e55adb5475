//! Memberships.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use super::super::{Departure, MemberRole};
use crate::clock::Instant;
use crate::db::{Conn, among};
use crate::id::{GroupId, GroupMemberId, UserId};
use crate::recount::{Counter, Counters, Place};
use crate::schema::{group_members, users};

/// Somebody's membership.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = group_members)]
pub struct Member {
    pub group_id: GroupId,
    pub user_id: UserId,
    pub id: GroupMemberId,
    pub role: MemberRole,
    pub rank: i16,
    pub joined_at: Instant,
    pub added_by_id: Option<UserId>,
    pub departure: Option<Departure>,
}

impl Member {
    /// Whether the membership has not ended.
    pub fn holds(&self) -> bool {
        self.departure.is_none()
    }
}

/// A membership to be, or to be again.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = group_members)]
pub struct NewMember {
    pub group_id: GroupId,
    pub user_id: UserId,
    pub id: GroupMemberId,
    pub role: MemberRole,
    pub joined_at: Instant,
    pub added_by_id: Option<UserId>,
}

/// The memberships of these people that hold, or of whom they ended how.
pub async fn members_of(conn: &mut Conn, id: GroupId, people: &[UserId]) -> QueryResult<Vec<Member>> {
    group_members::table
        .filter(group_members::group_id.eq(id).and(group_members::user_id.eq_any(people)))
        .select(Member::as_select())
        .load(conn)
        .await
}

/// Memberships by their ids; those that ended too, until a rejoin gives them a new one.
pub async fn members_by_ids(conn: &mut Conn, ids: &[GroupMemberId]) -> QueryResult<Vec<Member>> {
    group_members::table.filter(group_members::id.eq_any(ids)).select(Member::as_select()).load(conn).await
}

/// Of these people and groups, pair by pair: who is in which.
pub async fn memberships(conn: &mut Conn, pairs: &[(UserId, GroupId)]) -> QueryResult<Vec<Member>> {
    use group_members as m;
    m::table
        .filter(among(m::user_id, m::group_id, pairs).and(m::left_at.is_null()))
        .select(Member::as_select())
        .load(conn)
        .await
}

/// How these people are, or were, in these groups.
pub async fn memberships_of(conn: &mut Conn, pairs: &[(GroupId, UserId)]) -> QueryResult<Vec<Member>> {
    use group_members as m;
    m::table.filter(among(m::group_id, m::user_id, pairs)).select(Member::as_select()).load(conn).await
}

/// The membership of the one who owns a group, if anybody does.
pub async fn owner(conn: &mut Conn, id: GroupId) -> QueryResult<Option<Member>> {
    use group_members as m;
    m::table
        .filter(m::group_id.eq(id).and(m::role.eq(MemberRole::Owner)).and(m::left_at.is_null()))
        .select(Member::as_select())
        .first(conn)
        .await
        .optional()
}

/// The groups that somebody is in.
pub async fn all_of(conn: &mut Conn, user: UserId) -> QueryResult<Vec<GroupId>> {
    use group_members as m;
    m::table.filter(m::user_id.eq(user).and(m::left_at.is_null())).select(m::group_id).load(conn).await
}

/// The highest role and, of those, the longest there, of those who can sign in.
pub async fn heir(conn: &mut Conn, id: GroupId) -> QueryResult<Option<Member>> {
    use group_members as m;
    let can_sign_in =
        users::table.filter(users::id.eq(m::user_id).and(users::is_claimed).and(users::deleted_at.is_null()));
    m::table
        .filter(m::group_id.eq(id).and(m::left_at.is_null()))
        .filter(diesel::dsl::exists(can_sign_in))
        .order((m::rank, m::joined_at, m::id))
        .select(Member::as_select())
        .first(conn)
        .await
        .optional()
}

/// Makes people members, each once, whether or not they were before; a second membership is new but for its place in the
/// table.
pub async fn admit(conn: &mut Conn, new: &[NewMember]) -> QueryResult<Vec<Member>> {
    use group_members as m;
    diesel::insert_into(m::table)
        .values(new)
        .on_conflict((m::group_id, m::user_id))
        .do_update()
        .set((
            m::id.eq(excluded(m::id)),
            m::role.eq(excluded(m::role)),
            m::joined_at.eq(excluded(m::joined_at)),
            m::added_by_id.eq(excluded(m::added_by_id)),
            m::left_at.eq(None::<Instant>),
            m::departure.eq(None::<Departure>),
            m::departure_note.eq(None::<String>),
        ))
        .returning(Member::as_returning())
        .get_results(conn)
        .await
}

pub async fn set_role(conn: &mut Conn, member: &Member, role: MemberRole) -> QueryResult<Member> {
    diesel::update(group_members::table.find((member.group_id, member.user_id)))
        .set(group_members::role.eq(role))
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
    diesel::update(group_members::table.find((member.group_id, member.user_id)))
        .set((
            group_members::left_at.eq(now),
            group_members::departure.eq(departure),
            group_members::departure_note.eq(note),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Counters of members of groups.
pub struct MemberCount;

impl Counter for MemberCount {
    const KIND: &'static str = "recount.group_members";

    fn counters(after: &Place) -> Counters {
        Counters::new(
            "SELECT c.id, 0, '', c.member_count::bigint, (SELECT count(*) FROM group_members AS m \
             WHERE m.group_id = c.id AND m.left_at IS NULL) FROM groups AS c WHERE c.id > ",
        )
        .value::<SqlUuid, _>(after.0)
        .sql(" ORDER BY c.id LIMIT ")
    }
}
