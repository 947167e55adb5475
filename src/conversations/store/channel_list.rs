//! The list of channels.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::pages::{ChannelCursor, ChannelFilter, ChannelOrderField, Place};
use super::super::{Departure, Visibility};
use super::Conversation;
use crate::db::{Conn, containing, lower};
use crate::id::UserId;
use crate::page::{Direction, Order, OrderDirection, Window};
use crate::schema::{channels, conversation_members, conversations, direct_conversations};

/// A page of the channels that somebody sees, each with the name by which it is ordered.
pub async fn channels(
    conn: &mut Conn,
    viewer: UserId,
    filter: &ChannelFilter,
    order: Order<ChannelOrderField>,
    window: &Window<ChannelCursor>,
) -> QueryResult<Vec<(Conversation, String)>> {
    use conversation_members as m;
    let name = lower(channels::name);
    let mut query = conversations::table
        .inner_join(channels::table)
        // Of no channel; but a conversation is read whole.
        .left_join(direct_conversations::table)
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
    if let Some(kinds) = &filter.kinds {
        query = query.filter(conversations::kind.eq_any(kinds));
    }
    if let Some(search) = &filter.search {
        let contains = containing(search);
        let in_topic = lower(channels::topic.assume_not_null()).like(contains.clone());
        query = query.filter(name.like(contains).or(in_topic));
    }
    let (created_at, id) = (conversations::created_at, conversations::id);
    let is_ascending = order.direction == OrderDirection::Asc;
    let (above, below) = match is_ascending {
        true => (&window.after, &window.before),
        false => (&window.before, &window.after),
    };
    // The first condition of each is the index's; the second settles a tie.
    query = match above.as_ref().map(ChannelCursor::place) {
        Some(Place::Name(at, from)) => query.filter(name.ge(at)).filter(name.gt(at).or(id.gt(from))),
        Some(Place::CreatedAt(at, from)) => query.filter(created_at.ge(at)).filter(created_at.gt(at).or(id.gt(from))),
        None => query,
    };
    query = match below.as_ref().map(ChannelCursor::place) {
        Some(Place::Name(at, from)) => query.filter(name.le(at)).filter(name.lt(at).or(id.lt(from))),
        Some(Place::CreatedAt(at, from)) => query.filter(created_at.le(at)).filter(created_at.lt(at).or(id.lt(from))),
        None => query,
    };
    query = match (order.field, is_ascending == (window.direction == Direction::Forward)) {
        (ChannelOrderField::Name, true) => query.order((name.asc(), id.asc())),
        (ChannelOrderField::Name, false) => query.order((name.desc(), id.desc())),
        (ChannelOrderField::CreatedAt, true) => query.order((created_at.asc(), id.asc())),
        (ChannelOrderField::CreatedAt, false) => query.order((created_at.desc(), id.desc())),
    };
    query.load(conn).await
}
