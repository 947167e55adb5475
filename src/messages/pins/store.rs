//! The pins.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::list::PinCursor;
use crate::clock::Instant;
use crate::db::{Conn, among};
use crate::id::{ConversationId, UserId};
use crate::messages::Message;
use crate::page::{Direction, Window};
use crate::schema::{messages, pins};

/// That a message is pinned.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = pins)]
pub struct Pin {
    pub conversation_id: ConversationId,
    /// The message's position in the log.
    pub seq: i32,
    /// The position in the log at which it was pinned.
    pub pinned_seq: i32,
    pub pinned_at: Instant,
    pub pinned_by_id: UserId,
}

/// Whether it was not there yet.
pub(super) async fn insert(conn: &mut Conn, pin: &Pin) -> QueryResult<bool> {
    Ok(diesel::insert_into(pins::table).values(pin).on_conflict_do_nothing().execute(conn).await? > 0)
}

/// Whether it was there.
pub(super) async fn delete(mut conn: &Conn, id: ConversationId, seq: i32) -> QueryResult<bool> {
    Ok(diesel::delete(pins::table.find((id, seq))).execute(&mut conn).await? > 0)
}

pub(super) async fn count(conn: &mut Conn, id: ConversationId) -> QueryResult<i64> {
    pins::table.filter(pins::conversation_id.eq(id)).count().get_result(conn).await
}

pub(super) async fn of_messages(conn: &mut Conn, messages: &[(ConversationId, i32)]) -> QueryResult<Vec<Pin>> {
    let wanted = among(pins::conversation_id, pins::seq, messages);
    pins::table.filter(wanted).select(Pin::as_select()).load(conn).await
}

/// A page of one conversation's, last pinned first. There are so few that no index has to know the order.
pub(super) async fn page(
    conn: &mut Conn,
    id: ConversationId,
    window: &Window<PinCursor>,
) -> QueryResult<Vec<(Pin, Message)>> {
    let of_pin = messages::conversation_id.eq(pins::conversation_id).and(messages::seq.eq(pins::seq));
    let mut query = pins::table
        .inner_join(messages::table.on(of_pin))
        .filter(pins::conversation_id.eq(id))
        .select((Pin::as_select(), Message::as_select()))
        .limit(window.fetch())
        .into_boxed();
    if let Some(after) = &window.after {
        query = query.filter(pins::pinned_seq.lt(after.pinned_seq()));
    }
    if let Some(before) = &window.before {
        query = query.filter(pins::pinned_seq.gt(before.pinned_seq()));
    }
    query = match window.direction {
        Direction::Forward => query.order(pins::pinned_seq.desc()),
        Direction::Backward => query.order(pins::pinned_seq.asc()),
    };
    query.load(conn).await
}
