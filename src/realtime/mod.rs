//! What holds at this moment, on this server. Everything here may vanish at any time, and is then read or built anew:
//! nothing stored depends on it.

mod ended_sessions;
mod onlookers;
mod presences;
mod signals;
mod store;
pub mod viewers;

pub use ended_sessions::{ACCESS_TOKEN_LIVES, EndedSessions};
pub use onlookers::{Looking, Onlookers};
pub use presences::{Attendance, Departed, PresenceStatus, Presences, Watch};
pub use signals::{Listening, Passing, Signal, Signals};
pub use viewers::{Mark, Subject, Viewers};

use crate::clock::Clock;

/// All of it. A clone is the same.
#[derive(Clone)]
pub struct Realtime {
    pub ended_sessions: EndedSessions,
    /// Who is here.
    pub presences: Presences,
    /// What passes in conversations.
    pub signals: Signals,
    /// Who listens to what concerns them.
    pub viewers: Viewers,
    /// Who has which conversation open.
    pub onlookers: Onlookers,
}

impl Realtime {
    pub fn new(clock: Clock) -> Self {
        let ended_sessions = EndedSessions::new(clock.clone());
        let presences = Presences::new(clock, ended_sessions.clone());
        Self {
            ended_sessions,
            presences,
            signals: Signals::default(),
            viewers: Viewers::default(),
            onlookers: Onlookers::default(),
        }
    }
}
