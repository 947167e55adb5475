//! Hosts that keep whoever asks them waiting. Of many who wait for the same one, all but one do something better.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// After so many in a row that were kept waiting, a host is asked by one at a time.
const BELIEVED_AFTER: u32 = 3;
/// So often.
const ASKED_EVERY: Duration = Duration::from_secs(30);
/// Hosts that are remembered: a stranger names as many as they like.
const REMEMBERED: usize = 10_000;

/// What is known of hosts by their authority. A clone knows the same.
#[derive(Clone, Default)]
pub(super) struct Silences(Arc<Mutex<HashMap<String, Silence>>>);

struct Silence {
    in_a_row: u32,
    asked_from: Instant,
}

impl Silences {
    /// Whether this host may be asked now. Whoever is told so is the only one for a while, if it was silent.
    pub fn may_ask(&self, host: &str, now: Instant) -> bool {
        let mut all = self.all();
        let Some(silence) = all.get_mut(host).filter(|silence| silence.in_a_row >= BELIEVED_AFTER) else { return true };
        if now < silence.asked_from {
            return false;
        }
        silence.asked_from = now + ASKED_EVERY;
        true
    }

    /// It kept somebody waiting.
    pub fn was_silent(&self, host: &str, now: Instant) {
        let mut all = self.all();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        let silence = all.entry(host.to_owned()).or_insert(Silence { in_a_row: 0, asked_from: now });
        silence.in_a_row += 1;
        silence.asked_from = now + ASKED_EVERY;
    }

    /// It answered.
    pub fn spoke(&self, host: &str) {
        self.all().remove(host);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Silence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_was_silent_is_asked_by_one_at_a_time_until_it_speaks() {
        let (silences, now) = (Silences::default(), Instant::now());
        for _ in 0..BELIEVED_AFTER {
            assert!(silences.may_ask("push.lan", now) && silences.may_ask("push.lan", now));
            silences.was_silent("push.lan", now);
        }
        assert!(!silences.may_ask("push.lan", now) && silences.may_ask("other.lan", now));
        let later = now + ASKED_EVERY;
        assert!(silences.may_ask("push.lan", later));
        assert!(!silences.may_ask("push.lan", later));
        silences.spoke("push.lan");
        assert!(silences.may_ask("push.lan", later) && silences.may_ask("push.lan", later));
    }
}
