//! Who has which conversation open: who follows its log, on this server. Whether they look at it nobody can know; clients
//! that are left alone say that they are AWAY.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::{ConversationId, UserId};

type Place = (ConversationId, UserId);

/// Everybody who has a conversation open here. A clone is the same.
#[derive(Clone, Default)]
pub struct Onlookers(Arc<Mutex<HashMap<Place, usize>>>);

/// A conversation that somebody has open, until this is dropped.
pub struct Looking {
    place: Place,
    onlookers: Onlookers,
}

impl Onlookers {
    /// Somebody has opened a conversation.
    pub fn look(&self, id: ConversationId, user_id: UserId) -> Looking {
        *self.places().entry((id, user_id)).or_default() += 1;
        Looking { place: (id, user_id), onlookers: self.clone() }
    }

    /// Whether they have it open.
    pub fn has_open(&self, id: ConversationId, user_id: UserId) -> bool {
        self.places().contains_key(&(id, user_id))
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Place, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        let mut places = self.onlookers.places();
        if let Some(count) = places.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                places.remove(&self.place);
            }
        }
    }
}
