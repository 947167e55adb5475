//! Those who follow public channels of groups without a seat.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl;

use crate::db::{Conn, Statement};
use crate::id::{ConversationId, GroupId, UserId};
use crate::schema::{channel_readers, group_members};

pub async fn is_reader(conn: &mut Conn, user: UserId, id: ConversationId) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(channel_readers::table.find((user, id)))).get_result(conn).await
}

/// Takes down that a member of a group reads there. Waits for whoever is about to end the membership.
pub async fn insert_reader(conn: &mut Conn, user: UserId, group: GroupId, id: ConversationId) -> QueryResult<()> {
    let member = Statement::<()>::new("INSERT INTO channel_readers (user_id, conversation_id) SELECT user_id, ")
        .value::<SqlUuid, _>(id)
        .sql(" FROM group_members WHERE left_at IS NULL AND user_id = ")
        .value::<SqlUuid, _>(user)
        .sql(" AND group_id = ")
        .value::<SqlUuid, _>(group)
        .sql(" FOR SHARE ON CONFLICT DO NOTHING");
    member.execute(conn).await.map(drop)
}

/// Forgets that somebody reads in channels of a group, and says in which they did. Holds the membership, before it looks: who
/// is about to read there is waited for, and finds it as it is then.
pub async fn delete_readers(
    conn: &mut Conn,
    user: UserId,
    group: GroupId,
    conversations: &[ConversationId],
) -> QueryResult<Vec<ConversationId>> {
    use channel_readers as r;
    let member = group_members::table.find((group, user)).select(group_members::user_id).for_no_key_update();
    member.first::<UserId>(conn).await.optional()?;
    diesel::delete(r::table.filter(r::user_id.eq(user).and(r::conversation_id.eq_any(conversations))))
        .returning(r::conversation_id)
        .get_results(conn)
        .await
}
