//! When lists of channels changed.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::clock::Instant;
use crate::db::Conn;
use crate::id::GroupId;
use crate::schema::channel_lists;

/// The last lock of whoever changes a list: it is held until the commit, and nothing is waited for after it.
pub async fn touch_list(conn: &mut Conn, group: Option<GroupId>, now: Instant) -> QueryResult<()> {
    let id = group.map_or(Uuid::nil(), |group| group.0);
    diesel::insert_into(channel_lists::table)
        .values((channel_lists::id.eq(id), channel_lists::changed_at.eq(now)))
        .on_conflict(channel_lists::id)
        .do_update()
        .set(channel_lists::changed_at.eq(now))
        .execute(conn)
        .await
        .map(drop)
}
