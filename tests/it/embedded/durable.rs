use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use chinwag::db::embedded::{Cluster, running};

use super::process::*;

fn write_something(url: &str) {
    sql(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n").unwrap();
}

fn is_kept(url: &str) -> bool {
    sql(url, "SELECT count(*) FROM kept").as_deref() == Ok("1000")
}

#[test]
fn a_cold_start_makes_a_durable_private_cluster() {
    let folder = open_folder();
    let data_dir = folder.path().join("made").join("by us");
    let cluster = Cluster::start(&data_dir).unwrap();

    assert_eq!(sql(&cluster.url("template1"), "SELECT 1").unwrap(), "1");
    let url = cluster.url("postgres");
    let show = |setting: &str| sql(&url, &format!("SHOW {setting}")).unwrap();
    assert_eq!(show("fsync"), "on");
    assert_eq!(show("full_page_writes"), "on");
    assert_eq!(show("synchronous_commit"), "on");
    assert_eq!(show("listen_addresses"), "");
    assert_eq!(show("server_encoding"), "UTF8");
    assert_eq!(show("timezone"), "UTC");
    assert_eq!(sql(&url, "SELECT current_user, lower('ÄÖ'), 'a' > 'B'").unwrap(), "chinwag|äö|t");
    assert_eq!(fs::metadata(data_dir.join("pgsock")).unwrap().mode() & 0o777, 0o700);
    cluster.stop();
    assert!(!anybody_works_in(&data_dir));
}

#[test]
fn a_restart_keeps_what_was_written() {
    let folder = open_folder();
    let cluster = Cluster::start(folder.path()).unwrap();
    write_something(&cluster.url("postgres"));
    cluster.stop();

    let cluster = Cluster::start(folder.path()).unwrap();
    assert!(is_kept(&cluster.url("postgres")));
}

#[test]
fn postgres_outlives_the_thread_that_asked_for_it() {
    let folder = open_folder();
    let data_dir = folder.path().to_owned();
    let cluster = thread::spawn(move || Cluster::start(&data_dir).unwrap()).join().unwrap();
    let first = postmaster(folder.path());

    write_something(&cluster.url("postgres"));
    assert!(is_kept(&cluster.url("postgres")));
    assert_eq!(postmaster(folder.path()), first);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "elsewhere the next server adopts it")]
fn a_killed_server_takes_postgres_along_and_the_next_one_has_its_data() {
    let folder = open_folder();
    let server = Process::serving(folder.path()).unwrap();
    let first = postmaster(folder.path());
    write_something(&server.url);
    server.kill();

    let server = Process::serving(folder.path()).unwrap();
    assert!(is_kept(&server.url));
    assert_ne!(postmaster(folder.path()), first);
    server.kill();
    eventually("postgres ends with its server", || !anybody_works_in(folder.path()));
}

#[test]
fn a_server_and_a_postgres_that_were_both_killed_leave_their_data() {
    let folder = open_folder();
    let server = Process::serving(folder.path()).unwrap();
    write_something(&server.url);
    let postmaster = postmaster(folder.path()).unwrap();
    // Stopped first, so that it cannot shut down in good order between the two.
    rustix::process::kill_process(postmaster, rustix::process::Signal::STOP).unwrap();
    server.kill();
    rustix::process::kill_process(postmaster, rustix::process::Signal::KILL).unwrap();

    let server = Process::serving(folder.path()).unwrap();
    assert!(is_kept(&server.url));
    server.end();
}

#[test]
fn a_postgres_that_dies_is_started_again_under_the_same_address() {
    let folder = open_folder();
    let cluster = Cluster::start(folder.path()).unwrap();
    let url = cluster.url("postgres");
    write_something(&url);
    for _ in 0..2 {
        let before = postmaster(folder.path());
        kill_postmaster(folder.path());
        eventually("postgres is started again", || is_kept(&url) && postmaster(folder.path()) != before);
    }
    cluster.stop();
    assert!(!anybody_works_in(folder.path()));
}

#[test]
fn a_server_stops_while_its_postgres_is_dead() {
    let folder = open_folder();
    let cluster = Cluster::start(folder.path()).unwrap();
    kill_postmaster(folder.path());
    cluster.stop();
    eventually("nothing is left", || !anybody_works_in(folder.path()));
}

#[test]
fn a_subcommand_finds_the_running_server() {
    let folder = open_folder();
    assert_eq!(running(folder.path(), "postgres"), None);
    assert_eq!(running(&folder.path().join("absent"), "postgres"), None);

    let server = Process::serving(folder.path()).unwrap();
    let url = running(folder.path(), "postgres").unwrap();
    assert_eq!(url, server.url);
    assert_eq!(sql(&url, "SELECT 1").unwrap(), "1");

    server.end();
    assert_eq!(running(folder.path(), "postgres"), None);
}

