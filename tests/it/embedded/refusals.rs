//! What is refused, and that the sentence says what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use chinwag::db::embedded::Cluster;

use super::process::*;

#[test]
fn a_second_server_is_told_who_has_the_folder_and_the_first_is_unharmed() {
    let folder = open_folder();
    let first = Process::serving(folder.path()).unwrap();
    let postmaster_of_first = postmaster(folder.path());

    let refused = Process::serving(folder.path()).err().expect("refused");
    assert!(refused.contains(&format!("(pid {})", first.id())), "{refused}");
    assert!(refused.contains("DATA_DIR") && refused.contains("DATABASE_URL"), "{refused}");

    assert_eq!(sql(&first.url, "SELECT 1").unwrap(), "1");
    assert_eq!(postmaster(folder.path()), postmaster_of_first);
    first.end();
}

#[test]
fn a_folder_that_the_databases_user_cannot_enter() {
    if !we_are_root() {
        return;
    }
    let folder = open_folder();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();

    let refused = Cluster::start(&closed.join("data")).err().expect("refused").to_string();
    assert!(refused.contains(&format!("cannot enter {}:", closed.display())), "{refused}");
    assert!(refused.contains("chmod o+x"), "{refused}");

    fs::set_permissions(&closed, fs::Permissions::from_mode(0o711)).unwrap();
    Cluster::start(&closed.join("data")).unwrap().stop();
}

#[test]
fn a_folder_of_another_major() {
    let folder = open_folder();
    Cluster::start(folder.path()).unwrap().stop();
    let version = folder.path().join("postgres/PG_VERSION");
    let real = fs::read_to_string(&version).unwrap();
    fs::write(&version, "9\n").unwrap();

    let refused = Cluster::start(folder.path()).err().expect("refused").to_string();
    assert!(refused.contains("made by PostgreSQL 9") && refused.contains("install PostgreSQL 9"), "{refused}");
    assert!(refused.contains(real.trim()), "{refused}");

    fs::write(&version, real).unwrap();
    Cluster::start(folder.path()).unwrap().stop();
}

#[test]
fn a_folder_that_is_no_cluster() {
    let folder = open_folder();
    fs::create_dir(folder.path().join("postgres")).unwrap();
    let refused = Cluster::start(folder.path()).err().expect("refused").to_string();
    assert!(refused.contains("postgres/PG_VERSION"), "{refused}");
}

#[test]
fn a_chinwag_pg_bin_without_programs() {
    let folder = open_folder();
    let refused =
        Process::spawn(Process::command().env("EMBEDDED_DATA_DIR", folder.path()).env("CHINWAG_PG_BIN", folder.path()));
    let refused = refused.err().expect("refused");
    assert!(refused.contains("CHINWAG_PG_BIN"), "{refused}");
}

#[test]
fn a_postgres_that_cannot_start_says_why() {
    let folder = open_folder();
    Cluster::start(folder.path()).unwrap().stop();
    fs::write(folder.path().join("postgres/postgresql.auto.conf"), "work_mem = 'much'\n").unwrap();
    let refused = Cluster::start(folder.path()).err().expect("refused").to_string();
    assert!(refused.contains("FATAL:") && refused.contains("postgres.log"), "{refused}");
}

#[test]
fn an_ordinary_user_is_told_whose_database_it_is() {
    if !we_are_root() {
        return;
    }
    let folder = open_folder();
    Cluster::start(folder.path()).unwrap().stop();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(folder.path().join("server.lock"), fs::Permissions::from_mode(0o666)).unwrap();
    let refused = Process::serving_as(NOBODY, folder.path()).err().expect("refused");
    assert!(refused.contains("belongs to the user with id"), "{refused}");
}
