//! Who waits for a row that somebody else holds waits here, and not with a connection to the database in hand.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

/// Lines; rows share them by chance. Few enough to make at the start, more than there are connections.
const LINES: usize = 256;

/// A line for each row, which a few share, in the order of arrival. It keeps nothing right, the row lock does; it keeps the
/// pool free for everybody else.
pub struct Turns(Vec<Mutex<()>>);

impl Turns {
    /// One's turn at the row with this id, until it is dropped.
    pub async fn wait_for(&self, id: Uuid) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        self.0[hasher.finish() as usize % LINES].lock().await
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self((0..LINES).map(|_| Mutex::default()).collect())
    }
}
