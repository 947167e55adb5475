//! The jobs' table.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Instant;
use crate::db::{Conn, Statement, insert_many};
use crate::id::JobId;
use crate::schema::jobs;

/// A job that is enqueued.
pub(super) struct Row {
    pub id: JobId,
    pub kind: String,
    pub unique_key: Option<String>,
    pub payload: Value,
    pub due_at: Instant,
    pub enqueued_at: Instant,
}

/// How many of a kind are taken at most, and for how long.
pub(super) struct Wanted {
    pub kind: &'static str,
    pub until: Instant,
    pub room: i64,
}

/// A job that this server may run until its lease ends.
#[derive(Clone, Queryable)]
pub(super) struct Leased {
    pub id: JobId,
    pub kind: String,
    pub payload: Value,
    pub attempts: i32,
    pub lease: Uuid,
}

/// What may have changed of a job while it ran.
#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub(super) struct Since {
    pub unique_key: Option<String>,
    pub payload: Value,
    pub again_at: Option<Instant>,
}

/// A job that failed for good.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct DeadLetter {
    pub id: JobId,
    pub kind: String,
    pub unique_key: Option<String>,
    pub payload: Value,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub died_at: Option<Instant>,
}

insert_many! {
    /// One that waits runs at the earlier time, but after a failed attempt at that of its next one; one that runs, once more.
    /// What a job is to do is what was said last.
    Insert(Row) into "jobs" {
        id: JobId as SqlUuid,
        kind: String as Text,
        unique_key: Option<String> as Nullable<Text>,
        payload: Value as Jsonb,
        due_at: Instant as Timestamptz,
        enqueued_at: Instant as Timestamptz,
    }
    then " ON CONFLICT (kind, unique_key) WHERE died_at IS NULL DO UPDATE SET payload = excluded.payload, \
        due_at = CASE WHEN jobs.attempts = 0 THEN least(jobs.due_at, excluded.due_at) ELSE jobs.due_at END, \
        again_at = CASE WHEN jobs.lease IS NOT NULL THEN least(jobs.again_at, excluded.due_at) END"
}

insert_many! {
    /// What is there stays as it is.
    InsertMissing(Row) into "jobs" {
        id: JobId as SqlUuid,
        kind: String as Text,
        unique_key: Option<String> as Nullable<Text>,
        payload: Value as Jsonb,
        due_at: Instant as Timestamptz,
        enqueued_at: Instant as Timestamptz,
    }
    then " ON CONFLICT DO NOTHING"
}

pub(super) async fn insert_missing(conn: &mut Conn, rows: &[Row]) -> QueryResult<()> {
    InsertMissing::of(rows).execute(conn).await.map(drop)
}

pub(super) async fn insert(conn: &mut Conn, rows: &[Row]) -> QueryResult<()> {
    Insert::of(rows).execute(conn).await.map(drop)
}

/// Leases what is due, that which is due longest first. What another server is just taking is passed over, and so is what
/// runs here.
pub(super) async fn take(
    conn: &mut Conn,
    wanted: &[Wanted],
    running: Vec<JobId>,
    lease: Uuid,
    now: Instant,
    most: i64,
) -> QueryResult<Vec<Leased>> {
    let kinds: Vec<_> = wanted.iter().map(|wanted| wanted.kind.to_owned()).collect();
    let until: Vec<_> = wanted.iter().map(|wanted| wanted.until).collect();
    let room: Vec<_> = wanted.iter().map(|wanted| wanted.room).collect();
    // Materialized, as rows are locked in it: it must not be read twice.
    Statement::<(SqlUuid, Text, Jsonb, Integer, SqlUuid)>::new(
        "WITH taken AS MATERIALIZED (SELECT due.id, kinds.until FROM unnest(",
    )
    .value::<Array<Text>, _>(kinds)
    .sql(", ")
    .value::<Array<Timestamptz>, _>(until)
    .sql(", ")
    .value::<Array<BigInt>, _>(room)
    .sql(
        ") AS kinds (kind, until, room) CROSS JOIN LATERAL (SELECT id, due_at FROM jobs \
         WHERE jobs.kind = kinds.kind AND died_at IS NULL AND due_at <= ",
    )
    .value::<Timestamptz, _>(now)
    .sql(" AND jobs.id <> ALL (")
    .value::<Array<SqlUuid>, _>(running)
    .sql(") ORDER BY due_at LIMIT kinds.room FOR UPDATE SKIP LOCKED) AS due ORDER BY due.due_at LIMIT ")
    .value::<BigInt, _>(most)
    .sql(") UPDATE jobs SET attempts = attempts + 1, due_at = taken.until, lease = ")
    .value::<SqlUuid, _>(lease)
    .sql(" FROM taken WHERE jobs.id = taken.id RETURNING jobs.id, kind, payload, attempts, lease")
    .load(conn)
    .await
}

