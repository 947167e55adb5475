//! Accounts and sessions.

use diesel::QueryResult;
use diesel::dsl::auto_type;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{SessionId, UserId};
use crate::schema::{accounts, sessions, users};
use crate::users::ServerRole;

define_sql_function!(fn pg_advisory_xact_lock(key: BigInt));

/// Of the advisory lock under which it is decided who is first; any constant will do.
const FIRST_ACCOUNT: i64 = 0x6669_7273_7431;

/// What somebody signs in with.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub struct Account {
    pub user_id: UserId,
    /// Theirs only once it is proven. `None` where somebody else has proven it.
    pub email: Option<String>,
    pub email_verified_at: Option<Instant>,
    /// What takes its place once it is proven.
    pub pending_email: Option<String>,
    pub password_hash: Option<String>,
    /// Since when signing in takes a second factor.
    pub second_factor_at: Option<Instant>,
}

impl Account {
    /// Where they can be mailed.
    pub fn proven_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified_at.is_some())
    }
}

/// A sign-in on one device.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub client_name: String,
    pub ip_address: Option<String>,
    pub(super) seed: Vec<u8>,
    pub(super) generation: i32,
    pub(super) refreshed_at: Instant,
    pub created_at: Instant,
    pub last_used_at: Instant,
    pub expires_at: Instant,
    pub ended_at: Option<Instant>,
}

impl Session {
    pub fn is_live(&self, now: Instant) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

pub(super) async fn account(conn: &mut Conn, id: UserId) -> QueryResult<Option<Account>> {
    accounts::table.find(id).select(Account::as_select()).first(conn).await.optional()
}

pub(super) async fn accounts_of(conn: &mut Conn, users: &[UserId]) -> QueryResult<Vec<Account>> {
    accounts::table.filter(accounts::user_id.eq_any(users)).select(Account::as_select()).load(conn).await
}

/// The account, locked. Accounts are locked before sessions.
pub(super) async fn lock_account(conn: &mut Conn, id: UserId) -> QueryResult<Option<Account>> {
    accounts::table.find(id).select(Account::as_select()).for_no_key_update().first(conn).await.optional()
}

pub(super) async fn insert_account(
    conn: &mut Conn,
    id: UserId,
    email: &str,
    password_hash: &str,
    now: Instant,
) -> QueryResult<()> {
    let row = (
        accounts::user_id.eq(id),
        accounts::email.eq(email),
        accounts::password_hash.eq(password_hash),
        accounts::created_at.eq(now),
    );
    diesel::insert_into(accounts::table).values(row).execute(conn).await.map(drop)
}

/// One that has neither an address nor a password.
pub(super) async fn insert_bare_account(conn: &mut Conn, id: UserId, now: Instant) -> QueryResult<()> {
    let row = (accounts::user_id.eq(id), accounts::created_at.eq(now));
    diesel::insert_into(accounts::table).values(row).execute(conn).await.map(drop)
}

/// The one whose address this is, proven.
#[auto_type]
fn proven<'a>(email: &'a str) -> _ {
    accounts::table.filter(accounts::email.eq(email).and(accounts::email_verified_at.is_not_null()))
}

pub(super) async fn owner_of(conn: &mut Conn, email: &str) -> QueryResult<Option<Account>> {
    proven(email).select(Account::as_select()).first(conn).await.optional()
}

pub(super) async fn lock_owner_of(conn: &mut Conn, email: &str) -> QueryResult<Option<Account>> {
    proven(email).select(Account::as_select()).for_no_key_update().first(conn).await.optional()
}

/// Has the row say which transaction was here last, as its trigger does.
pub(super) async fn touch_account(conn: &mut Conn, id: UserId) -> QueryResult<()> {
    diesel::update(accounts::table.find(id)).set(accounts::user_id.eq(id)).execute(conn).await.map(drop)
}

pub(super) async fn is_email_proven(conn: &mut Conn, email: &str) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(proven(email))).get_result(conn).await
}

pub(super) async fn lock_first_account(conn: &mut Conn) -> QueryResult<()> {
    diesel::select(pg_advisory_xact_lock(FIRST_ACCOUNT)).execute(conn).await.map(drop)
}

/// Whether anybody can sign in with a password.
pub(super) async fn is_any_account(conn: &mut Conn) -> QueryResult<bool> {
    let with_password = accounts::table.filter(accounts::password_hash.is_not_null());
    diesel::select(diesel::dsl::exists(with_password)).get_result(conn).await
}

/// Whether anybody who can sign in runs the server.
pub(super) async fn is_any_admin(conn: &mut Conn) -> QueryResult<bool> {
    let admins = accounts::table.inner_join(users::table).filter(users::role.eq(ServerRole::Admin));
    diesel::select(diesel::dsl::exists(admins)).get_result(conn).await
}

