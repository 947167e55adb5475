//! Catching up, for those who ask instead of listening.

use super::{rows, store};
use crate::app::App;
use crate::error::{Error, Result};
use crate::page::MOST;
use crate::realtime::viewers::{Batch, Moment, Position, REPLAYED};
use crate::text::Fault;
use crate::viewer::Viewer;

/// What a stream that resumes `after` a position would tell, up to `first` of it.
pub async fn catch_up(app: &App, viewer: &Viewer, after: Position, first: i32) -> Result<Batch> {
    let first = usize::try_from(first).ok().filter(|first| *first <= MOST);
    let first = first.ok_or_else(|| Error::bad_input(vec![Fault::out_of_range(0, MOST).of_argument("first")]))?;
    let (user_id, at) = (viewer.user_id, app.clock.now());
    app.db
        .read(async move |conn| {
            // Before the rows: what is committed in between is told again.
            let now = Moment::of(store::moment(conn).await?, at);
            let Some(since) = after.resumes(now) else { return Ok(Batch::gap(Position::at(now))) };
            let mut rows = rows::of_each(1, store::changed_since(conn, &[(user_id, since)]).await?).concat();
            rows.retain(|row| !after.has_told((row.changed, row.subject)));
            if rows.len() > REPLAYED {
                return Ok(Batch::gap(Position::at(now)));
            }
            rows.sort_by_key(|row| (row.changed, row.subject));
            let waits = rows.len() > first;
            rows.truncate(first);
            // A page ends within what was found; once it is all told, what was written meanwhile is still to come.
            let goes_on = after.goes_on().unwrap_or_else(|| Position::at(now));
            let position = match (waits, rows.last()) {
                (true, Some(last)) => goes_on.having_told((last.changed, last.subject)),
                (true, None) => after,
                (false, _) => goes_on,
            };
            let changes = rows.into_iter().map(|row| (row.subject, row.at, row.joined >= Some(since)));
            Ok(Batch::answering(changes.collect(), position, !waits))
        })
        .await
}