#[test]
fn a_pid_file_that_names_a_process_of_something_else_is_no_obstacle() {
    let folder = open_folder();
    Cluster::start(folder.path()).unwrap().stop();
    let owner = fs::metadata(folder.path().join("postgres")).unwrap();
    let mut stranger = as_owner(&owner, "sleep").arg("600").spawn().unwrap();
    for file in ["postgres/postmaster.pid", "pgsock/.s.PGSQL.5432.lock"] {
        let file = folder.path().join(file);
        fs::write(&file, format!("{}\n/somewhere\n1\n5432\n/somewhere\n\n  0  0\nready\n", stranger.id())).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    let started = Cluster::start(folder.path());
    let stranger_lived = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert_eq!(sql(&started.unwrap().url("postgres"), "SELECT 1").unwrap(), "1");
    assert!(stranger_lived);
}

#[test]
fn a_postgres_that_runs_already_is_adopted_and_supervised() {
    let folder = open_folder();
    Cluster::start(folder.path()).unwrap().stop();
    let mut by_hand = started_by_hand(folder.path(), &folder.path().join("pgsock"));

    let cluster = Cluster::start(folder.path()).unwrap();
    assert_eq!(postmaster(folder.path()).unwrap(), rustix::process::Pid::from_child(&by_hand));
    write_something(&cluster.url("postgres"));

    by_hand.kill().unwrap();
    // Not waited for yet: a zombie must not be taken for a postmaster, neither by us nor by PostgreSQL.
    eventually("it is replaced", || is_kept(&cluster.url("postgres")));
    by_hand.wait().unwrap();
    cluster.stop();
    assert!(!anybody_works_in(folder.path()));
}

#[test]
fn an_adopted_postgres_is_stopped_with_the_server() {
    let folder = open_folder();
    Cluster::start(folder.path()).unwrap().stop();
    let mut by_hand = started_by_hand(folder.path(), &folder.path().join("pgsock"));
    Cluster::start(folder.path()).unwrap().stop();
    assert!(by_hand.wait().unwrap().success());
}

#[test]
fn a_postgres_that_listens_elsewhere_is_left_alone() {
    let folder = open_folder();
    Cluster::start(folder.path()).unwrap().stop();
    let mut by_hand = started_by_hand(folder.path(), &folder.path().join("postgres"));

    let error = Cluster::start(folder.path()).err().expect("refused").to_string();
    assert!(error.contains(&format!("(pid {})", by_hand.id())), "{error}");
    assert!(by_hand.try_wait().unwrap().is_none());
    rustix::process::kill_process(rustix::process::Pid::from_child(&by_hand), rustix::process::Signal::INT).unwrap();
    by_hand.wait().unwrap();
}

#[test]
fn half_a_cluster_is_thrown_away() {
    let folder = open_folder();
    let half_made = folder.path().join("postgres.init");
    fs::create_dir(&half_made).unwrap();
    fs::write(half_made.join("PG_VERSION"), "15").unwrap();

    let cluster = Cluster::start(folder.path()).unwrap();
    assert_eq!(sql(&cluster.url("postgres"), "SELECT 1").unwrap(), "1");
    assert!(!half_made.exists());
}

#[test]
fn a_server_killed_during_initdb_leaves_nothing_in_the_way() {
    let folder = open_folder();
    let mut server = Process::command().env("EMBEDDED_DATA_DIR", folder.path()).stdout(Stdio::null()).spawn().unwrap();
    eventually("initdb is at work", || folder.path().join("postgres.init/PG_VERSION").exists());
    server.kill().unwrap();
    server.wait().unwrap();

    let cluster = Cluster::start(folder.path()).unwrap();
    assert_eq!(sql(&cluster.url("postgres"), "SELECT 1").unwrap(), "1");
}

#[test]
fn a_long_path_gets_short_sockets_which_go_with_the_server() {
    let folder = open_folder();
    let data_dir = folder.path().join("long".repeat(30));
    let server = Process::serving(&data_dir).unwrap();
    let sockets = short_sockets(&data_dir);
    assert_eq!(sql(&server.url, "SELECT 1").unwrap(), "1");
    assert_eq!(fs::metadata(&sockets).unwrap().mode() & 0o777, 0o700);
    assert_eq!(running(&data_dir, "postgres"), Some(server.url.clone()));

    server.end();
    assert!(!sockets.exists());
}

#[test]
fn short_sockets_are_not_put_into_a_folder_that_mallory_made() {
    if !we_are_root() {
        return;
    }
    let folder = open_folder();
    let data_dir = folder.path().join("long".repeat(30));
    fs::create_dir(&data_dir).unwrap();
    let trap = short_sockets(&data_dir);
    fs::create_dir(&trap).unwrap();
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o700)).unwrap();
    chown(&trap, Some(NOBODY), Some(NOBODY)).unwrap();

    let refused = Cluster::start(&data_dir).err().map(|error| error.to_string());
    fs::remove_dir(&trap).unwrap();
    assert!(refused.expect("refused").contains(trap.to_str().unwrap()));
}

