//! The list of channels.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::super::pages::{ChannelCursor, ChannelFilter};
use super::super::{Departure, Visibility};
use super::Conversation;
use crate::db::Conn;
use crate::id::{ConversationId, UserId};
use crate::page::{Direction, Window};
use crate::schema::{channels, conversation_members, conversations};

define_sql_function!(fn lower(text: Text) -> Text);

/// A page of the channels that somebody sees, by name.
pub async fn channels(
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
