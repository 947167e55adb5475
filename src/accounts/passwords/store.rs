//! Passwords.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Conn;
use crate::id::UserId;
use crate::schema::accounts;

/// Sets a password, and forgets the address that waits for its proof: whoever knew the old password may have asked for it, and
/// would get the account back by it.
pub(super) async fn set_password(conn: &mut Conn, user: UserId, hash: &str) -> QueryResult<()> {
    diesel::update(accounts::table.find(user))
        .set((accounts::password_hash.eq(hash), accounts::pending_email.eq(None::<String>)))
        .execute(conn)
        .await
        .map(drop)
}
