//! Where time comes from. Nothing else reads the clock: expiry, grace periods and time-outs of the domain are then one
//! `clock.advance` in a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// An instant of the domain, in UTC, with milliseconds at most.
pub type Instant = DateTime<Utc>;

/// The server's clock. A clone shows the same time.
#[derive(Clone, Default)]
pub struct Clock {
    /// Milliseconds by which this clock is ahead of the system's; zero but in tests.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// Now, cut to milliseconds: what the API shows is then what the database keeps.
    pub fn now(&self) -> Instant {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
        let system = Utc::now();
        (system + TimeDelta::milliseconds(self.ahead.load(Ordering::Relaxed))).trunc_subsecs(3)
    }

    /// Lets time pass at once, for this clock and its clones.
    pub fn advance(&self, by: TimeDelta) {
        self.ahead.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}
