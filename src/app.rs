//! What the whole server shares: resources, never areas. A clone is cheap.

use std::ops::Deref;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::error::Result;
use crate::gather::Lines;
use crate::jobs::Bell;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::log::Hub;
use crate::mail::Mailer;
use crate::outgoing::Outgoing;
use crate::password::Hasher;
use crate::providers::Providers;
use crate::realtime::Realtime;
use crate::subscription::Groups;
use crate::urgency::{Rules, Urgency};

#[derive(Clone)]
pub struct App(Arc<Shared>);

pub struct Shared {
    pub config: Config,
    pub clock: Clock,
    pub db: Db,
    /// Who follows which log here.
    pub hub: Hub,
    /// Wakes who works on jobs here.
    pub jobs: Bell,
    /// Who is shown the same.
    pub groups: Groups,
    /// What holds at this moment.
    pub realtime: Realtime,
    /// What tokens are signed with.
    pub keys: Keys,
    pub passwords: Hasher,
    /// How much anybody may ask for.
    pub limits: Limits,
    /// Asks other hosts.
    pub outgoing: Outgoing,
    /// Where people sign in besides here.
    pub providers: Providers,
    /// Carries letters to people.
    pub mailer: Mailer,
    /// Where wait those whose wishes are granted together.
    pub lines: Lines,
    /// What passes quiet hours.
    pub urgency: Arc<dyn Urgency>,
}

impl App {
    /// On a database that has been migrated, at `database_url`.
    pub fn new(config: Config, clock: Clock, database_url: String, keys: Keys) -> Result<Self> {
        Self::judging_by(Arc::new(Rules), config, clock, database_url, keys)
    }

    /// The same with rules of one's own for what is urgent.
    pub fn judging_by(
        urgency: Arc<dyn Urgency>,
        config: Config,
        clock: Clock,
        database_url: String,
        keys: Keys,
    ) -> Result<Self> {
        let hub = Hub::default();
        let realtime = Realtime::new(clock.clone());
        let jobs = Bell::default();
        let db = Db::new(database_url, clock.clone(), hub.clone(), realtime.clone(), jobs.clone())?;
        let passwords = Hasher::new();
        let limits = Limits::new(&config.limits, clock.clone());
        let outgoing = Outgoing::new(&config.requests);
        let providers = Providers::new(&config.oauth, &outgoing, &clock);
        let mailer = Mailer::new(&config)?;
        Ok(Self(Arc::new(Shared {
            config,
            clock,
            db,
            hub,
            jobs,
            groups: Groups::default(),
            realtime,
            keys,
            passwords,
            limits,
            outgoing,
            providers,
            mailer,
            lines: Lines::default(),
            urgency,
        })))
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
