//! Where time comes from. Nothing else reads the clock: expiry, grace periods and time-outs of the domain are then one
//! `clock.advance` in a test.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::sync::watch;

/// An instant of the domain, in UTC, with milliseconds at most.
pub type Instant = DateTime<Utc>;

/// The server's clock. A clone shows the same time.
#[derive(Clone, Default)]
pub struct Clock {
    /// Milliseconds by which this clock is ahead of the system's; zero but in tests.
    ahead: watch::Sender<i64>,
}

impl Clock {
    /// Now, cut to milliseconds: what the API shows is then what the database keeps.
    pub fn now(&self) -> Instant {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
        let system = Utc::now();
        (system + TimeDelta::milliseconds(*self.ahead.borrow())).trunc_subsecs(3)
    }

    /// Time that has passed since some moment before its first use. It only ever grows, however the clock is set.
    pub fn uptime(&self) -> Duration {
        static BEGAN: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
        BEGAN.elapsed() + Duration::from_millis(u64::try_from(*self.ahead.borrow()).unwrap_or(0))
    }

    /// Waits until this clock shows an instant, or a later one; or one from before the wait: it was set back, and whoever
    /// waits has to think again.
    pub async fn reach(&self, instant: Instant) {
        // From here on, so that no advance falls between the look and the wait.
        let mut ahead = self.ahead.subscribe();
        let began = self.now();
        loop {
            let now = self.now();
            let left = match (instant - now).to_std() {
                Ok(left) if !left.is_zero() && now >= began => left,
                _ => return,
            };
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = ahead.changed() => {}
            }
        }
    }

    /// Lets time pass at once, for this clock and its clones.
    pub fn advance(&self, by: TimeDelta) {
        self.ahead.send_modify(|ahead| *ahead += by.num_milliseconds());
    }
}
