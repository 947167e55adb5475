//! Linked accounts, and round trips that have begun.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{OAuthAccountId, SessionId, UserId};
use crate::schema::{oauth_accounts, oauth_states};

/// An account elsewhere, and whose it is here.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = oauth_accounts)]
pub struct Linked {
    pub id: OAuthAccountId,
    pub user_id: UserId,
    pub issuer: String,
    pub subject: String,
    pub label: String,
    pub linked_at: Instant,
}

/// A round trip.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = oauth_states)]
pub(super) struct State {
    /// To whose viewer the account is to be linked; `None` to sign in.
    pub session_id: Option<SessionId>,
    pub provider: String,
    pub redirect_url: String,
    pub code_challenge: String,
    pub expires_at: Instant,
}

pub(super) async fn find(conn: &mut Conn, issuer: &str, subject: &str) -> QueryResult<Option<Linked>> {
    use oauth_accounts as a;
    let found = a::table.filter(a::issuer.eq(issuer).and(a::subject.eq(subject)));
    found.select(Linked::as_select()).first(conn).await.optional()
}

pub(super) async fn of_user(conn: &mut Conn, user: UserId) -> QueryResult<Vec<Linked>> {
    use oauth_accounts as a;
    a::table.filter(a::user_id.eq(user)).order(a::id).select(Linked::as_select()).load(conn).await
}

pub(super) async fn by_ids(conn: &mut Conn, ids: &[OAuthAccountId]) -> QueryResult<Vec<Linked>> {
    oauth_accounts::table.filter(oauth_accounts::id.eq_any(ids)).select(Linked::as_select()).load(conn).await
}

/// Violates `oauth_accounts_issuer_subject_key` where it is linked.
pub(super) async fn insert(conn: &mut Conn, linked: &Linked) -> QueryResult<()> {
    diesel::insert_into(oauth_accounts::table).values(linked).execute(conn).await.map(drop)
}

pub(super) async fn delete(conn: &mut Conn, id: OAuthAccountId) -> QueryResult<()> {
    diesel::delete(oauth_accounts::table.find(id)).execute(conn).await.map(drop)
}

pub(super) async fn delete_all(conn: &mut Conn, user: UserId) -> QueryResult<()> {
    diesel::delete(oauth_accounts::table.filter(oauth_accounts::user_id.eq(user))).execute(conn).await.map(drop)
}

pub(super) async fn insert_state(conn: &mut Conn, digest: &[u8], state: &State) -> QueryResult<()> {
    let row = (oauth_states::digest.eq(digest), state);
    diesel::insert_into(oauth_states::table).values(row).execute(conn).await.map(drop)
}

/// Takes a state that has not expired, by whoever can show what its challenge was made of, and in the session it is bound to,
/// if any. One statement, so that the database decides who of two was first; who may not have it leaves it where it is.
pub(super) async fn take_state(
    conn: &mut Conn,
    digest: &[u8],
    challenge: &str,
    session: Option<SessionId>,
    now: Instant,
) -> QueryResult<Option<State>> {
    use oauth_states as s;
    diesel::delete(s::table.find(digest))
        .filter(s::expires_at.gt(now).and(s::code_challenge.eq(challenge)))
        .filter(s::session_id.is_null().or(s::session_id.eq(session)))
        .returning(State::as_returning())
        .get_result(conn)
        .await
        .optional()
}

pub(super) async fn delete_expired_states(conn: &mut Conn, now: Instant) -> QueryResult<()> {
    diesel::delete(oauth_states::table.filter(oauth_states::expires_at.le(now))).execute(conn).await.map(drop)
}
