//! The users' table.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::ServerRole;
use crate::clock::Instant;
use crate::db::{Conn, insert_many};
use crate::id::UserId;
use crate::schema::users;

/// Somebody.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub display_name: String,
    pub bio: Option<String>,
    pub role: ServerRole,
    pub is_claimed: bool,
    pub version: i32,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub deleted_at: Option<Instant>,
}

pub(super) async fn insert(conn: &mut Conn, user: &User) -> QueryResult<()> {
    diesel::insert_into(users::table).values(user).execute(conn).await.map(drop)
}

insert_many! {
    InsertMany(User) into "users" {
        id: UserId as SqlUuid,
        username: String as Text,
        display_name: String as Text,
        bio: Option<String> as Nullable<Text>,
        role: ServerRole as Text,
        is_claimed: bool as Bool,
        version: i32 as Integer,
        created_at: Instant as Timestamptz,
        updated_at: Instant as Timestamptz,
        deleted_at: Option<Instant> as Nullable<Timestamptz>,
    }
}

pub(super) async fn insert_many(conn: &mut Conn, users: &[User]) -> QueryResult<()> {
    InsertMany::of(users).execute(conn).await.map(drop)
}

pub(super) async fn by_ids(conn: &mut Conn, ids: &[UserId]) -> QueryResult<Vec<User>> {
    users::table.filter(users::id.eq_any(ids)).select(User::as_select()).load(conn).await
}

pub(super) async fn by_username(conn: &mut Conn, username: &str) -> QueryResult<Option<User>> {
    users::table.filter(users::username.eq(username)).select(User::as_select()).first(conn).await.optional()
}

pub(super) async fn role(conn: &mut Conn, id: UserId) -> QueryResult<ServerRole> {
    users::table.find(id).select(users::role).first(conn).await
}

pub(super) async fn first_admin(conn: &mut Conn) -> QueryResult<Option<UserId>> {
    users::table
        .filter(users::role.eq(ServerRole::Admin).and(users::deleted_at.is_null()))
        .order((users::created_at, users::id))
        .select(users::id)
        .first(conn)
        .await
        .optional()
}

pub(super) async fn reachable(conn: &mut Conn, ids: &[UserId]) -> QueryResult<Vec<UserId>> {
    users::table
        .filter(users::id.eq_any(ids).and(users::is_claimed).and(users::deleted_at.is_null()))
        .select(users::id)
        .load(conn)
        .await
}

pub(super) async fn existing(conn: &mut Conn, ids: &[UserId]) -> QueryResult<Vec<UserId>> {
    users::table.filter(users::id.eq_any(ids)).select(users::id).load(conn).await
}

pub(super) async fn set_role(conn: &mut Conn, id: UserId, role: ServerRole, now: Instant) -> QueryResult<()> {
    diesel::update(users::table.find(id))
        .set((users::role.eq(role), users::updated_at.eq(now), users::version.eq(users::version + 1)))
        .execute(conn)
        .await
        .map(drop)
}
