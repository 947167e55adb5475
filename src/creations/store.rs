//! Keys of creations.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::CreationKey;
use crate::db::Conn;
use crate::id::UserId;
use crate::schema::creation_keys;

/// What a creation with this key made, and of which input.
pub(super) async fn used(conn: &mut Conn, key: &CreationKey) -> QueryResult<Option<(Uuid, Vec<u8>)>> {
    creation_keys::table
        .find((key.user_id, key.mutation, &key.client_key))
        .select((creation_keys::created_id, creation_keys::input_digest))
        .first(conn)
        .await
        .optional()
}

/// Takes a key for a creation; violates `creation_keys_pkey` where another call was faster.
pub(super) async fn insert(conn: &mut Conn, key: &CreationKey, created: Uuid) -> QueryResult<()> {
    let row = (
        creation_keys::user_id.eq(key.user_id),
        creation_keys::mutation.eq(key.mutation),
        creation_keys::client_key.eq(&key.client_key),
        creation_keys::input_digest.eq(&key.input_digest),
        creation_keys::created_id.eq(created),
    );
    diesel::insert_into(creation_keys::table).values(row).execute(conn).await.map(drop)
}

pub(super) async fn delete_of(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::delete(creation_keys::table.filter(creation_keys::user_id.eq(user))).execute(conn).await.map(drop)
}
