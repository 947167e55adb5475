//! The list of groups, and that of the members of one.

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::super::pages::{GroupCursor, GroupFilter, MemberCursor, MemberFilter};
use super::super::{Departure, Visibility};
use super::{Group, Member};
use crate::db::{Conn, beginning_with, containing, lower};
use crate::id::{GroupId, GroupMemberId, UserId};
use crate::page::{Direction, Window};
use crate::schema::{group_members, groups, users};
use crate::users::Among;

/// A page of the groups that somebody sees, each with the name by which it is ordered.
pub async fn groups(
    conn: &mut Conn,
    viewer: UserId,
    filter: &GroupFilter,
    window: &Window<GroupCursor>,
) -> QueryResult<Vec<(Group, String)>> {
    use group_members as m;
    let (name, id) = (lower(groups::name), groups::id);
    let mut query = groups::table
        .left_join(m::table.on(m::group_id.eq(groups::id).and(m::user_id.eq(viewer))))
        .select((Group::as_select(), name))
        .limit(window.fetch())
        .into_boxed();
    let is_member = m::user_id.is_not_null().and(m::left_at.is_null());
    let is_open = groups::visibility.eq(Visibility::Public).and(m::departure.is_distinct_from(Departure::Banned));
    query = match filter.is_joined {
        Some(true) => query.filter(is_member),
        Some(false) => query.filter(is_open).filter(diesel::dsl::not(is_member)),
        None => query.filter(is_member.or(is_open.assume_not_null())),
    };
    if let Some(is_archived) = filter.is_archived {
        query = query.filter(groups::archived_at.is_not_null().eq(is_archived));
    }
    if let Some(visibility) = filter.visibility {
        query = query.filter(groups::visibility.eq(visibility));
    }
    if let Some(search) = &filter.search {
        let contains = containing(search);
        let in_description = lower(groups::description.assume_not_null()).like(contains.clone());
        query = query.filter(name.like(contains).or(in_description));
    }
    // The first condition of each is the index's; the second settles a tie.
    if let Some((at, from)) = window.after.as_ref().map(GroupCursor::values) {
        query = query.filter(name.ge(at)).filter(name.gt(at).or(id.gt(from)));
    }
    if let Some((at, from)) = window.before.as_ref().map(GroupCursor::values) {
        query = query.filter(name.le(at)).filter(name.lt(at).or(id.lt(from)));
    }
    query = match window.direction {
        Direction::Forward => query.order((name.asc(), id.asc())),
        Direction::Backward => query.order((name.desc(), id.desc())),
    };
    query.load(conn).await
}

/// Members whom somebody is shown who sees their group: a guest sees those of the channels that they were added to, and
/// nobody else.
fn shown_to<'a>(viewer: UserId) -> group_members::BoxedQuery<'a, Pg> {
    let shown = sql::<Bool>("(group_members.user_id = ")
        .bind::<SqlUuid, _>(viewer)
        .sql(
            " OR NOT EXISTS (SELECT FROM group_members AS own WHERE own.group_id = group_members.group_id \
                AND own.left_at IS NULL AND own.role = 'GUEST' AND own.user_id = ",
        )
        .bind::<SqlUuid, _>(viewer)
        .sql(
            ") OR EXISTS (SELECT FROM channels \
                JOIN conversation_members AS mine USING (conversation_id) \
                JOIN conversation_members AS theirs USING (conversation_id) \
                WHERE channels.group_id = group_members.group_id AND theirs.user_id = group_members.user_id \
                AND theirs.left_at IS NULL AND mine.left_at IS NULL AND mine.user_id = ",
        )
        .bind::<SqlUuid, _>(viewer)
        .sql("))");
    group_members::table.filter(group_members::left_at.is_null()).filter(shown).into_boxed()
}

/// A page of a group's members that somebody is shown: by role, then by when they joined.
pub async fn members(
    conn: &mut Conn,
    viewer: UserId,
    id: GroupId,
    filter: &MemberFilter,
    window: &Window<MemberCursor>,
) -> QueryResult<Vec<Member>> {
    use group_members as m;
    let mut query = shown_to(viewer).filter(m::group_id.eq(id)).limit(window.fetch());
    if let Some(search) = &filter.search {
        let begins = beginning_with(search);
        let is_named = lower(users::display_name).like(begins.clone()).or(users::username.like(begins));
        let found = users::table.filter(users::id.eq(m::user_id)).filter(is_named);
        query = query.filter(diesel::dsl::exists(found));
    }
    if let Some(roles) = &filter.roles {
        query = query.filter(m::role.eq_any(roles));
    }
    match &filter.among {
        Some(Among::Only(people)) => query = query.filter(m::user_id.eq_any(people)),
        Some(Among::AllBut(people)) => query = query.filter(m::user_id.ne_all(people)),
        None => {}
    }
    // As one row, which diesel cannot say; said column by column, PostgreSQL would read all of a rank from its beginning.
    for (operator, place) in [(") > (", &window.after), (") < (", &window.before)] {
        let Some((rank, joined_at, id)) = place.as_ref().map(MemberCursor::values) else { continue };
        let beyond = sql::<Bool>("(group_members.rank, group_members.joined_at, group_members.id")
            .sql(operator)
            .bind::<SmallInt, _>(rank)
            .sql(", ")
            .bind::<Timestamptz, _>(joined_at)
            .sql(", ")
            .bind::<SqlUuid, _>(id)
            .sql(")");
        query = query.filter(beyond);
    }
    query = match window.direction {
        Direction::Forward => query.order((m::rank.asc(), m::joined_at.asc(), m::id.asc())),
        Direction::Backward => query.order((m::rank.desc(), m::joined_at.desc(), m::id.desc())),
    };
    query.select(Member::as_select()).load(conn).await
}

/// Of these memberships, those that hold and that somebody is shown.
pub async fn shown_members(conn: &mut Conn, viewer: UserId, ids: &[GroupMemberId]) -> QueryResult<Vec<Member>> {
    use group_members as m;
    let in_sight = sql::<Bool>(
        "EXISTS (SELECT FROM groups LEFT JOIN group_members AS own ON own.group_id = groups.id AND own.user_id = ",
    );
    let in_sight = in_sight.bind::<SqlUuid, _>(viewer).sql(
        " WHERE groups.id = group_members.group_id AND (own.id IS NOT NULL AND own.departure IS NULL \
            OR groups.visibility = 'PUBLIC' AND own.departure IS DISTINCT FROM 'BANNED'))",
    );
    let shown = shown_to(viewer).filter(m::id.eq_any(ids)).filter(in_sight);
    shown.select(Member::as_select()).load(conn).await
}
