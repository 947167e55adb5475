//! Sessions that ended while their access tokens would still be good: a revoked token stops at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::store;
use crate::clock::{Clock, Instant};
use crate::db::Db;
use crate::error::Result;
use crate::id::SessionId;

/// How long an access token is good; a session that ended longer ago has none left.
pub const ACCESS_TOKEN_LIVES: TimeDelta = TimeDelta::minutes(15);
/// How much further back the table is read: the clocks of two servers differ.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// The set of ended sessions on this server, filled by what is committed here, by what other servers announce, and from
/// the table. A clone is the same set.
#[derive(Clone)]
pub struct EndedSessions {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// When the table was last read; what ended since is not known from there.
    looked_at: Option<Instant>,
    ended: HashMap<SessionId, Instant>,
    watched: HashMap<SessionId, Weak<CancellationToken>>,
}

impl State {
    fn contains(&self, id: SessionId, now: Instant) -> bool {
        self.ended.get(&id).is_some_and(|at| may_have_tokens(*at, now))
    }
}

/// Whether a session that was heard then to have ended may have tokens left. One of which that was never certain, because
/// its commit was not answered, may go on all the same, and is not to be shut out for longer.
fn may_have_tokens(heard_at: Instant, now: Instant) -> bool {
    now - heard_at < ACCESS_TOKEN_LIVES + CLOCKS_DIFFER
}

impl EndedSessions {
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default() }
    }

    pub fn contains(&self, id: SessionId) -> bool {
        self.state().contains(id, self.clock.now())
    }

    /// Cancelled when the session ends, at once if it already has. Holds for as long as somebody keeps it.
    pub fn watch(&self, id: SessionId) -> Arc<CancellationToken> {
        let mut state = self.state();
        if let Some(token) = state.watched.get(&id).and_then(Weak::upgrade) {
            return token;
        }
        // Each time the map has doubled, those that nobody keeps are dropped.
        if state.watched.len().is_power_of_two() {
            state.watched.retain(|_, token| token.strong_count() > 0);
        }
        let token = Arc::new(CancellationToken::new());
        if state.contains(id, self.clock.now()) {
            token.cancel();
        }
        state.watched.insert(id, Arc::downgrade(&token));
        token
    }

    pub fn insert(&self, ids: impl IntoIterator<Item = SessionId>) {
        let now = self.clock.now();
        let mut state = self.state();
        for id in ids {
            if let Some(token) = state.watched.remove(&id).and_then(|token| token.upgrade()) {
                token.cancel();
            }
            state.ended.insert(id, now);
            if state.ended.len().is_power_of_two() {
                state.ended.retain(|_, at| may_have_tokens(*at, now));
            }
        }
    }

    /// Takes in what the table has.
    pub async fn look(&self, db: &Db) -> Result<()> {
        let now = self.clock.now();
        // Sockets live as long as their session, so an outage is looked back on whole, however long it was.
        let since = self.state().looked_at.unwrap_or(now - ACCESS_TOKEN_LIVES).min(now) - CLOCKS_DIFFER;
        self.insert(db.read(async move |conn| store::ended_since(conn, since).await).await?);
        self.state().looked_at = Some(now);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_shut_out_for_as_long_as_it_can_have_tokens() {
        let clock = Clock::default();
        let (sessions, id) = (EndedSessions::new(clock.clone()), SessionId(uuid::Uuid::nil()));
        let watched = sessions.watch(id);
        sessions.insert([id]);
        clock.advance(ACCESS_TOKEN_LIVES);
        assert!(sessions.contains(id) && watched.is_cancelled() && sessions.watch(id).is_cancelled());
        // It may not have ended at all.
        clock.advance(CLOCKS_DIFFER);
        assert!(!sessions.contains(id) && !sessions.watch(id).is_cancelled());
    }
}
