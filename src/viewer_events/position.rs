//! Where viewers' streams stand now.

use super::store;
use crate::app::App;
use crate::context::Scope;
use crate::error::Result;
use crate::realtime::viewers::{Moment, Position};

/// A position before everything that is read from now on.
pub async fn position(app: &App) -> Result<Position> {
    let at = app.clock.now();
    Ok(Position::at(Moment::of(app.db.read(async |conn| store::moment(conn).await).await?, at)))
}

/// Takes it down for a request, before anything else of it is looked up.
pub async fn note_position(scope: &Scope) -> Result<()> {
    scope.stand_at(position(scope.app()).await?);
    Ok(())
}
