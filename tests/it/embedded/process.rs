//! A server process of its own, which a test may kill: this test binary, run again for the one test that is a server.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use chinwag::db::embedded::Cluster;
use tempfile::TempDir;

pub struct Process {
    child: Child,
    pub url: String,
    /// Kept open: libtest complains about a reader that leaves.
    _output: Lines<BufReader<ChildStdout>>,
}

pub const NOBODY: u32 = 65534;

/// Set for the test binary when it is to be a server.
const IS_PROCESS: &str = "EMBEDDED_IS_PROCESS";

/// Run by itself as a process, it is a server: told by its environment which, it lives until its standard input closes.
/// Run as a test, it tries that.
#[test]
fn a_process_of_its_own() {
    if std::env::var_os(IS_PROCESS).is_none() {
        let process = Process::spawn(&mut Process::command()).unwrap();
        assert_eq!(sql(&process.url, "SELECT 1").unwrap(), "1");
        return process.end();
    }
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    let data_dir = std::env::var_os("EMBEDDED_DATA_DIR");
    let started = match &data_dir {
        Some(data_dir) => Cluster::start(Path::new(data_dir)),
        None => Cluster::throwaway(),
    };
    let cluster = match started {
        Ok(cluster) => cluster,
        Err(error) => return println!("\nerror: {error}"),
    };
    println!("\nurl: {}", cluster.url("postgres"));
    let wait_for_the_end = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
    if std::env::var_os("EMBEDDED_NEVER_DROPPED").is_some() {
        SHARED.get_or_init(|| cluster);
        wait_for_the_end();
    } else {
        wait_for_the_end();
        cluster.stop();
    }
}

impl Process {
    pub fn serving(data_dir: &Path) -> Result<Self, String> {
        Self::spawn(Self::command().env("EMBEDDED_DATA_DIR", data_dir))
    }

    pub fn serving_as(user: u32, data_dir: &Path) -> Result<Self, String> {
        Self::spawn(Self::command().env("EMBEDDED_DATA_DIR", data_dir).uid(user).gid(user))
    }

    pub fn command() -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["a_process_of_its_own", "--nocapture"]).env(IS_PROCESS, "yes");
        command
    }

    pub fn spawn(command: &mut Command) -> Result<Self, String> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(line) = output.next() {
            let line = line.unwrap();
            if let Some(url) = line.strip_prefix("url: ") {
                return Ok(Self { child, url: url.to_owned(), _output: output });
            }
            if let Some(error) = line.strip_prefix("error: ") {
                let error = error.to_owned();
                output.for_each(drop);
                child.wait().unwrap();
                return Err(error);
            }
        }
        panic!("the server said neither where it is nor why not: {:?}", child.wait());
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes its standard input.
    pub fn end(mut self) {
        self.child.wait().unwrap();
    }
}

/// Entered by every user, as a server's folder is; tempfile's own is closed to the database's user.
pub fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

pub fn we_are_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub fn sql(url: &str, statement: &str) -> Result<String, String> {
    let answer = Command::new("psql").args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, url]).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
    if answer.status.success() { Ok(text(answer.stdout)) } else { Err(text(answer.stderr)) }
}

pub fn postmaster(data_dir: &Path) -> Option<rustix::process::Pid> {
    let file = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
    rustix::process::Pid::from_raw(file.lines().next()?.parse().ok()?)
}

pub fn kill_postmaster(data_dir: &Path) {
    rustix::process::kill_process(postmaster(data_dir).unwrap(), rustix::process::Signal::KILL).unwrap();
}

pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < give_up, "never came true: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process works in `folder`: a zombie works nowhere.
#[cfg(target_os = "linux")]
pub fn anybody_works_in(folder: &Path) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("cwd"));
    processes.into_iter().any(|cwd| fs::read_link(cwd).is_ok_and(|cwd| cwd.starts_with(folder)))
}

#[cfg(not(target_os = "linux"))]
pub fn anybody_works_in(folder: &Path) -> bool {
    let commands = Command::new("ps").args(["-axww", "-o", "command="]).output().unwrap();
    String::from_utf8_lossy(&commands.stdout).contains(&format!("-D {}", folder.display()))
}

pub fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