#[test]
fn an_ordinary_user_runs_it_as_themselves() {
    if !we_are_root() {
        return;
    }
    let folder = open_folder();
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let server = Process::serving_as(NOBODY, folder.path()).unwrap();
    write_something(&server.url);
    assert_eq!(fs::metadata(folder.path().join("postgres")).unwrap().uid(), NOBODY);
    server.end();

    // Root then runs it as its owner, and the owner again after root.
    let server = Process::serving(folder.path()).unwrap();
    assert!(is_kept(&server.url));
    server.end();
    let server = Process::serving_as(NOBODY, folder.path()).unwrap();
    assert!(is_kept(&server.url));
    server.end();
}

#[test]
fn root_gives_away_the_cluster_and_the_sockets_and_nothing_else() {
    if !we_are_root() {
        return;
    }
    let folder = open_folder();
    let cluster = Cluster::start(folder.path()).unwrap();
    for path in entries(folder.path()) {
        let given = ["postgres", "pgsock"].contains(&path.file_name().unwrap().to_str().unwrap());
        assert_eq!(fs::metadata(&path).unwrap().uid() != 0, given, "{}", path.display());
    }
    cluster.stop();
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn postgres_does_not_get_the_servers_secrets() {
    let folder = open_folder();
    let server = Process::spawn(
        Process::command()
            .env("EMBEDDED_DATA_DIR", folder.path())
            .env("CHINWAG_SECRET", "hunter2")
            .env("PGPORT", "7777"),
    )
    .unwrap();
    assert_eq!(sql(&server.url, "SELECT 1").unwrap(), "1");
    let environment = fs::read(format!("/proc/{}/environ", postmaster(folder.path()).unwrap())).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("hunter2"));
    server.end();
}

#[test]
fn the_log_does_not_quote_what_people_wrote() {
    let folder = open_folder();
    let cluster = Cluster::start(folder.path()).unwrap();
    let url = cluster.url("postgres");
    sql(&url, "CREATE TABLE people (email text UNIQUE); INSERT INTO people VALUES ('alice@example.org')").unwrap();
    sql(&url, "INSERT INTO people VALUES ('alice@example.org')").unwrap_err();

    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(log.contains("people_email_key"), "{log}");
    assert!(!log.contains("alice@"), "{log}");
}

#[test]
fn a_long_log_is_put_aside() {
    let folder = open_folder();
    let log = fs::File::create(folder.path().join("postgres.log")).unwrap();
    log.set_len(11 << 20).unwrap();
    Cluster::start(folder.path()).unwrap().stop();
    assert_eq!(fs::metadata(folder.path().join("postgres.log.old")).unwrap().len(), 11 << 20);
    assert!(fs::metadata(folder.path().join("postgres.log")).unwrap().len() < 1 << 20);
}

#[test]
fn programs_are_found_off_the_path_and_where_chinwag_pg_bin_says() {
    let programs = Command::new("pg_config").arg("--bindir").output().unwrap();
    let programs = String::from_utf8(programs.stdout).unwrap();
    for (variable, value) in [("PATH", "/usr/bin:/bin"), ("CHINWAG_PG_BIN", programs.trim())] {
        let folder = open_folder();
        let command = &mut Process::command();
        let server = Process::spawn(command.env("EMBEDDED_DATA_DIR", folder.path()).env(variable, value)).unwrap();
        assert_eq!(sql(&server.url, "SELECT 1").unwrap(), "1");
        server.end();
    }
}

fn short_sockets(data_dir: &Path) -> std::path::PathBuf {
    let folder = fs::metadata(data_dir).unwrap();
    format!("/tmp/chinwag-{:x}-{:x}", folder.dev(), folder.ino()).into()
}

fn as_owner(owner: &fs::Metadata, program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
    if we_are_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command
}

fn started_by_hand(data_dir: &Path, sockets: &Path) -> Child {
    let owner = fs::metadata(data_dir.join("postgres")).unwrap();
    // As it was started before: PostgreSQL's own programs are rarely on the PATH.
    let options = fs::read_to_string(data_dir.join("postgres/postmaster.opts")).unwrap();
    let (postgres, _) = options.split_once(" \"").unwrap();
    let child = as_owner(&owner, postgres)
        .arg("-D")
        .arg(data_dir.join("postgres"))
        .arg("-k")
        .arg(sockets)
        .args(["-c", "listen_addresses="])
        .spawn()
        .unwrap();
    let pid_file = data_dir.join("postgres/postmaster.pid");
    eventually("it is ready", || fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("\nready")));
    child
}
