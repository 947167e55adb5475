//! Where viewers' streams stand now.

use crate::context::Scope;
use crate::db::Db;
use crate::error::Result;
use crate::realtime::viewers::Position;

use super::store;

/// A position before everything that is read from now on.
pub async fn position(db: &Db) -> Result<Position> {
    Ok(Position::at(db.read(async |conn| store::moment(conn).await).await?))
}

/// Takes it down for a request, before anything else of it is looked up.
pub async fn note_position(scope: &Scope) -> Result<()> {
    scope.stand_at(position(&scope.app().db).await?);
    Ok(())
}
