//! The audit's table.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{AuditId, UserId};
use crate::schema::audit_entries;

pub(super) async fn insert(
    conn: &mut Conn,
    id: AuditId,
    at: Instant,
    actor: Option<UserId>,
    action: &str,
    subject: String,
    details: Value,
) -> QueryResult<()> {
    let row = (
        audit_entries::id.eq(id),
        audit_entries::at.eq(at),
        audit_entries::actor_id.eq(actor),
        audit_entries::action.eq(action),
        audit_entries::subject_id.eq(subject),
        audit_entries::details.eq(details),
    );
    diesel::insert_into(audit_entries::table).values(row).execute(conn).await.map(drop)
}
