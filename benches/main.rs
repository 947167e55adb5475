//! What chinwag costs, beside the limit of the same machine, as one table.
//!
//! `cargo bench --bench cost` measures everything, `cargo bench --bench cost -- history memory` these parts, and
//! `-- data` makes the large data sets that `large` looks at, once. One program, because each takes minutes to link.

mod bell;
mod common;
mod data;
mod delivery;
mod history;
mod large;
mod memory;
mod notify;
mod send;
mod viewers;

use common::database::Cluster;
use common::{process, raw_socket, table};
use tokio::runtime::Runtime;

/// As in the server, for what of it runs in this process, and for the limits.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PARTS: [&str; 8] = ["send", "bell", "notify", "history", "delivery", "viewers", "memory", "large"];

fn main() {
    // Cargo says `--bench`.
    let mut wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match wanted.first().map(String::as_str) {
        Some(raw_socket::ARGUMENT) => return raw_socket::serve(),
        Some("data") => return data::build(),
        Some(_) => {}
        None => wanted = PARTS.map(str::to_owned).to_vec(),
    }
    if let Some(unknown) = wanted.iter().find(|part| !PARTS.contains(&part.as_str())) {
        eprintln!("There is no part {unknown}, only data, {}", PARTS.join(", "));
        std::process::exit(1);
    }
    // One task of many, or a thread: everybody else would wait for it.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        std::process::exit(101);
    }));
    process::open_files();
    table::head();
    for part in wanted {
        // What processes cost is read from /proc, and each hundred sockets come from another address of this machine.
        if ["delivery", "viewers", "memory"].contains(&part.as_str()) && !cfg!(target_os = "linux") {
            table::left_out(&part, "needs Linux");
            continue;
        }
        let cluster = match part.as_str() {
            "large" => data::find(),
            _ => Some(Cluster::passing()),
        };
        let Some(cluster) = cluster else {
            large::left_out();
            continue;
        };
        Runtime::new().expect("a runtime").block_on(async {
            match part.as_str() {
                "send" => send::run(&cluster).await,
                "bell" => bell::run(&cluster).await,
                "notify" => notify::run(&cluster).await,
                "history" => history::run(&cluster).await,
                "delivery" => delivery::run(&cluster).await,
                "viewers" => viewers::run(&cluster).await,
                "memory" => memory::run(&cluster).await,
                _ => large::run(&cluster).await,
            }
        });
    }
}
