//! What was mailed.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::clock::Instant;
use crate::db::Conn;
use crate::id::UserId;
use crate::schema::{mailed_tokens, sign_in_challenges};

/// Whose a token is, and where it was mailed.
#[derive(Clone, Debug, Queryable)]
pub struct Mailed {
    pub user_id: UserId,
    pub email: String,
}

/// About whom letters of a kind went to an address, and when.
pub(super) async fn sent_since(
    conn: &mut Conn,
    purpose: &str,
    email: &str,
    since: Instant,
) -> QueryResult<Vec<(UserId, Instant)>> {
    use mailed_tokens as t;
    t::table
        .filter(t::email.eq(email).and(t::purpose.eq(purpose)).and(t::sent_at.gt(since)))
        .select((t::user_id, t::sent_at))
        .load(conn)
        .await
}

pub(super) async fn insert(
    conn: &mut Conn,
    digest: &[u8],
    purpose: &str,
    user: UserId,
    email: &str,
    now: Instant,
    expires_at: Instant,
) -> QueryResult<()> {
    use mailed_tokens as t;
    let row = (
        t::digest.eq(digest),
        t::purpose.eq(purpose),
        t::user_id.eq(user),
        t::email.eq(email),
        t::sent_at.eq(now),
        t::expires_at.eq(expires_at),
    );
    diesel::insert_into(t::table).values(row).execute(conn).await.map(drop)
}

pub(super) async fn find(conn: &mut Conn, digest: &[u8], purpose: &str, now: Instant) -> QueryResult<Option<Mailed>> {
    use mailed_tokens as t;
    t::table
        .find(digest)
        .filter(t::purpose.eq(purpose).and(t::expires_at.gt(now)))
        .select((t::user_id, t::email))
        .first(conn)
        .await
        .optional()
}

/// One statement, so that the database decides who of two was first.
pub(super) async fn take(conn: &mut Conn, digest: &[u8], purpose: &str, now: Instant) -> QueryResult<Option<Mailed>> {
    use mailed_tokens as t;
    diesel::delete(t::table.find(digest).filter(t::purpose.eq(purpose).and(t::expires_at.gt(now))))
        .returning((t::user_id, t::email))
        .get_result(conn)
        .await
        .optional()
}

/// Good for nothing from now on. The rows stay for a while: they count the letters.
pub(super) async fn expire_of(conn: &mut Conn, user: UserId, now: Instant) -> QueryResult<()> {
    use mailed_tokens as t;
    diesel::update(t::table.filter(t::user_id.eq(user).and(t::expires_at.gt(now))))
        .set(t::expires_at.eq(now))
        .execute(conn)
        .await
        .map(drop)
}

/// The same for all of a kind that went to an address.
pub(super) async fn expire_to(conn: &mut Conn, purpose: &str, email: &str, now: Instant) -> QueryResult<()> {
    use mailed_tokens as t;
    diesel::update(t::table.filter(t::email.eq(email).and(t::purpose.eq(purpose)).and(t::expires_at.gt(now))))
        .set(t::expires_at.eq(now))
        .execute(conn)
        .await
        .map(drop)
}

/// Deletes all that expired, of these, where it was mailed before an instant, and of sign-ins that were never finished.
pub(super) async fn delete_expired(conn: &mut Conn, now: Instant, mailed_before: Instant) -> QueryResult<()> {
    use mailed_tokens as t;
    diesel::delete(t::table.filter(t::expires_at.lt(now).and(t::sent_at.lt(mailed_before)))).execute(conn).await?;
    diesel::delete(sign_in_challenges::table.filter(sign_in_challenges::expires_at.lt(now)))
        .execute(conn)
        .await
        .map(drop)
}
