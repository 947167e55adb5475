//! The users' table.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::directory::{PeopleCursor, PeopleFilter, Place};
use super::{Among, ServerRole, UserOrderField};
use crate::clock::Instant;
use crate::db::{Conn, beginning_with, insert_many, lower};
use crate::id::UserId;
use crate::page::{Direction, Order, OrderDirection, Window};
use crate::schema::{held_usernames, preferences, presences, users};

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
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

pub(super) async fn existing(mut conn: &Conn, ids: &[UserId]) -> QueryResult<Vec<UserId>> {
    users::table.filter(users::id.eq_any(ids)).select(users::id).load(&mut conn).await
}

pub(super) async fn set_role(conn: &mut Conn, id: UserId, role: ServerRole, now: Instant) -> QueryResult<()> {
    diesel::update(users::table.find(id))
        .set((users::role.eq(role), users::updated_at.eq(now), users::version.eq(users::version + 1)))
        .execute(conn)
        .await
        .map(drop)
}

/// Somebody, locked. Not `FOR UPDATE`: foreign keys may still look.
pub(super) async fn lock(conn: &mut Conn, id: UserId) -> QueryResult<Option<User>> {
    users::table.find(id).select(User::as_select()).for_no_key_update().first(conn).await.optional()
}

/// Somebody, locked against all who would refer to them.
pub(super) async fn lock_for_good(conn: &mut Conn, id: UserId) -> QueryResult<Option<User>> {
    users::table.find(id).select(User::as_select()).for_update().first(conn).await.optional()
}

/// Those who can sign in and run the server, locked in the order of their ids.
pub(super) async fn lock_admins(conn: &mut Conn) -> QueryResult<Vec<UserId>> {
    users::table
        // In the words of the index of those few.
        .filter(diesel::dsl::sql::<Bool>("users.role <> 'USER'"))
        .filter(users::role.eq(ServerRole::Admin).and(users::is_claimed).and(users::deleted_at.is_null()))
        .order(users::id)
        .select(users::id)
        .for_no_key_update()
        .load(conn)
        .await
}

pub(super) async fn save_gone(conn: &mut Conn, user: &User) -> QueryResult<()> {
    let is_gone = (users::role.eq(user.role), users::deleted_at.eq(user.deleted_at));
    save_profile(conn, user).await?;
    diesel::update(users::table.find(user.id)).set(is_gone).execute(conn).await.map(drop)
}