/// Locks a job that ran; `None` where its lease was lost.
pub(super) async fn lock(conn: &mut Conn, job: &Leased) -> QueryResult<Option<Since>> {
    let mine = jobs::table.find(job.id).filter(jobs::lease.eq(job.lease));
    mine.select(Since::as_select()).for_update().first(conn).await.optional()
}

pub(super) async fn delete(conn: &mut Conn, id: JobId) -> QueryResult<()> {
    diesel::delete(jobs::table.find(id)).execute(conn).await.map(drop)
}

/// As new, for another time.
pub(super) async fn renew(conn: &mut Conn, id: JobId, at: Instant) -> QueryResult<()> {
    let new = (
        jobs::due_at.eq(at),
        jobs::attempts.eq(0),
        jobs::lease.eq(None::<Uuid>),
        jobs::again_at.eq(None::<Instant>),
        jobs::last_error.eq(None::<String>),
    );
    diesel::update(jobs::table.find(id)).set(new).execute(conn).await.map(drop)
}

/// For another attempt.
pub(super) async fn put_back(conn: &mut Conn, id: JobId, error: &str, at: Instant) -> QueryResult<()> {
    let failed = (
        jobs::due_at.eq(at),
        jobs::lease.eq(None::<Uuid>),
        jobs::again_at.eq(None::<Instant>),
        jobs::last_error.eq(error),
    );
    diesel::update(jobs::table.find(id)).set(failed).execute(conn).await.map(drop)
}

pub(super) async fn bury(conn: &mut Conn, id: JobId, error: &str, now: Instant) -> QueryResult<()> {
    let dead = (
        jobs::died_at.eq(now),
        jobs::lease.eq(None::<Uuid>),
        jobs::again_at.eq(None::<Instant>),
        jobs::last_error.eq(error),
    );
    diesel::update(jobs::table.find(id)).set(dead).execute(conn).await.map(drop)
}

/// Gives jobs back that were not done: for others to take at once, as if nobody had begun them.
pub(super) async fn release(conn: &mut Conn, left: &[Leased], now: Instant) -> QueryResult<()> {
    for job in left {
        let mine = jobs::table.find(job.id).filter(jobs::lease.eq(job.lease));
        let released = (
            jobs::due_at.eq(now),
            jobs::attempts.eq(jobs::attempts - 1),
            jobs::lease.eq(None::<Uuid>),
            jobs::again_at.eq(None::<Instant>),
        );
        diesel::update(mine).set(released).execute(conn).await?;
    }
    Ok(())
}

pub(super) async fn dead(conn: &mut Conn) -> QueryResult<Vec<DeadLetter>> {
    let dead = jobs::table.filter(jobs::died_at.is_not_null()).order((jobs::died_at, jobs::id));
    dead.select(DeadLetter::as_select()).load(conn).await
}

/// Up to `most`.
pub(super) async fn count_dead(conn: &mut Conn, most: i64) -> QueryResult<i64> {
    let dead = Statement::<BigInt>::new("SELECT count(*) FROM (SELECT FROM jobs WHERE died_at IS NOT NULL LIMIT ");
    dead.value::<BigInt, _>(most).sql(") AS dead").get_result(conn).await
}

/// Deletes dead ones, or all of them, and answers what they were.
pub(super) async fn exhume(conn: &mut Conn, ids: Option<&[JobId]>) -> QueryResult<Vec<DeadLetter>> {
    let mut dead = diesel::delete(jobs::table.filter(jobs::died_at.is_not_null())).into_boxed();
    if let Some(ids) = ids {
        dead = dead.filter(jobs::id.eq_any(ids));
    }
    dead.returning(DeadLetter::as_select()).get_results(conn).await
}
