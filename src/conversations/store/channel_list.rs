//! The list of channels.

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::super::pages::{ChannelCursor, ChannelFilter, ChannelOrderField, Place};
use super::super::{Departure, MemberRole, Visibility};
use super::Conversation;
use crate::db::{Conn, containing, lower};
use crate::id::UserId;
use crate::page::{Direction, Order, OrderDirection, Window};
use crate::schema::{
    channel_categories, channels, conversation_members, conversations, direct_conversations, group_members,
};

/// Of the server's channels, which come first.
const GROUP: &str = "coalesce(channels.group_id, '00000000-0000-0000-0000-000000000000')";
/// Those of no category come first.
const CATEGORY: &str = "coalesce(channel_categories.position, -1)";

/// Compares where channels stand with a place in their order as one row, which diesel cannot say.
macro_rules! beyond {
    ($operator:literal, $place:expr) => {{
        let (group, category, position, id) = $place;
        sql::<Bool>("(")
            .sql(GROUP)
            .sql(", ")
            .sql(CATEGORY)
            .sql(", channels.position, conversations.id")
            .sql($operator)
            .bind::<SqlUuid, _>(group)
            .sql(", ")
            .bind::<Integer, _>(category)
            .sql(", ")
            .bind::<Integer, _>(position)
            .sql(", ")
            .bind::<SqlUuid, _>(id)
            .sql(")")
    }};
}

/// A channel, with what it is ordered by.
#[derive(Queryable)]
pub struct Listed {
    pub conversation: Conversation,
    pub folded_name: String,
    pub category_position: Option<i32>,
}

/// A page of the channels that somebody sees.
pub async fn channels(
    conn: &mut Conn,
    viewer: UserId,
    filter: &ChannelFilter,
    order: Order<ChannelOrderField>,
    window: &Window<ChannelCursor>,
) -> QueryResult<Vec<Listed>> {
    use channel_categories as k;
    use conversation_members as m;
    use group_members as g;
    let name = lower(channels::name);
    let in_its_group = g::group_id.nullable().eq(channels::group_id);
    let mut query = conversations::table
        .inner_join(channels::table)
        // Of no channel; but a conversation is read whole.
        .left_join(direct_conversations::table)
        .left_join(m::table.on(m::conversation_id.eq(conversations::id).and(m::user_id.eq(viewer))))
        .left_join(g::table.on(in_its_group.and(g::user_id.eq(viewer)).and(g::left_at.is_null())))
        .left_join(k::table.on(k::id.nullable().eq(channels::category_id)))
        .filter(conversations::archived_at.is_not_null().eq(filter.is_archived))
        .select((Conversation::as_select(), name, k::position.nullable()))
        .limit(window.fetch())
        .into_boxed();
    let is_member = m::user_id.is_not_null().and(m::left_at.is_null());
    let is_at_home =
        channels::group_id.is_null().or(g::role.nullable().ne(MemberRole::Guest).is_not_distinct_from(true));
    let is_open = channels::visibility.eq(Visibility::Public).and(m::departure.is_distinct_from(Departure::Banned));
    let is_open = is_open.and(is_at_home);
    query = match filter.is_joined {
        Some(true) => query.filter(is_member),
        Some(false) => query.filter(is_open).filter(diesel::dsl::not(is_member)),
        None => query.filter(is_member.or(is_open.assume_not_null())),
    };
    if let Some(visibility) = filter.visibility {
        query = query.filter(channels::visibility.eq(visibility));
    }
    for group in filter.groups() {
        query = query.filter(channels::group_id.eq(group));
    }
    if let Some(heading) = filter.heading {
        query = match heading.group_id {
            Some(id) => query.filter(channels::group_id.eq(id)),
            None => query.filter(channels::group_id.is_null()),
        };
        query = match heading.category_id {
            Some(id) => query.filter(channels::category_id.eq(id)),
            None => query.filter(channels::category_id.is_null()),
        };
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
        Some(Place::Position(spot)) => query.filter(beyond!(") > (", spot)),
        Some(Place::Name(at, from)) => query.filter(name.ge(at)).filter(name.gt(at).or(id.gt(from))),
        Some(Place::CreatedAt(at, from)) => query.filter(created_at.ge(at)).filter(created_at.gt(at).or(id.gt(from))),
        None => query,
    };
    query = match below.as_ref().map(ChannelCursor::place) {
        Some(Place::Position(spot)) => query.filter(beyond!(") < (", spot)),
        Some(Place::Name(at, from)) => query.filter(name.le(at)).filter(name.lt(at).or(id.lt(from))),
        Some(Place::CreatedAt(at, from)) => query.filter(created_at.le(at)).filter(created_at.lt(at).or(id.lt(from))),
        None => query,
    };
    let (group, category) = (sql::<SqlUuid>(GROUP), sql::<Integer>(CATEGORY));
    query = match (order.field, is_ascending == (window.direction == Direction::Forward)) {
        (ChannelOrderField::Position, true) => {
            query.order((group.asc(), category.asc(), channels::position.asc(), id.asc()))
        }
        (ChannelOrderField::Position, false) => {
            query.order((group.desc(), category.desc(), channels::position.desc(), id.desc()))
        }
        (ChannelOrderField::Name, true) => query.order((name.asc(), id.asc())),
        (ChannelOrderField::Name, false) => query.order((name.desc(), id.desc())),
        (ChannelOrderField::CreatedAt, true) => query.order((created_at.asc(), id.asc())),
        (ChannelOrderField::CreatedAt, false) => query.order((created_at.desc(), id.desc())),
    };
    query.load(conn).await
}
