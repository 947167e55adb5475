//! Keys of creations.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Conn;
use crate::id::{ConversationId, UserId};
use crate::schema::creation_keys;

/// What a creation with this key made, and of which input.
pub async fn created_with(
    conn: &mut Conn,
    user: UserId,
    mutation: &str,
    key: &str,
) -> QueryResult<Option<(ConversationId, Vec<u8>)>> {
    creation_keys::table
        .find((user, mutation, key))
        .select((creation_keys::created_id, creation_keys::input_digest))
        .first(conn)
        .await
        .optional()
}

/// Takes a key for a creation; violates `creation_keys_pkey` where another call was faster.
pub async fn keep_creation_key(
    conn: &mut Conn,
    user: UserId,
    mutation: &str,
    key: &str,
    digest: &[u8],
    id: ConversationId,
) -> QueryResult<()> {
    let row = (
        creation_keys::user_id.eq(user),
        creation_keys::mutation.eq(mutation),
        creation_keys::client_key.eq(key),
        creation_keys::input_digest.eq(digest),
        creation_keys::created_id.eq(id),
    );
    diesel::insert_into(creation_keys::table).values(row).execute(conn).await.map(drop)
}
