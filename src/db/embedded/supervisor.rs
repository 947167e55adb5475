//! The thread that starts PostgreSQL, starts it again when it dies, and stops it.
//!
//! It must be a thread of its own that lives as long as the server: Linux takes the end of the *thread* that forked
//! for the end of the parent, and would stop the database with it.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tracing::{error, info, warn};

use super::error::StartError;
use super::postmaster::{Postmaster, Recipe};

const HEARTBEAT: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Who ran this long before it died is not failing at its start, and begins with the first pause again.
const STEADY: Duration = Duration::from_secs(60);

/// How long clients' transactions are rolled back and a checkpoint written, then how long processes are aborted.
const GRACE: Duration = Duration::from_secs(20);

pub(super) struct Supervisor {
    /// Never sent to: that it closes is the order to stop.
    life: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

enum Outcome {
    ToldToStop,
    Ended(String),
}

impl Supervisor {
    /// Returns when PostgreSQL takes connections.
    pub(super) fn start(recipe: Recipe) -> Result<Self, StartError> {
        let (life, end_of_life) = mpsc::channel();
        let (report, first_start) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || match recipe.start() {
                Ok(postmaster) => {
                    if report.send(Ok(())).is_ok() {
                        supervise(&recipe, postmaster, &end_of_life);
                        recipe.layout.remove_short_sockets();
                    }
                }
                Err(error) => drop(report.send(Err(error))),
            })
            .map_err(|error| StartError::new(format!("cannot start the thread that runs PostgreSQL: {error}")))?;
        first_start.recv().unwrap_or_else(|_| Err(StartError::new("the thread that runs PostgreSQL panicked")))?;
        Ok(Self { life: Some(life), thread: Some(thread) })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.life = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported when it happened.
            let _ = thread.join();
        }
    }
}

fn supervise(recipe: &Recipe, mut postmaster: Postmaster, end_of_life: &Receiver<()>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let since = Instant::now();
        match watch(recipe, &mut postmaster, end_of_life) {
            Outcome::ToldToStop => return stop(recipe, postmaster),
            Outcome::Ended(how) => {
                error!(%how, log = %recipe.layout.log().display(), "PostgreSQL died; it is started again")
            }
        }
        if since.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        postmaster = loop {
            if told_to_stop(end_of_life, pause) {
                return;
            }
            pause = LONGEST_PAUSE.min(pause * 2);
            match recipe.spawn() {
                Ok(child) => break Postmaster::Child(child),
                Err(error) => error!("PostgreSQL could not be started: {error}"),
            }
        };
        info!(pid = %postmaster.pid(), "PostgreSQL was started again");
    }
}

fn watch(recipe: &Recipe, postmaster: &mut Postmaster, end_of_life: &Receiver<()>) -> Outcome {
    loop {
        if let Some(how) = postmaster.has_ended(&recipe.layout.cluster()) {
            return Outcome::Ended(how);
        }
        if told_to_stop(end_of_life, HEARTBEAT) {
            return Outcome::ToldToStop;
        }
    }
}

fn told_to_stop(end_of_life: &Receiver<()>, within: Duration) -> bool {
    end_of_life.recv_timeout(within) == Err(RecvTimeoutError::Disconnected)
}

/// Politely, then at once, which costs the next start a recovery and nobody any data, then by force.
fn stop(recipe: &Recipe, mut postmaster: Postmaster) {
    for signal in [recipe.purpose.stop_signal(), Signal::QUIT, Signal::KILL] {
        if postmaster.has_ended(&recipe.layout.cluster()).is_some() {
            return;
        }
        postmaster.signal(signal);
        let give_up = Instant::now() + GRACE;
        while Instant::now() < give_up {
            if postmaster.has_ended(&recipe.layout.cluster()).is_some() {
                return;
            }
            thread::sleep(HEARTBEAT / 10);
        }
        warn!(?signal, "PostgreSQL does not stop");
    }
}
