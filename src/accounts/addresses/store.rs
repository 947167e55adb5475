//! Who names which address.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::accounts::Account;
use crate::clock::Instant;
use crate::db::Conn;
use crate::id::UserId;
use crate::schema::accounts;

/// Accounts that name an address or wait for its proof, the latest first.
pub(super) async fn who_name(conn: &mut Conn, email: &str) -> QueryResult<Vec<Account>> {
    accounts::table
        .filter(accounts::email.eq(email).or(accounts::pending_email.eq(email)))
        .order((accounts::created_at.desc(), accounts::user_id.desc()))
        .select(Account::as_select())
        .load(conn)
        .await
}

/// The same, locked, each in its turn.
pub(super) async fn lock_who_name(conn: &mut Conn, email: &str) -> QueryResult<Vec<Account>> {
    accounts::table
        .filter(accounts::email.eq(email).or(accounts::pending_email.eq(email)))
        .order(accounts::user_id)
        .select(Account::as_select())
        .for_no_key_update()
        .load(conn)
        .await
}

/// Violates `accounts_email_key` where somebody else has proven it.
pub(super) async fn set_proven(conn: &mut Conn, user: UserId, email: &str, now: Instant) -> QueryResult<()> {
    diesel::update(accounts::table.find(user))
        .set((
            accounts::email.eq(email),
            accounts::email_verified_at.eq(now),
            accounts::pending_email.eq(None::<String>),
        ))
        .execute(conn)
        .await
        .map(drop)
}

pub(super) async fn set_pending(conn: &mut Conn, user: UserId, email: Option<&str>) -> QueryResult<()> {
    diesel::update(accounts::table.find(user)).set(accounts::pending_email.eq(email)).execute(conn).await.map(drop)
}

/// Takes an address from all who name it without having proven it.
pub(super) async fn take_from_others(conn: &mut Conn, owner: UserId, email: &str) -> QueryResult<()> {
    let unproven = accounts::table.filter(accounts::user_id.ne(owner)).filter(accounts::email_verified_at.is_null());
    diesel::update(unproven.filter(accounts::email.eq(email)))
        .set(accounts::email.eq(None::<String>))
        .execute(conn)
        .await?;
    let waiting = accounts::table.filter(accounts::user_id.ne(owner).and(accounts::pending_email.eq(email)));
    diesel::update(waiting).set(accounts::pending_email.eq(None::<String>)).execute(conn).await.map(drop)
}
