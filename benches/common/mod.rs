//! What the benches share: a durable PostgreSQL, pairs measured turn by turn, and the table.
//!
//! Two things are measured by turns in one run, ours and the limit beside it, and the median of their ratios is told: these
//! are ratios of what the same machine did in the same minute. An absolute figure proves nothing.

use std::path::PathBuf;
use std::time::Duration;

use chinwag::db::embedded::Cluster;

/// Turns of each pair.
const ROUNDS: usize = 5;
/// How long one turn lasts.
pub const TURN: Duration = Duration::from_millis(1_500);

/// A cluster that is as durable as the server's own, in a folder of its own under target/, with an empty database.
pub fn cluster() -> (Cluster, String) {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let dir = target.join("bench").join(std::process::id().to_string());
    std::fs::create_dir_all(&dir).expect("a folder for the data");
    let cluster = Cluster::start(&std::path::absolute(dir).expect("a path")).unwrap_or_else(|error| panic!("{error}"));
    let url = cluster.url("chinwag");
    (cluster, url)
}

/// What one turn brought.
pub struct Turn {
    /// Done in it, by all together.
    pub done: usize,
    /// How long each took.
    pub took: Vec<Duration>,
}

impl Turn {
    pub fn of(took: Vec<Duration>) -> Self {
        Self { done: took.len(), took }
    }

    fn percentile(&mut self, percent: usize) -> f64 {
        self.took.sort();
        self.took[(self.took.len() * percent / 100).min(self.took.len() - 1)].as_secs_f64()
    }
}

/// Measures a pair by turns, and prints its line: how many a second, and the ratios of throughput, median and p99.
pub async fn compare(what: &str, ours: impl AsyncFn() -> Turn, limit: impl AsyncFn() -> Turn) {
    let (mut rates, mut throughput, mut median, mut tail) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // The first of each fills caches and is not counted.
    for round in 0..=ROUNDS {
        let (mut us, mut them) = (ours().await, limit().await);
        if round > 0 {
            rates.push((us.done as f64 / TURN.as_secs_f64(), them.done as f64 / TURN.as_secs_f64()));
            throughput.push(us.done as f64 / them.done as f64);
            median.push(us.percentile(50) / them.percentile(50));
            tail.push(us.percentile(99) / them.percentile(99));
        }
    }
    let (ours, limit): (Vec<f64>, Vec<f64>) = rates.into_iter().unzip();
    println!(
        "{what:<58} {:>8.0} {:>8.0} {:>7.2} {:>7.2} {:>7.2}",
        middle(ours),
        middle(limit),
        middle(throughput),
        middle(median),
        middle(tail)
    );
}

/// The head of the table.
pub fn head() {
    println!("{:<58} {:>8} {:>8} {:>7} {:>7} {:>7}", "", "ours/s", "limit/s", "ratio", "p50", "p99");
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
