//! The order of channels. Positions under a heading are written by whoever holds its group's row, or the list of the
//! server's channels.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use super::super::places::Heading;
use crate::db::Conn;
use crate::id::{CategoryId, ConversationId, GroupId};
use crate::schema::channels;

define_sql_function!(fn pg_advisory_xact_lock(key: BigInt));

/// Of the advisory lock of the list of the server's channels, which has no row; any constant will do.
const SERVER_LIST: i64 = 0x6368_616e_6e65_6c73;

pub async fn lock_server_list(conn: &mut Conn) -> QueryResult<()> {
    diesel::select(pg_advisory_xact_lock(SERVER_LIST)).execute(conn).await.map(drop)
}

/// Those under a heading, as a filter. Not `IS NOT DISTINCT FROM`, which no index serves.
macro_rules! under {
    ($query:expr, $heading:expr) => {{
        let Heading { group_id, category_id } = $heading;
        let query = match group_id {
            Some(id) => $query.filter(channels::group_id.eq(id)),
            None => $query.filter(channels::group_id.is_null()),
        };
        match category_id {
            Some(id) => query.filter(channels::category_id.eq(id)),
            None => query.filter(channels::category_id.is_null()),
        }
    }};
}

/// The place behind the last one.
pub async fn end_of(conn: &mut Conn, heading: Heading) -> QueryResult<i32> {
    let last: Option<i32> =
        under!(channels::table.into_boxed(), heading).select(diesel::dsl::max(channels::position)).first(conn).await?;
    Ok(last.map_or(0, |last| last + 1))
}

pub async fn count_of_group(conn: &mut Conn, id: GroupId) -> QueryResult<i64> {
    channels::table.filter(channels::group_id.eq(id)).count().get_result(conn).await
}

/// Moves all from a place on.
pub async fn shift(conn: &mut Conn, heading: Heading, from: i32, by: i32) -> QueryResult<()> {
    under!(diesel::update(channels::table).into_boxed(), heading)
        .filter(channels::position.ge(from))
        .set(channels::position.eq(channels::position + by))
        .execute(conn)
        .await
        .map(drop)
}

/// Puts a channel to a place.
pub async fn place(
    conn: &mut Conn,
    id: ConversationId,
    category: Option<CategoryId>,
    position: i32,
) -> QueryResult<()> {
    diesel::update(channels::table.find(id))
        .set((channels::category_id.eq(category), channels::position.eq(position)))
        .execute(conn)
        .await
        .map(drop)
}

/// Puts all channels of a category behind those of none, in their order.
pub async fn unfile(conn: &mut Conn, category: CategoryId, behind: i32) -> QueryResult<()> {
    diesel::update(channels::table.filter(channels::category_id.eq(category)))
        .set((channels::category_id.eq(None::<CategoryId>), channels::position.eq(channels::position + behind)))
        .execute(conn)
        .await
        .map(drop)
}
