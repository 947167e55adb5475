//! How much one user and one address may have at the same moment, so that nobody takes the places of all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Payer;

/// Operations that run on one socket; and as many streams and mutations of one user, or mutations of one address, share a
/// socket or not.
pub const OPERATIONS: usize = 100;
/// Tabs and devices of one person.
const SOCKETS_OF_USER: usize = 20;
/// Of people behind one router; their streams count among them.
const SOCKETS_OF_ADDRESS: usize = 100;

/// What takes a place. Each kind is counted for itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    Socket,
    /// A single operation, over HTTP.
    Stream,
    /// One that is under way, whether anybody still waits for its answer or not.
    Mutation,
}

/// What is held on this server. A clone counts the same.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<HashMap<(Held, Payer), usize>>>);

/// A place that is taken; free again when dropped.
pub struct Place {
    key: (Held, Payer),
    places: Places,
}

impl Places {
    /// A place for one more, if whoever asks may have one.
    pub fn take(&self, what: Held, payer: Payer) -> Option<Place> {
        let limit = match (what, payer) {
            (Held::Socket, Payer::User(_)) => SOCKETS_OF_USER,
            (Held::Socket, Payer::Address(_)) => SOCKETS_OF_ADDRESS,
            (Held::Stream | Held::Mutation, _) => OPERATIONS,
        };
        let key = (what, payer);
        let mut held = self.held();
        let count = held.entry(key).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place { key, places: self.clone() })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<(Held, Payer), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn at(address: &str) -> Payer {
        Payer::at(address.parse().unwrap())
    }

    #[test]
    fn a_place_is_free_again_when_what_took_it_is_gone() {
        let places = Places::default();
        let take = || places.take(Held::Socket, at("10.0.0.1"));
        let mut taken: Vec<_> = (0..SOCKETS_OF_ADDRESS).map(|_| take().unwrap()).collect();
        assert!(take().is_none());
        assert!(places.take(Held::Socket, at("10.0.0.2")).is_some());
        taken.pop();
        assert!(take().is_some());
        taken.clear();
        assert!(places.held().is_empty());
    }

    #[test]
    fn streams_and_mutations_of_a_person_are_not_their_sockets() {
        let (places, user) = (Places::default(), Payer::User(UserId(uuid::Uuid::nil())));
        for what in [Held::Stream, Held::Mutation] {
            let taken: Vec<_> = (0..OPERATIONS).map(|_| places.take(what, user).unwrap()).collect();
            assert!(places.take(what, user).is_none());
            assert!(places.take(Held::Socket, user).is_some());
            drop(taken);
            assert!(places.take(what, user).is_some());
        }
    }

    #[test]
    fn a_household_counts_as_one() {
        let places = Places::default();
        let take = |address: &str| places.take(Held::Socket, at(address));
        let taken: Vec<_> = (0..SOCKETS_OF_ADDRESS).map(|last| take(&format!("2001:db8::{last:x}")).unwrap()).collect();
        assert!(take("2001:db8::ffff:1").is_none());
        assert!(take("2001:db8:0:1::1").is_some());
        drop(taken);
    }
}
