//! The large data sets, made once and kept below target/ until a migration, or how they are made, changes: 5,000,000
//! messages from SQL and 222,305 that `chinwag import` has read in one database, a hundredth of both in another.
//!
//! What is imported is made up, or comes from the file that `CHINWAG_BENCH_IMPORT` names, JSON lines as the README
//! describes them.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::MultiGzDecoder;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use crate::common::database::{self, Cluster, Database};
use crate::common::talk;

const GENERATED: usize = 5_000_000;
const IMPORTED: usize = 222_305;
/// The small one has one of so many.
const SHARE: usize = 100;
/// Names of the two databases.
pub const LARGE: &str = "large";
pub const SMALL: &str = "small";

/// The data, if they have been made.
pub fn find() -> Option<Cluster> {
    let folder = folder();
    folder.exists().then(|| Cluster::kept(folder))
}

/// Makes them where they have not been.
pub fn build() {
    let (folder, unfinished) = (folder(), all().join("unfinished"));
    if folder.exists() {
        return println!("The data are in {}", folder.display());
    }
    // Those of other versions, and what an interrupted run left.
    let _ = std::fs::remove_dir_all(all());
    {
        let cluster = Cluster::kept(unfinished.clone());
        Runtime::new().expect("a runtime").block_on(fill(&cluster));
    }
    std::fs::rename(&unfinished, &folder).expect("a folder of that name");
    println!("The data are in {}", folder.display());
}

fn all() -> PathBuf {
    database::folder().join("data")
}

/// Its name is a digest of all that decides what is in it.
fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut migrations: Vec<_> = std::fs::read_dir(root.join("migrations"))
        .expect("migrations")
        .map(|entry| entry.expect("one").path())
        .collect();
    migrations.sort();
    let mut digest = Sha256::new();
    for migration in migrations {
        digest.update(std::fs::read(migration.join("up.sql")).expect("a migration"));
    }
    digest.update(talk::SQL);
    digest.update(include_str!("data.rs"));
    let name: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    all().join(name)
}

async fn fill(cluster: &Cluster) {
    let lines = lines();
    for (name, share) in [(SMALL, SHARE), (LARGE, 1)] {
        let database = cluster.database(name).await;
        println!("{name}: {} messages", GENERATED / share);
        talk::fill(&database, GENERATED / share).await;
        println!("{name}: importing");
        import(&database, &beginnings(&lines, share));
        database.settle().await;
    }
}

/// By the program, as an operator does it.
fn import(database: &Database, lines: &[&str]) {
    let file = database::folder().join("import.jsonl");
    std::fs::write(&file, lines.join("\n")).expect("a file");
    let status = Command::new(env!("CARGO_BIN_EXE_chinwag"))
        .arg("import")
        .arg(&file)
        .envs([("DATABASE_URL", database.url.as_str()), ("LOG", "error")])
        .current_dir("/")
        .status()
        .expect("it runs");
    // 2 where lines were skipped: people wrote them, and some are no messages.
    assert!(matches!(status.code(), Some(0 | 2)), "{status}");
    std::fs::remove_file(file).expect("it was there");
}

/// Of each channel its first lines, one of `share`.
fn beginnings(lines: &[(String, String)], share: usize) -> Vec<&str> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for (channel, _) in lines {
        *left.entry(channel).or_default() += 1;
    }
    left.values_mut().for_each(|count| *count = count.div_ceil(share));
    let mut beginnings = Vec::new();
    for (channel, line) in lines {
        let left = left.get_mut(channel.as_str()).expect("it was counted");
        if *left > 0 {
            *left -= 1;
            beginnings.push(line.as_str());
        }
    }
    beginnings
}

/// Lines to import, each with its channel.
fn lines() -> Vec<(String, String)> {
    let Some(file) = std::env::var_os("CHINWAG_BENCH_IMPORT") else { return made_up() };
    let bytes = std::fs::read(&file).expect("the file of CHINWAG_BENCH_IMPORT");
    let mut text = String::new();
    match bytes.starts_with(&[0x1f, 0x8b]) {
        true => MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text),
        false => (&bytes[..]).read_to_string(&mut text),
    }
    .expect("text");
    let channel = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["channel"].as_str()?.to_owned());
    text.lines().filter_map(|line| Some((channel(line)?, line.to_owned()))).collect()
}

/// Five channels as they are on IRC: one line in ten tells who comes, goes or takes another name, one message in four
/// answers another, and a few people write most of it.
fn made_up() -> Vec<(String, String)> {
    let mut random = StdRng::seed_from_u64(1);
    let mut lines = Vec::new();
    for (channel, share) in [("alpha", 0.6), ("beta", 0.2), ("gamma", 0.1), ("delta", 0.07), ("epsilon", 0.03)] {
        let mut messages = (IMPORTED as f64 * share) as usize;
        let mut said = Vec::new();
        let mut minute = 18_000_000;
        for id in 1.. {
            minute += i64::from(random.random_bool(0.3));
            let nick = format!("nick{}", 25_000f64.powf(random.random::<f64>()) as u32);
            let at = chrono::DateTime::from_timestamp(minute * 60, 0).expect("an instant").to_rfc3339();
            let mut line = json!({ "channel": channel, "id": id, "at": at, "nick": nick });
            match random.random_range(0..100) {
                0..4 => line["kind"] = json!("join"),
                4..8 => line["kind"] = json!("part"),
                8..10 => {
                    line["kind"] = json!("nick");
                    line["new_nick"] = json!(format!("{nick}-"));
                }
                kind => {
                    line["kind"] = json!(if kind == 99 { "action" } else { "message" });
                    line["text"] = json!(sentence(&mut random));
                    if random.random_bool(0.25) && !said.is_empty() {
                        line["reply_to"] = json!(said[said.len() - 1 - random.random_range(0..said.len().min(50))]);
                    }
                    said.push(id);
                    messages -= 1;
                }
            }
            lines.push((channel.to_owned(), line.to_string()));
            if messages == 0 {
                break;
            }
        }
    }
    lines
}

fn sentence(random: &mut StdRng) -> String {
    const WORDS: [&str; 16] = [
        "the", "kernel", "does", "not", "boot", "after", "an", "update", "try", "again", "with", "another", "mirror",
        "and", "look", "there",
    ];
    let words = 1 + (40.0 * random.random::<f64>().powi(2)) as usize;
    (0..words).map(|_| WORDS[random.random_range(0..WORDS.len())]).collect::<Vec<_>>().join(" ")
}
