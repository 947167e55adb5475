//! Positions of viewers' streams, as clients keep them.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::Subject;
use crate::clock::Instant;
use crate::db::Xid;
use crate::page::{Cursor, Millis};

/// Of what stands in a cursor. One of another version cannot be resumed from, which is said in band.
const VERSION: u32 = 2;
/// For how long somebody can be away and be told all that they missed: what rows tell of is to be kept for as long.
pub const RESUMABLE: TimeDelta = TimeDelta::days(60);

/// Where the database stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Names the cluster, its timeline and the database: numbers of transactions mean nothing elsewhere, nor after it was
    /// set back.
    pub origin: i64,
    /// All transactions before this one were over.
    pub xmin: Xid,
    /// None had begun from this one on.
    pub xmax: Xid,
    pub at: Instant,
}

impl Moment {
    /// As the database says it, in the order above, and the clock.
    pub fn of((origin, xmin, xmax): (i64, Xid, Xid), at: Instant) -> Self {
        Self { origin, xmin, xmax, at }
    }
}

/// A position: all that was changed by transactions before it has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    version: u32,
    origin: i64,
    since: Xid,
    /// When that was.
    #[serde(default)]
    at: Millis,
    /// Within a replay in pages, the last row of the page: rows of one transaction may be more than a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<(Xid, Subject)>,
}

impl Cursor for Position {
    const LIST: &str = "viewerEvents";
}

impl Position {
    pub fn new(origin: i64, since: Xid, at: Instant) -> Self {
        Self { version: VERSION, origin, since, at: at.into(), told: None }
    }

    /// Before whatever is read after this moment.
    pub fn at(moment: Moment) -> Self {
        Self::new(moment.origin, moment.xmin, moment.at)
    }

    /// The same in a replay that has been told up to this row.
    pub fn having_told(self, row: (Xid, Subject)) -> Self {
        Self { told: Some(row), ..self }
    }

    /// From where the rows have to be read; `None` where they would not tell all: some of them are gone by now, or the database
    /// has not come that far or is another one.
    pub fn resumes(&self, now: Moment) -> Option<Xid> {
        let is_ours = self.version == VERSION && self.origin == now.origin;
        let is_kept = now.at <= Instant::from(self.at) + RESUMABLE;
        (is_ours && is_kept && self.since <= now.xmax && Xid(0) <= self.first()).then(|| self.first())
    }

    /// Whether a row was told in the pages before.
    pub fn has_told(&self, row: (Xid, Subject)) -> bool {
        self.told.is_some_and(|told| row <= told)
    }

    /// Whether this is in the middle of a replay; then where it goes on when that is over.
    pub fn goes_on(&self) -> Option<Self> {
        self.told.map(|_| Self { told: None, ..*self })
    }

    fn first(&self) -> Xid {
        self.told.map_or(self.since, |(xid, _)| xid.min(self.since))
    }
}
