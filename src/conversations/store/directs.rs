//! What direct conversations have of their own.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Conversation;
use crate::db::Conn;
use crate::id::{ConversationId, UserId};
use crate::schema::{conversation_members, direct_conversations};

/// Takes the key of some people for a conversation that is about to be inserted; `false` where another one has it. Waits
/// for whoever is about to take it.
pub async fn take_key(conn: &mut Conn, id: ConversationId, key: &[u8]) -> QueryResult<bool> {
    use direct_conversations as d;
    let row = (d::conversation_id.eq(id), d::opened_for.eq(key));
    let taken = diesel::insert_into(d::table).values(row).on_conflict(d::opened_for).do_nothing().execute(conn).await?;
    Ok(taken > 0)
}

/// From now on a conversation is nobody's to find: its people are not those for whom it was opened.
pub async fn give_up_key(conn: &mut Conn, id: ConversationId) -> QueryResult<()> {
    diesel::update(direct_conversations::table.find(id))
        .set(direct_conversations::opened_for.eq(None::<Vec<u8>>))
        .execute(conn)
        .await
        .map(drop)
}

/// The conversations that have these keys.
pub async fn found_by(conn: &mut Conn, keys: &[Vec<u8>]) -> QueryResult<Vec<(Vec<u8>, ConversationId)>> {
    use direct_conversations as d;
    d::table
        .filter(d::opened_for.eq_any(keys))
        .select((d::opened_for.assume_not_null(), d::conversation_id))
        .load(conn)
        .await
}

/// The name of a locked conversation.
pub async fn save_name(conn: &mut Conn, conversation: &Conversation) -> QueryResult<()> {
    diesel::update(direct_conversations::table.find(conversation.id))
        .set(direct_conversations::name.eq(&conversation.name))
        .execute(conn)
        .await
        .map(drop)
}

/// Of these people, those who are members of something that somebody is a member of.
pub async fn sharing_with(conn: &mut Conn, user: UserId, people: &[UserId]) -> QueryResult<Vec<UserId>> {
    use conversation_members as theirs;
    let mine = diesel::alias!(conversation_members as mine);
    let place = mine.field(conversation_members::conversation_id);
    let is_mine = mine.field(conversation_members::user_id).eq(user);
    theirs::table
        .inner_join(mine.on(place.eq(theirs::conversation_id)))
        .filter(is_mine.and(mine.field(conversation_members::left_at).is_null()))
        .filter(theirs::user_id.eq_any(people).and(theirs::left_at.is_null()))
        .select(theirs::user_id)
        .distinct()
        .load(conn)
        .await
}
