//! Making a new cluster: whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::process::Signal;

use super::error::{StartError, cannot};
use super::layout::{Layout, SUPERUSER};
use super::owner::{LOCALE, Owner};
use super::postmaster::die_with_this_thread;
use super::programs::Programs;
use super::settings::Purpose;

/// The rename makes it a cluster; what a killed `initdb` left behind is thrown away by the next start.
pub(super) fn make_cluster(
    layout: &Layout,
    owner: &Owner,
    programs: &Programs,
    purpose: Purpose,
) -> Result<(), StartError> {
    let half_made = layout.half_made_cluster();
    remove_if_there(&half_made).map_err(cannot("remove", &half_made))?;
    owner.private_folder(&half_made)?;

    let mut initdb = owner.command(&programs.initdb);
    initdb.arg("-D").arg(&half_made);
    initdb.arg(format!("--username={SUPERUSER}"));
    // Trust is safe because the socket's folder lets nobody else in.
    initdb.args(["--auth=trust", "--encoding=UTF8", "--lc-collate=C", "--lc-messages=C"]);
    initdb.arg(format!("--locale={LOCALE}"));
    if let Purpose::Throwaway = purpose {
        initdb.arg("--no-sync");
    }
    die_with_this_thread(&mut initdb, Signal::KILL);
    let done = initdb.output().map_err(cannot("run", &programs.initdb))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(StartError::new(format!(
            "initdb could not make a database in {}: {}",
            layout.root.display(),
            said.trim()
        )));
    }

    fs::rename(&half_made, layout.cluster()).map_err(cannot("rename", &half_made))?;
    File::open(&layout.root).and_then(|folder| folder.sync_all()).map_err(cannot("sync", &layout.root))
}

fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
