//! Finding PostgreSQL's server programs. Debian and Homebrew keep them off the PATH, because several majors can be
//! installed side by side.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::StartError;

/// `pg_current_xact_id`, by which rows say when they were changed, came with 13; 14 is the oldest that is still maintained.
const OLDEST_MAJOR: u32 = 14;

/// Folder, how names in it begin, and what follows the name.
const USUAL_PLACES: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),         // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                  // Red Hat, from postgresql.org
    ("/usr/libexec", "postgresql", ""),         // Alpine
    ("/opt/homebrew/opt", "postgresql", "bin"), // Homebrew on Apple silicon
    ("/usr/local/opt", "postgresql", "bin"),    // Homebrew on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/usr/local", "pgsql", "bin"), // built from source
];

#[derive(Clone)]
pub(super) struct Programs {
    pub(super) postgres: PathBuf,
    pub(super) initdb: PathBuf,
    major: u32,
}

/// A folder of one major is unreadable to every other, so with a cluster there is no choice. Without one, what the
/// person put on the PATH goes before what is newest.
pub(super) fn find(cluster_major: Option<u32>) -> Result<Programs, StartError> {
    if let Some(folder) = env::var_os("CHINWAG_PG_BIN") {
        let folder = PathBuf::from(folder);
        let programs = Programs::in_folder(&folder).ok_or_else(|| {
            StartError::new(format!(
                "CHINWAG_PG_BIN is {}, where there are no programs postgres and initdb",
                folder.display()
            ))
        })?;
        return choose(vec![programs], cluster_major);
    }
    let named = on_path().into_iter().chain(by_pg_config()).filter_map(|folder| Programs::in_folder(&folder));
    let mut usual: Vec<_> = in_usual_places().iter().filter_map(|folder| Programs::in_folder(folder)).collect();
    usual.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    choose(named.chain(usual).collect(), cluster_major)
}

fn choose(found: Vec<Programs>, cluster_major: Option<u32>) -> Result<Programs, StartError> {
    let fits = |programs: &Programs| match cluster_major {
        Some(major) => programs.major == major,
        None => programs.major >= OLDEST_MAJOR,
    };
    let mut majors: Vec<_> = found.iter().map(|programs| programs.major.to_string()).collect();
    majors.dedup();
    let majors = majors.join(", ");
    found.into_iter().find(fits).ok_or_else(|| {
        StartError::new(match cluster_major {
            _ if majors.is_empty() => "PostgreSQL's server programs were not found: `make run` installs them, or \
                 `apt-get install postgresql`, or `brew install postgresql`; if they are somewhere unusual, set \
                 CHINWAG_PG_BIN to their folder, and to use a server that runs already, set DATABASE_URL"
                .to_owned(),
            Some(major) => format!(
                "the data folder was made by PostgreSQL {major}, but here is only {majors}: install PostgreSQL {major} \
                 (CHINWAG_PG_BIN may name its folder), or bring the folder over with pg_upgrade"
            ),
            None => format!("PostgreSQL {OLDEST_MAJOR} or newer is needed, but here is only {majors}"),
        })
    })
}

impl Programs {
    fn in_folder(folder: &Path) -> Option<Self> {
        // Through symlinks to the real folder: a distribution may link `postgres` alone into the PATH.
        let postgres = fs::canonicalize(folder.join("postgres")).ok()?;
        let initdb = postgres.with_file_name("initdb");
        let version = Command::new(&postgres).arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&version.stdout))?;
        initdb.exists().then_some(Self { postgres, initdb, major })
    }
}

/// From "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", or "18beta1".
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    let digits = number.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn on_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn by_pg_config() -> Option<PathBuf> {
    let answer = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(String::from_utf8(answer.stdout).ok()?.trim().into())
}

fn in_usual_places() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, prefix, below) in USUAL_PLACES {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                folders.push(entry.path().join(below));
            }
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(major: u32) -> Programs {
        Programs { postgres: format!("/{major}/postgres").into(), initdb: format!("/{major}/initdb").into(), major }
    }

    fn chosen(majors: &[u32], cluster_major: Option<u32>) -> Result<u32, String> {
        let found = majors.iter().map(|&major| installed(major)).collect();
        choose(found, cluster_major).map(|programs| programs.major).map_err(|error| error.to_string())
    }

    #[test]
    fn the_cluster_decides_the_major_and_without_one_the_first_that_is_new_enough() {
        assert_eq!(chosen(&[18, 16, 15], Some(16)), Ok(16));
        assert_eq!(chosen(&[13, 16, 18], None), Ok(16));
        assert_eq!(chosen(&[13], Some(13)), Ok(13));
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_do() {
        assert!(chosen(&[], None).unwrap_err().contains("apt-get install postgresql"));
        assert!(chosen(&[], Some(15)).unwrap_err().contains("make run"));
        assert!(chosen(&[13], None).unwrap_err().contains("14 or newer"));
        assert!(chosen(&[18, 17], Some(15)).unwrap_err().contains("only 18, 17: install PostgreSQL 15"));
    }

    #[test]
    fn majors_are_read_from_releases_and_previews() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major_of("something else"), None);
    }
}
