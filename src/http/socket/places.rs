//! How many sockets and streams one user and one address may hold, so that nobody takes the places of all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::protocol::OPERATIONS;
use crate::id::UserId;

/// Tabs and devices of one person.
const OF_USER: usize = 20;
/// People behind one router.
const OF_ADDRESS: usize = 100;

/// Whose sockets are counted, or streams.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    User(UserId),
    /// Each is a single operation: as many as run on a socket.
    Streams(UserId),
    Address(IpAddr),
}

/// The sockets and streams of this server. A clone counts the same.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<HashMap<Holder, usize>>>);

/// The place of a socket or a stream; free again when dropped.
pub struct Place {
    holder: Holder,
    places: Places,
}

impl Places {
    /// A place for one more socket, if the holder may have one.
    pub fn take(&self, holder: Holder) -> Option<Place> {
        let holder = holder.whole();
        let limit = match holder {
            Holder::User(_) => OF_USER,
            Holder::Streams(_) => OPERATIONS,
            Holder::Address(_) => OF_ADDRESS,
        };
        let mut held = self.held();
        let count = held.entry(holder).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place { holder, places: self.clone() })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder {
    /// In IPv6 a household has 2⁶⁴ addresses: they count as one.
    fn whole(self) -> Self {
        match self {
            Self::Address(IpAddr::V6(address)) => {
                Self::Address(IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()))
            }
            other => other,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        if let Some(count) = held.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_socket_is_gone() {
        let places = Places::default();
        let at = |address: &str| Holder::Address(address.parse().unwrap());
        let mut taken: Vec<_> = (0..OF_ADDRESS).map(|_| places.take(at("10.0.0.1")).unwrap()).collect();
        assert!(places.take(at("10.0.0.1")).is_none());
        assert!(places.take(at("10.0.0.2")).is_some());
        taken.pop();
        assert!(places.take(at("10.0.0.1")).is_some());
        taken.clear();
        assert!(places.held().is_empty());
    }

    #[test]
    fn streams_of_a_person_are_not_their_sockets() {
        let (places, user) = (Places::default(), UserId(uuid::Uuid::nil()));
        let streams: Vec<_> = (0..OPERATIONS).map(|_| places.take(Holder::Streams(user)).unwrap()).collect();
        assert!(places.take(Holder::Streams(user)).is_none());
        assert!(places.take(Holder::User(user)).is_some());
        drop(streams);
        assert!(places.take(Holder::Streams(user)).is_some());
    }

    #[test]
    fn a_household_counts_as_one() {
        let places = Places::default();
        let taken: Vec<_> = (0..OF_ADDRESS)
            .map(|at| places.take(Holder::Address(format!("2001:db8::{at:x}").parse().unwrap())).unwrap())
            .collect();
        assert!(places.take(Holder::Address("2001:db8::ffff:1".parse().unwrap())).is_none());
        assert!(places.take(Holder::Address("2001:db8:0:1::1".parse().unwrap())).is_some());
        drop(taken);
    }
}
