//! Folds GraphiQL's files into the binary, when `scripts/fetch-graphiql` has put them into `vendor/graphiql` or
//! `GRAPHIQL_DIST` names another folder. It fetches nothing itself: a build needs neither npm nor the network.

use std::{env, fmt::Write, fs, io, path::Path};

fn main() -> io::Result<()> {
    let vendor = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("vendor");
    let folder = env::var_os("GRAPHIQL_DIST").map_or(vendor.join("graphiql"), Into::into);
    println!("cargo:rerun-if-env-changed=GRAPHIQL_DIST");
    // Only folders that exist: cargo takes a missing one for changed, and would compile us anew at every build.
    // `vendor` itself is committed, so it tells when `graphiql` appears in it.
    for watched in [Path::new("build.rs"), &vendor, &folder] {
        if watched.exists() {
            println!("cargo:rerun-if-changed={}", watched.display());
        }
    }

    let mut found: Vec<_> = fs::read_dir(&folder).into_iter().flatten().collect::<Result<_, _>>()?;
    found.sort_by_key(fs::DirEntry::file_name);
    let mut files = String::new();
    for entry in found {
        let (name, path) = (entry.file_name(), entry.path().canonicalize()?);
        if Path::new(&name).extension().is_some_and(|extension| extension == "js" || extension == "css") {
            writeln!(files, "    ({name:?}, include_bytes!({path:?})),").expect("a string takes it");
        }
    }
    let list = format!("/// Name and bytes of each.\npub static FILES: &[(&str, &[u8])] = &[\n{files}];\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("graphiql.rs"), list)
}
