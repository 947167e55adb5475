//! Processes of ours, and what they cost.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Ticks of /proc in a second, on every Linux.
const TICKS: u64 = 100;

/// A server in a process of its own, which ends with this value, and with this process however that ends.
pub struct Process {
    child: Child,
    keeper: Child,
    /// Open, or it could say nothing more.
    _says: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it, and waits until it says where it is reached.
    pub fn serving(program: impl AsRef<OsStr>, arguments: &[&str], environment: &[(&str, &str)]) -> (Self, SocketAddr) {
        let mut child = Command::new(program)
            .args(arguments)
            // Neither the settings of whoever runs the benches nor their .env.
            .env_clear()
            .envs(environment.iter().copied())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        // The kernel closes our end of the pipe however we end.
        let keeper = Command::new("sh")
            .args(["-c", "cat; kill $0", &child.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a keeper");
        let mut says = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let address = says.by_ref().lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            rest.split('/').next()?.parse().ok()
        });
        (Self { child, keeper, _says: says }, address.expect("a server says where it is reached"))
    }

    /// How long it has kept processors busy so far, the kernel's work for it included.
    pub fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        // Its name, which is in parentheses, may hold anything.
        let (_, fields) = stat.rsplit_once(')').expect("a name");
        let field = |at: usize| fields.split_whitespace().nth(at).and_then(|text| text.parse::<u64>().ok());
        let ticks = field(11).zip(field(12)).map(|(user, system)| user + system).expect("times");
        Duration::from_millis(ticks * 1_000 / TICKS)
    }

    /// Bytes of memory that it holds.
    pub fn memory(&self) -> f64 {
        let rollup = self.proc("smaps_rollup");
        let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:")).expect("a size");
        let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
        kibibytes * 1024.0
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("it runs, and this is Linux")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // `wait` closes the pipe.
        let _ = self.keeper.wait();
        let _ = self.child.wait();
    }
}

/// Raises how many files we may have open, each connection being one, and says how many.
pub fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
