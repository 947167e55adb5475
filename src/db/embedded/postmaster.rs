//! One run of PostgreSQL, from `postgres` to its end.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tracing::{info, warn};

use super::error::{StartError, cannot};
use super::layout::Layout;
use super::log_file;
use super::owner::Owner;
use super::pid_file::{self, PidFile};
use super::programs::Programs;
use super::settings::{self, Purpose};

/// A start takes 150 ms.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A postmaster whose server was killed begins to stop at once; one that is still ready after this was left alone.
const STAYS: Duration = Duration::from_secs(1);

/// Backends of a killed postmaster end when they next look, and until then PostgreSQL refuses to start.
const ORPHANS_END: Duration = Duration::from_secs(20);

const STILL_WAITING: Duration = Duration::from_secs(10);

/// All that it takes to run PostgreSQL on one cluster, again and again.
pub(super) struct Recipe {
    pub(super) layout: Layout,
    pub(super) owner: Owner,
    pub(super) programs: Programs,
    pub(super) purpose: Purpose,
}

pub(super) enum Postmaster {
    Child(Child),
    /// Somebody else's child, found running: by hand, or left by a killed server where the kernel does not end it.
    Adopted(Pid),
}

impl Recipe {
    /// A postmaster that takes connections.
    pub(super) fn start(&self) -> Result<Postmaster, StartError> {
        let cluster = self.layout.cluster();
        let orphans_possible = PidFile::read(&cluster).is_some();
        if let Some(pid) = self.outwait_predecessor()? {
            return Ok(Postmaster::Adopted(pid));
        }
        let give_up = Instant::now() + ORPHANS_END;
        loop {
            match self.spawn().and_then(|child| self.until_ready(child)) {
                Err(_) if orphans_possible && Instant::now() < give_up => thread::sleep(10 * LOOK_AGAIN),
                started => return started.map(Postmaster::Child),
            }
        }
    }

    pub(super) fn spawn(&self) -> Result<Child, StartError> {
        pid_file::disown(&self.layout, &self.owner)?;
        let mut postgres = self.owner.command(&self.programs.postgres);
        postgres.arg("-D").arg(self.layout.cluster()).args(["-p", "5432"]);
        for setting in settings::of(self.purpose, &self.layout.sockets) {
            postgres.args(["-c", &setting]);
        }
        let log = log_file::open(&self.layout.log())?;
        postgres.stdout(log.try_clone().map_err(cannot("write to", &self.layout.log()))?).stderr(log);
        // Its own group: a Ctrl-C must not stop the database before the server has finished what runs.
        postgres.process_group(0);
        die_with_this_thread(&mut postgres, self.purpose.stop_signal());
        postgres.spawn().map_err(cannot("run", &self.programs.postgres))
    }

    /// Waits until a postmaster that runs already has ended; one that stays is to be adopted.
    fn outwait_predecessor(&self) -> Result<Option<Pid>, StartError> {
        let mut ready_since = None;
        let mut patience = Patience::new("the last PostgreSQL of this data folder to end");
        while let Some(file) = PidFile::of_living(&self.layout.cluster()) {
            if file.status != "ready" {
                ready_since = None;
            } else if ready_since.get_or_insert_with(Instant::now).elapsed() >= STAYS {
                if file.sockets != self.layout.sockets {
                    return Err(StartError::new(format!(
                        "a PostgreSQL that chinwag did not start (pid {}) runs on {}: stop it first",
                        file.pid,
                        self.layout.cluster().display()
                    )));
                }
                info!(pid = %file.pid, "adopted the PostgreSQL that runs already");
                return Ok(Some(file.pid));
            }
            patience.sleep();
        }
        Ok(None)
    }

    /// Without a limit while the process lives: after a crash it replays its log, which takes as long as it takes.
    fn until_ready(&self, mut child: Child) -> Result<Child, StartError> {
        let pid = Pid::from_child(&child);
        let mut patience = Patience::new("PostgreSQL to be ready");
        loop {
            if PidFile::read(&self.layout.cluster()).is_some_and(|file| file.pid == pid && file.status == "ready") {
                return Ok(child);
            }
            if child.try_wait().map_err(cannot("wait for", &self.programs.postgres))?.is_some() {
                let log = self.layout.log();
                return Err(StartError::new(format!(
                    "PostgreSQL ended while it started: {} (see {})",
                    log_file::last_words(&log).unwrap_or_default(),
                    log.display()
                )));
            }
            patience.sleep();
        }
    }
}

impl Postmaster {
    pub(super) fn pid(&self) -> Pid {
        match self {
            Self::Child(child) => Pid::from_child(child),
            Self::Adopted(pid) => *pid,
        }
    }

    pub(super) fn has_ended(&mut self, cluster: &Path) -> Option<String> {
        match self {
            Self::Child(child) => child.try_wait().ok()?.map(|status: ExitStatus| status.to_string()),
            Self::Adopted(pid) => (!pid_file::is_postmaster(*pid, cluster)).then(|| "ended".to_owned()),
        }
    }

    /// Only while [`has_ended`](Self::has_ended) says no: until a child is waited for its pid is nobody else's.
    pub(super) fn signal(&self, signal: Signal) {
        if let Err(error) = kill_process(self.pid(), signal) {
            warn!(pid = %self.pid(), "cannot signal PostgreSQL: {error}");
        }
    }
}

/// Waiting that says so in the log when it takes long.
struct Patience {
    what_for: &'static str,
    speaks_at: Instant,
}

impl Patience {
    fn new(what_for: &'static str) -> Self {
        Self { what_for, speaks_at: Instant::now() + STILL_WAITING }
    }

    fn sleep(&mut self) {
        thread::sleep(LOOK_AGAIN);
        if Instant::now() >= self.speaks_at {
            info!("still waiting for {}", self.what_for);
            self.speaks_at += STILL_WAITING;
        }
    }
}

/// However the thread that calls `spawn` ends, a kill -9 of the process included, the kernel sends `signal` to the
/// child: a database is never left behind without its server.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "pre_exec is unsafe; the closure runs between fork and exec and only makes system calls"
)]
pub(super) fn die_with_this_thread(command: &mut Command, signal: Signal) {
    let parent = rustix::process::getpid();
    // SAFETY: no allocation and no lock in the closure, only prctl and getppid. It runs after the change of user,
    // which would undo the prctl.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(signal))?;
            // A parent that died before the line above can no longer tell.
            if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(std::io::ErrorKind::BrokenPipe.into()) }
        });
    }
}

/// Elsewhere the next start adopts what was left behind.
#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_this_thread(_: &mut Command, _: Signal) {}
