//! One budget of many payers.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as Watch, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;

/// After so many looks those are forgotten who have all of their budget again. Whoever comes from ever new addresses fills
/// the memory with some bytes for each, and for a minute.
const TIDIES: u32 = 4_096;

pub(super) struct Bucket<K: Hash + Eq + Clone> {
    pub a_minute: NonZeroU32,
    limiter: RateLimiter<K, DashMapStateStore<K>, Uptime, NoOpMiddleware<Moment>>,
    looks: AtomicU32,
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    pub(super) fn of(a_minute: NonZeroU32, clock: &Clock) -> Self {
        let limiter = RateLimiter::dashmap_with_clock(Quota::per_minute(a_minute), Uptime(clock.clone()));
        Self { a_minute, limiter, looks: AtomicU32::new(0) }
    }

    /// Takes so much, but for what was paid of it before, or says how long to wait. What is more than there can ever be takes
    /// all.
    pub(super) fn take(&self, key: &K, amount: NonZeroU32, paid: u32) -> Result<(), Duration> {
        if self.looks.fetch_add(1, Ordering::Relaxed) % TIDIES == TIDIES - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let Some(rest) = NonZeroU32::new(amount.min(self.a_minute).get().saturating_sub(paid)) else { return Ok(()) };
        match self.limiter.check_key_n(key, rest) {
            Ok(Ok(())) => Ok(()),
            // Whoever comes back pays that anew.
            Ok(Err(not_yet)) => {
                let one = Duration::from_secs(60) / self.a_minute.get();
                Err(not_yet.wait_time_from(self.limiter.clock().now()) + one * paid)
            }
            Err(_never) => Err(Duration::from_secs(60)),
        }
    }
}

/// The server's clock as it runs, whatever it is set to: one that is set back would make everybody wait until it is where
/// it was.
#[derive(Clone)]
struct Uptime(Clock);

impl Watch for Uptime {
    type Instant = Moment;

    fn now(&self) -> Moment {
        Moment(self.0.uptime())
    }
}

/// Time since some moment before the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Duration);

impl std::ops::Add<Nanos> for Moment {
    type Output = Self;

    fn add(self, time: Nanos) -> Self {
        Self(self.0 + Duration::from(time))
    }
}

impl Reference for Moment {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, time: Nanos) -> Self {
        Self(self.0.checked_sub(time.into()).unwrap_or(self.0))
    }
}
