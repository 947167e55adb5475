//! Where viewers' streams stand now.

use super::store;
use crate::context::Scope;
use crate::db::Db;
use crate::error::Result;
use crate::realtime::viewers::{Moment, Position};

/// A position before everything that is read from now on.
pub async fn position(db: &Db) -> Result<Position> {
    Ok(Position::at(Moment::of(db.read(async |conn| store::moment(conn).await).await?)))
}

/// Takes it down for a request, before anything else of it is looked up.
pub async fn note_position(scope: &Scope) -> Result<()> {
    scope.stand_at(position(&scope.app().db).await?);
    Ok(())
}
