//! Groups, and who stands where in them.

use std::sync::Arc;

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::may::Standing;
use super::super::sight::Sight;
use super::super::{Departure, MemberRole, Visibility};
use crate::clock::Instant;
use crate::db::{Busy, Conn, among};
use crate::id::{GroupId, UserId};
use crate::schema::{channels, conversations, group_members, groups, users};
use crate::users::ServerRole;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = groups, treat_none_as_null = true)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    pub slug: Option<String>,
    pub description: Option<String>,
    pub visibility: Visibility,
    pub member_count: i32,
    pub version: i32,
    pub created_by_id: UserId,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub archived_at: Option<Instant>,
}

/// Somebody at a group that they see, and the group as it was at the same moment.
pub struct Viewpoint {
    pub user_id: UserId,
    pub group: Arc<Group>,
    pub sight: Sight,
    pub standing: Standing,
}

type Row = (UserId, Group, Option<(MemberRole, Option<Departure>)>, ServerRole);

impl Viewpoint {
    /// `None` out of sight.
    fn of((user_id, group, member, server_role): Row) -> Option<Self> {
        let role = match member {
            Some((role, None)) => Some(role),
            Some((_, Some(Departure::Banned))) => return None,
            _ if group.visibility == Visibility::Public => None,
            _ => return None,
        };
        let (visibility, is_archived) = (group.visibility, group.archived_at.is_some());
        let standing = Standing { visibility, is_archived, role, server_role };
        Some(Self { user_id, sight: Sight::of_standing(group.id), group: group.into(), standing })
    }
}

/// Of these people and groups, pair by pair: who sees what, and where they stand there.
pub async fn standings(conn: &mut Conn, pairs: &[(UserId, GroupId)]) -> QueryResult<Vec<Viewpoint>> {
    use group_members as m;
    let rows: Vec<Row> = groups::table
        .inner_join(users::table.on(among(users::id, groups::id, pairs)))
        .left_join(m::table.on(m::group_id.eq(groups::id).and(m::user_id.eq(users::id))))
        .select((users::id, Group::as_select(), (m::role, m::departure).nullable(), users::role))
        .load(conn)
        .await?;
    Ok(rows.into_iter().filter_map(Viewpoint::of).collect())
}

/// Locks the row, and says whether it is locked. Not `FOR UPDATE`: foreign keys may still look.
pub async fn lock(conn: &mut Conn, id: GroupId, busy: Busy) -> QueryResult<bool> {
    let row = groups::table.find(id).select(groups::id).for_no_key_update();
    let locked: QueryResult<GroupId> = match busy {
        Busy::Wait => row.first(conn).await,
        Busy::PassOver => row.skip_locked().first(conn).await,
    };
    Ok(locked.optional()?.is_some())
}

pub async fn by_ids(conn: &mut Conn, ids: &[GroupId]) -> QueryResult<Vec<Group>> {
    groups::table.filter(groups::id.eq_any(ids)).select(Group::as_select()).load(conn).await
}

pub async fn by_slug(conn: &mut Conn, slug: &str) -> QueryResult<Option<GroupId>> {
    groups::table.filter(groups::slug.eq(slug)).select(groups::id).first(conn).await.optional()
}

/// Of these addresses, those that are taken.
pub async fn taken_slugs(conn: &mut Conn, slugs: &[String]) -> QueryResult<Vec<Option<String>>> {
    groups::table.filter(groups::slug.eq_any(slugs)).select(groups::slug).load(conn).await
}

pub async fn insert(conn: &mut Conn, group: &Group) -> QueryResult<()> {
    diesel::insert_into(groups::table).values(group).execute(conn).await.map(drop)
}

/// A locked row, all of it.
pub async fn save(conn: &mut Conn, group: &Group) -> QueryResult<()> {
    diesel::update(groups::table.find(group.id)).set(group).execute(conn).await.map(drop)
}

/// Whether anything was said in its public channels.
pub async fn has_public_history(conn: &mut Conn, id: GroupId) -> QueryResult<bool> {
    let spoken_in = channels::table
        .inner_join(conversations::table)
        .filter(channels::group_id.eq(id).and(channels::visibility.eq(Visibility::Public)))
        .filter(conversations::last_msg_no.gt(0));
    diesel::select(diesel::dsl::exists(spoken_in)).get_result(conn).await
}