/// Whose password to look at, by handle or address: no handle has an @, so one of two indexes serves. An address that
/// nobody has proven may stand in several accounts: the proven one counts, else the oldest.
pub(super) async fn to_sign_in(conn: &mut Conn, identifier: &str) -> QueryResult<Option<(UserId, Option<String>)>> {
    let found = accounts::table
        .inner_join(users::table)
        .filter(users::deleted_at.is_null())
        .select((users::id, accounts::password_hash))
        .into_boxed();
    let found = match identifier.contains('@') {
        true => found
            .filter(accounts::email.eq(identifier))
            .order((accounts::email_verified_at.is_null(), accounts::created_at)),
        false => found.filter(users::username.eq(identifier)),
    };
    found.first(conn).await.optional()
}

pub(super) async fn insert_session(conn: &mut Conn, session: &Session) -> QueryResult<()> {
    diesel::insert_into(sessions::table).values(session).execute(conn).await.map(drop)
}

pub(super) async fn sessions(conn: &mut Conn, ids: &[SessionId]) -> QueryResult<Vec<Session>> {
    sessions::table.filter(sessions::id.eq_any(ids)).select(Session::as_select()).load(conn).await
}

/// Those of somebody that have not ended, last used first.
pub(super) async fn sessions_of(conn: &mut Conn, user: UserId, now: Instant) -> QueryResult<Vec<Session>> {
    live_of(user, now)
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .select(Session::as_select())
        .load(conn)
        .await
}

/// And those beyond this many, used least lately.
pub(super) async fn sessions_beyond(
    conn: &mut Conn,
    user: UserId,
    now: Instant,
    many: i64,
) -> QueryResult<Vec<SessionId>> {
    live_of(user, now)
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .offset(many)
        .select(sessions::id)
        .load(conn)
        .await
}

/// Locks those of somebody that have not ended, in the order of their ids.
pub(super) async fn lock_sessions_of(conn: &mut Conn, user: UserId, now: Instant) -> QueryResult<Vec<SessionId>> {
    live_of(user, now).order(sessions::id).select(sessions::id).for_update().load(conn).await
}

#[diesel::dsl::auto_type]
fn live_of(user: UserId, now: Instant) -> _ {
    sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::ended_at.is_null()).and(sessions::expires_at.gt(now)))
}

/// Whether a session is somebody's, ended or not.
pub(super) async fn is_session_of(conn: &mut Conn, id: SessionId, user: UserId) -> QueryResult<bool> {
    let found = sessions::table.find(id).filter(sessions::user_id.eq(user));
    diesel::select(diesel::dsl::exists(found)).get_result(conn).await
}

pub(super) async fn lock_session(conn: &mut Conn, id: SessionId) -> QueryResult<Option<Session>> {
    sessions::table.find(id).select(Session::as_select()).for_update().first(conn).await.optional()
}

pub(super) async fn save_refresh(conn: &mut Conn, session: &Session) -> QueryResult<()> {
    diesel::update(sessions::table.find(session.id))
        .set((
            sessions::generation.eq(session.generation),
            sessions::refreshed_at.eq(session.refreshed_at),
            sessions::last_used_at.eq(session.last_used_at),
            sessions::ip_address.eq(&session.ip_address),
            sessions::expires_at.eq(session.expires_at),
        ))
        .execute(conn)
        .await
        .map(drop)
}

pub(super) async fn end_session(conn: &mut Conn, id: SessionId, now: Instant) -> QueryResult<()> {
    diesel::update(sessions::table.find(id).filter(sessions::ended_at.is_null()))
        .set(sessions::ended_at.eq(now))
        .execute(conn)
        .await
        .map(drop)
}

pub(super) async fn session_expires_at(conn: &mut Conn, id: SessionId) -> QueryResult<Option<Instant>> {
    sessions::table
        .find(id)
        .filter(sessions::ended_at.is_null())
        .select(sessions::expires_at)
        .first(conn)
        .await
        .optional()
}

/// Deletes sessions that expired or ended before, up to `limit` of each, and answers how many.
pub(super) async fn delete_sessions_over(conn: &mut Conn, before: Instant, limit: i64) -> QueryResult<usize> {
    // There is an index for each.
    let expired = sessions::table.filter(sessions::expires_at.lt(before)).order(sessions::expires_at).limit(limit);
    let mut over = expired.select(sessions::id).load::<SessionId>(conn).await?;
    let ended = sessions::table.filter(sessions::ended_at.lt(before)).order(sessions::ended_at).limit(limit);
    over.extend(ended.select(sessions::id).load::<SessionId>(conn).await?);
    diesel::delete(sessions::table.filter(sessions::id.eq_any(over))).execute(conn).await
}

/// Deletes what somebody signs in with.
pub(super) async fn delete_account(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::delete(accounts::table.find(user)).execute(conn).await.map(drop)
}

/// Forgets from where somebody has signed in. That the sessions were there is kept, so that their tokens are known.
pub(super) async fn forget_clients(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::update(sessions::table.filter(sessions::user_id.eq(user)))
        .set((sessions::client_name.eq(""), sessions::ip_address.eq(None::<String>)))
        .execute(conn)
        .await
        .map(drop)
}
