//! A database in the private cluster.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::connect;
use crate::error::{Error, Result};

diesel::table! {
    pg_database (datname) {
        datname -> Text,
    }
}

/// Creates a database on the server at `url`, the address of another database there, unless it exists.
pub async fn create_database(url: &str, name: &str) -> Result<()> {
    let mut conn = connect::establish(url.to_owned(), "").await.map_err(Error::unavailable)?;
    // Not to spare the attempt, but the line it would leave in PostgreSQL's log at every start.
    let found: i64 = pg_database::table.filter(pg_database::datname.eq(name)).count().get_result(&mut conn).await?;
    if found > 0 {
        return Ok(());
    }
    conn.batch_execute("SET statement_timeout = 0").await?;
    match conn.batch_execute(&format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""))).await {
        // Somebody was faster.
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(()),
        Err(DieselError::DatabaseError(_, about)) if about.message().ends_with("already exists") => Ok(()),
        done => Ok(done?),
    }
}
