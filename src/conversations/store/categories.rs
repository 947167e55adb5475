//! Categories of channels.

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use crate::db::{Conn, among};
use crate::id::{CategoryId, GroupId, UserId};
use crate::schema::{channel_categories, group_members};

/// A heading that channels are shown under.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = channel_categories)]
pub struct Category {
    pub id: CategoryId,
    /// `None` for one of the server.
    pub group_id: Option<GroupId>,
    pub name: String,
    pub position: i32,
    pub version: i32,
}

pub async fn categories_by_ids(conn: &mut Conn, ids: &[CategoryId]) -> QueryResult<Vec<Category>> {
    channel_categories::table.filter(channel_categories::id.eq_any(ids)).select(Category::as_select()).load(conn).await
}

/// Those of the server, in their order.
pub async fn categories_of_server(conn: &mut Conn) -> QueryResult<Vec<Category>> {
    channel_categories::table
        .filter(channel_categories::group_id.is_null())
        .order(channel_categories::position)
        .select(Category::as_select())
        .load(conn)
        .await
}

/// Of these people and groups, pair by pair: the categories that they are shown, in their order. A guest sees those of the
/// channels that they were added to, and who is no member none.
pub async fn categories_shown(conn: &mut Conn, pairs: &[(UserId, GroupId)]) -> QueryResult<Vec<(UserId, Category)>> {
    use {channel_categories as c, group_members as own};
    let is_shown = sql::<Bool>(
        "(group_members.role <> 'GUEST' OR EXISTS (SELECT FROM channels \
            JOIN conversation_members AS seat USING (conversation_id) \
            WHERE channels.category_id = channel_categories.id AND seat.user_id = group_members.user_id \
            AND seat.left_at IS NULL))",
    );
    c::table
        .inner_join(own::table.on(own::group_id.nullable().eq(c::group_id)))
        .filter(among(own::user_id, own::group_id, pairs).and(own::left_at.is_null()))
        .filter(is_shown)
        .order((c::group_id, c::position))
        .select((own::user_id, Category::as_select()))
        .load(conn)
        .await
}

pub async fn count_categories(conn: &mut Conn, group: Option<GroupId>) -> QueryResult<i32> {
    let count: i64 = match group {
        Some(id) => {
            channel_categories::table.filter(channel_categories::group_id.eq(id)).count().get_result(conn).await
        }
        None => channel_categories::table.filter(channel_categories::group_id.is_null()).count().get_result(conn).await,
    }?;
    Ok(i32::try_from(count).unwrap_or(i32::MAX))
}

pub async fn insert_category(conn: &mut Conn, category: &Category) -> QueryResult<()> {
    diesel::insert_into(channel_categories::table).values(category).execute(conn).await.map(drop)
}

pub async fn save_category(conn: &mut Conn, category: &Category) -> QueryResult<()> {
    diesel::update(channel_categories::table.find(category.id))
        .set((
            channel_categories::name.eq(&category.name),
            channel_categories::position.eq(category.position),
            channel_categories::version.eq(category.version),
        ))
        .execute(conn)
        .await
        .map(drop)
}

pub async fn delete_category(conn: &mut Conn, id: CategoryId) -> QueryResult<()> {
    diesel::delete(channel_categories::table.find(id)).execute(conn).await.map(drop)
}

/// Moves all from a place on.
pub async fn shift_categories(conn: &mut Conn, group: Option<GroupId>, from: i32, by: i32) -> QueryResult<()> {
    use channel_categories as c;
    let behind = diesel::update(c::table).into_boxed().filter(c::position.ge(from));
    let behind = match group {
        Some(id) => behind.filter(c::group_id.eq(id)),
        None => behind.filter(c::group_id.is_null()),
    };
    behind.set(c::position.eq(c::position + by)).execute(conn).await.map(drop)
}
