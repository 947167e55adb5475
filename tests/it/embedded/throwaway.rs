use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use chinwag::db::embedded::Cluster;

use super::process::*;

/// In a temporary folder of the test's own, so that it sees only its own clusters.
fn throwaway(tmp: &Path) -> Process {
    Process::spawn(Process::command().env_remove("EMBEDDED_DATA_DIR").env("TMPDIR", tmp)).unwrap()
}

fn everything_is_gone(tmp: &Path) -> bool {
    entries(tmp).is_empty() && !anybody_works_in(tmp)
}

#[test]
fn a_dropped_throwaway_is_gone_at_once() {
    let cluster = Cluster::throwaway().unwrap();
    let url = cluster.url("postgres");
    assert_eq!(sql(&url, "SHOW fsync").unwrap(), "off");
    let cluster_folder = sql(&url, "SHOW data_directory").unwrap();
    let folder = Path::new(&cluster_folder).parent().unwrap();
    assert!(folder.starts_with(fs::canonicalize(std::env::temp_dir()).unwrap()));

    cluster.stop();
    assert!(!folder.exists());
    assert!(!anybody_works_in(folder));
}

#[test]
fn a_throwaway_in_a_static_goes_with_its_process() {
    let tmp = open_folder();
    let tests =
        Process::spawn(Process::command().env("TMPDIR", tmp.path()).env("EMBEDDED_NEVER_DROPPED", "1")).unwrap();
    assert_eq!(sql(&tests.url, "SELECT 1").unwrap(), "1");
    tests.end();
    eventually("all of it is gone", || everything_is_gone(tmp.path()));
}

#[test]
fn a_throwaway_of_a_killed_process_goes_too() {
    let tmp = open_folder();
    let tests = throwaway(tmp.path());
    assert_eq!(sql(&tests.url, "SELECT 1").unwrap(), "1");
    assert_eq!(entries(tmp.path()).len(), 1);
    tests.kill();
    eventually("all of it is gone", || everything_is_gone(tmp.path()));
}

#[test]
fn two_throwaways_do_not_know_of_each_other() {
    let tmp = open_folder();
    let one = throwaway(tmp.path());
    let two = throwaway(tmp.path());
    two.end();
    assert_eq!(sql(&one.url, "SELECT 1").unwrap(), "1");
    one.end();
    assert!(everything_is_gone(tmp.path()));
}

#[test]
fn leftovers_are_removed_unless_somebody_holds_or_makes_them() {
    let tmp = open_folder();
    let mut ended = Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let folder_of = |pid: u32, number: u32| {
        let folder = tmp.path().join(format!("chinwag-test-{pid}-{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("server.lock"), "").unwrap();
        folder
    };
    let left = folder_of(ended.id(), 0);
    let held = folder_of(ended.id(), 1);
    let being_made = folder_of(std::process::id(), 0);
    let holder = File::open(held.join("server.lock")).unwrap();
    holder.lock().unwrap();

    throwaway(tmp.path()).end();
    assert!(!left.exists());
    assert!(held.exists());
    assert!(being_made.exists());
}

#[test]
fn a_throwaway_has_short_sockets_below_a_long_temporary_folder() {
    let tmp = open_folder();
    let long = tmp.path().join("long".repeat(30));
    fs::create_dir(&long).unwrap();
    let tests = throwaway(&long);
    let sockets = sql(&tests.url, "SHOW unix_socket_directories").unwrap();
    let sockets = Path::new(sockets.trim_matches('"'));
    assert!(sockets.starts_with("/tmp") && sockets.exists(), "{}", sockets.display());
    tests.kill();
    eventually("all of it is gone", || everything_is_gone(&long) && !sockets.exists());
}