/// Violates `users_username_key` where somebody has the handle.
pub(super) async fn save_profile(conn: &mut Conn, user: &User) -> QueryResult<()> {
    diesel::update(users::table.find(user.id))
        .set((
            users::username.eq(&user.username),
            users::display_name.eq(&user.display_name),
            users::bio.eq(&user.bio),
            users::version.eq(user.version),
            users::updated_at.eq(user.updated_at),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Handles and names of all ADMINs but one.
pub(super) async fn names_of_admins(conn: &mut Conn, but: UserId) -> QueryResult<Vec<(String, String)>> {
    users::table
        // In the words of the index of those few.
        .filter(diesel::dsl::sql::<Bool>("users.role <> 'USER'"))
        .filter(users::role.eq(ServerRole::Admin).and(users::id.ne(but)))
        .select((users::username, users::display_name))
        .load(conn)
        .await
}

/// Until when handles are held for somebody.
pub(super) async fn held_for(conn: &mut Conn, user: UserId, now: Instant) -> QueryResult<Vec<Instant>> {
    use held_usernames as h;
    h::table.filter(h::user_id.eq(user).and(h::held_until.gt(now))).select(h::held_until).load(conn).await
}

/// For whom a handle is held.
pub(super) async fn holder_of_username(conn: &mut Conn, name: &str, now: Instant) -> QueryResult<Option<UserId>> {
    use held_usernames as h;
    h::table.find(name).filter(h::held_until.gt(now)).select(h::user_id).first(conn).await.optional()
}

pub(super) async fn hold_username(conn: &mut Conn, user: UserId, name: &str, until: Instant) -> QueryResult<()> {
    use held_usernames as h;
    let held = (h::user_id.eq(user), h::held_until.eq(until));
    diesel::insert_into(h::table)
        .values((h::username.eq(name), held))
        .on_conflict(h::username)
        .do_update()
        .set(held)
        .execute(conn)
        .await
        .map(drop)
}

pub(super) async fn release_username(conn: &mut Conn, name: &str) -> QueryResult<()> {
    diesel::delete(held_usernames::table.find(name)).execute(conn).await.map(drop)
}

pub(super) async fn free_usernames(conn: &mut Conn, now: Instant) -> QueryResult<()> {
    diesel::delete(held_usernames::table.filter(held_usernames::held_until.le(now))).execute(conn).await.map(drop)
}

/// Somebody, with what a list may be ordered by.
#[derive(Queryable)]
pub(super) struct Listed {
    pub user: User,
    pub folded_name: String,
    pub last_seen_at: Option<Instant>,
}

/// A page of those who can sign in and are not gone.
pub(super) async fn people(
    conn: &mut Conn,
    viewer: UserId,
    filter: &PeopleFilter,
    order: Order<UserOrderField>,
    window: &Window<PeopleCursor>,
) -> QueryResult<Vec<Listed>> {
    let name = lower(users::display_name);
    let last_seen_at = presences::last_seen_at.assume_not_null();
    let mut query = users::table
        .left_join(presences::table)
        .left_join(preferences::table)
        .filter(users::is_claimed.and(users::deleted_at.is_null()))
        .select((User::as_select(), name, presences::last_seen_at.nullable()))
        .limit(window.fetch())
        .into_boxed();
    if let Some(search) = &filter.search {
        let begins = beginning_with(search);
        query = query.filter(name.like(begins.clone()).or(users::username.like(begins)));
    }
    if let Some(roles) = &filter.roles {
        query = query.filter(users::role.eq_any(roles));
        if !roles.contains(&ServerRole::User) {
            // In the words of the index of those few.
            query = query.filter(diesel::dsl::sql::<Bool>("users.role <> 'USER'"));
        }
    }
    match &filter.among {
        Some(Among::Only(people)) => query = query.filter(users::id.eq_any(people)),
        Some(Among::AllBut(people)) => query = query.filter(users::id.ne_all(people)),
        None => {}
    }
    if order.field == UserOrderField::LastSeen {
        let shares = preferences::shares_last_seen.nullable().is_distinct_from(false);
        query = query
            .filter(presences::last_seen_at.is_not_null())
            .filter(shares.or(users::id.eq(viewer)))
            // `FROM` the function, which diesel cannot say: PostgreSQL looks into it then, and else calls it as it stands.
            .filter(
                diesel::dsl::sql::<Bool>("users.id IN (SELECT * FROM people_shown_to(")
                    .bind::<SqlUuid, _>(viewer)
                    .sql("))"),
            );
    }
    let is_ascending = order.direction == OrderDirection::Asc;
    let (above, below) = match is_ascending {
        true => (&window.after, &window.before),
        false => (&window.before, &window.after),
    };
    // The first condition of each is the index's; the second settles a tie.
    query = match above.as_ref().map(PeopleCursor::place) {
        Some(Place::Name(at, id)) => query.filter(name.ge(at)).filter(name.gt(at).or(users::id.gt(id))),
        Some(Place::LastSeen(at, id)) => {
            query.filter(last_seen_at.ge(at)).filter(last_seen_at.gt(at).or(users::id.gt(id)))
        }
        Some(Place::CreatedAt(at, id)) => {
            query.filter(users::created_at.ge(at)).filter(users::created_at.gt(at).or(users::id.gt(id)))
        }
        None => query,
    };
    query = match below.as_ref().map(PeopleCursor::place) {
        Some(Place::Name(at, id)) => query.filter(name.le(at)).filter(name.lt(at).or(users::id.lt(id))),
        Some(Place::LastSeen(at, id)) => {
            query.filter(last_seen_at.le(at)).filter(last_seen_at.lt(at).or(users::id.lt(id)))
        }
        Some(Place::CreatedAt(at, id)) => {
            query.filter(users::created_at.le(at)).filter(users::created_at.lt(at).or(users::id.lt(id)))
        }
        None => query,
    };
    let is_onward = is_ascending == (window.direction == Direction::Forward);
    // Those whose names begin alike stand together. PostgreSQL takes them to be scattered, and would read the index from
    // its end until it came to them; what it has to sort it looks up first.
    let sorted = name.concat("");
    query = match (order.field, is_onward) {
        (UserOrderField::Name, true) if filter.search.is_some() => query.order((sorted.asc(), users::id.asc())),
        (UserOrderField::Name, false) if filter.search.is_some() => query.order((sorted.desc(), users::id.desc())),
        (UserOrderField::Name, true) => query.order((name.asc(), users::id.asc())),
        (UserOrderField::Name, false) => query.order((name.desc(), users::id.desc())),
        (UserOrderField::LastSeen, true) => query.order((last_seen_at.asc(), users::id.asc())),
        (UserOrderField::LastSeen, false) => query.order((last_seen_at.desc(), users::id.desc())),
        (UserOrderField::CreatedAt, true) => query.order((users::created_at.asc(), users::id.asc())),
        (UserOrderField::CreatedAt, false) => query.order((users::created_at.desc(), users::id.desc())),
    };
    query.load(conn).await
}
