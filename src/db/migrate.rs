//! Migrations, at each start.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connect;
use crate::error::{Error, Result};

pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Of the advisory lock under which one server at a time migrates; any constant will do.
const LOCK: i64 = 0x0063_6869_6e77_6167;
/// Between two looks at that lock. It is polled, not waited for: a waiting statement holds a snapshot, for which
/// `CREATE INDEX CONCURRENTLY` of the one who migrates would wait in turn.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

define_sql_function!(fn pg_try_advisory_lock(key: BigInt) -> Bool);

/// Brings the database at this address to the newest schema. Several servers may call it at once. Answers how many
/// migrations it ran.
pub async fn migrate(url: &str) -> Result<usize> {
    let mut conn = connect::establish(url.to_owned(), "").await.map_err(Error::unavailable)?;
    // An index on a large table may take as long as it takes.
    conn.batch_execute("SET statement_timeout = 0").await?;
    while !diesel::select(pg_try_advisory_lock(LOCK)).get_result::<bool>(&mut conn).await? {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    // The harness blocks; the lock goes with the connection.
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        harness.run_pending_migrations(MIGRATIONS).map(|ran| ran.len()).map_err(Error::internal)
    })
    .await
    .map_err(Error::internal)?
}
