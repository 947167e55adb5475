//! Second factors, recovery codes, and sign-ins that wait for them.

use diesel::QueryResult;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::accounts::{Account, TokenDelivery};
use crate::clock::Instant;
use crate::db::Conn;
use crate::id::UserId;
use crate::schema::{accounts, recovery_codes, second_factors, sign_in_challenges};

/// An authenticator app.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = second_factors)]
pub(super) struct Factor {
    /// Sealed.
    pub secret: Vec<u8>,
    pub begun_at: Instant,
    /// Wrong codes since the last right one.
    pub failures: i32,
    pub failed_at: Option<Instant>,
}

/// A sign-in whose password was right.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sign_in_challenges)]
pub(super) struct Challenge {
    pub user_id: UserId,
    pub client_name: Option<String>,
    pub token_delivery: TokenDelivery,
}

/// Writes a secret that is not in force yet, over one that was never.
pub(super) async fn save(conn: &mut Conn, user: UserId, secret: &[u8], now: Instant) -> QueryResult<()> {
    use second_factors as f;
    delete(conn, user).await?;
    diesel::insert_into(f::table)
        .values((f::user_id.eq(user), f::secret.eq(secret), f::begun_at.eq(now)))
        .execute(conn)
        .await
        .map(drop)
}

/// Locked, so that codes are judged one after the other.
pub(super) async fn lock(conn: &mut Conn, user: UserId) -> QueryResult<Option<Factor>> {
    second_factors::table.find(user).select(Factor::as_select()).for_update().first(conn).await.optional()
}

/// Takes a code of this step, unless one of it or of a later step was taken: says whether it was. One statement, so that the
/// database decides which of two was first.
pub(super) async fn take_step(conn: &mut Conn, user: UserId, step: i64) -> QueryResult<bool> {
    use second_factors as f;
    let taken = diesel::update(f::table.find(user).filter(f::last_step.lt(step)))
        .set((f::last_step.eq(step), f::failures.eq(0), f::failed_at.eq(None::<Instant>)))
        .execute(conn)
        .await?;
    Ok(taken > 0)
}

pub(super) async fn note_failure(conn: &mut Conn, user: UserId, now: Instant) -> QueryResult<()> {
    use second_factors as f;
    diesel::update(f::table.find(user))
        .set((f::failures.eq(f::failures + 1), f::failed_at.eq(now)))
        .execute(conn)
        .await
        .map(drop)
}

pub(super) async fn set_in_force(conn: &mut Conn, user: UserId, since: Option<Instant>) -> QueryResult<()> {
    diesel::update(accounts::table.find(user)).set(accounts::second_factor_at.eq(since)).execute(conn).await.map(drop)
}

pub(super) async fn delete(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::delete(second_factors::table.find(user)).execute(conn).await.map(drop)
}

/// Writes recovery codes over those there were.
pub(super) async fn save_codes(conn: &mut Conn, user: UserId, digests: &[[u8; 32]]) -> QueryResult<()> {
    use recovery_codes as r;
    delete_codes(conn, user).await?;
    let rows: Vec<_> = digests.iter().map(|digest| (r::user_id.eq(user), r::digest.eq(digest.as_slice()))).collect();
    diesel::insert_into(r::table).values(rows).execute(conn).await.map(drop)
}

/// Takes a recovery code, if it is one: of two who bring it at once, one has.
pub(super) async fn take_code(conn: &mut Conn, user: UserId, digest: &[u8]) -> QueryResult<bool> {
    Ok(diesel::delete(recovery_codes::table.find((user, digest))).execute(conn).await? > 0)
}

pub(super) async fn delete_codes(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user))).execute(conn).await.map(drop)
}

pub(super) async fn count_codes(conn: &mut Conn, user: UserId) -> QueryResult<i64> {
    recovery_codes::table.filter(recovery_codes::user_id.eq(user)).select(count_star()).first(conn).await
}

pub(super) async fn insert_challenge(
    conn: &mut Conn,
    digest: &[u8],
    challenge: &Challenge,
    expires_at: Instant,
) -> QueryResult<()> {
    use sign_in_challenges as c;
    let row = (
        c::digest.eq(digest),
        c::user_id.eq(challenge.user_id),
        c::client_name.eq(&challenge.client_name),
        c::token_delivery.eq(challenge.token_delivery),
        c::expires_at.eq(expires_at),
    );
    diesel::insert_into(c::table).values(row).execute(conn).await.map(drop)
}

/// The account that a challenge would sign in to, locked.
pub(super) async fn lock_account_of(conn: &mut Conn, digest: &[u8], now: Instant) -> QueryResult<Option<Account>> {
    use sign_in_challenges as c;
    let whose = c::table.find(digest).filter(c::expires_at.gt(now)).select(c::user_id);
    let account = accounts::table.filter(accounts::user_id.eq_any(whose)).select(Account::as_select());
    account.for_no_key_update().first(conn).await.optional()
}

/// Locked, so that of two answers at once the second finds it gone if the first was right.
pub(super) async fn lock_challenge(conn: &mut Conn, digest: &[u8], now: Instant) -> QueryResult<Option<Challenge>> {
    use sign_in_challenges as c;
    let live = c::table.find(digest).filter(c::expires_at.gt(now));
    live.select(Challenge::as_select()).for_update().first(conn).await.optional()
}

pub(super) async fn delete_challenge(conn: &mut Conn, digest: &[u8]) -> QueryResult<()> {
    diesel::delete(sign_in_challenges::table.find(digest)).execute(conn).await.map(drop)
}

/// Deletes all of somebody's.
pub(in crate::accounts) async fn forget_challenges(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    use sign_in_challenges as c;
    diesel::delete(c::table.filter(c::user_id.eq(user))).execute(conn).await.map(drop)
}
