//! What an idle subscriber takes of the server's memory, beside one of a raw socket. What the kernel holds for it is in
//! neither.

use std::net::SocketAddr;
use std::time::Duration;

use crate::common::audience::{Audience, OF_PERSON, Ticket, plain_tickets, tickets};
use crate::common::database::Cluster;
use crate::common::process::{Process, open_files};
use crate::common::server::Server;
use crate::common::table::{Aim, left_out, row};
use crate::common::{operations, people, raw_socket};

const SUBSCRIBERS: usize = 5_000;
/// Come before, so that what is made once is there.
const FIRST: usize = 100;
const ROUNDS: usize = 3;
/// For what opening left behind.
const SETTLES: Duration = Duration::from_millis(500);

pub async fn run(cluster: &Cluster) {
    let what = format!("memory of an idle subscriber among {SUBSCRIBERS}, beside a raw socket");
    if open_files() < SUBSCRIBERS as u64 + 1_000 {
        return left_out(&what, "too few open files are allowed (ulimit -n)");
    }
    let database = cluster.database("memory").await;
    let client = database.connect().await;
    let people = people::settle(&client, (FIRST + SUBSCRIBERS) / OF_PERSON).await;
    let channels = people::seat_all(&client, 1).await;
    database.settle().await;
    let operation = operations::follow(&channels[0]);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let Server { process, address } = Server::start(&database);
        let ours = each(&process, tickets(address, &people, &operation, FIRST + SUBSCRIBERS)).await;
        let (process, address): (Process, SocketAddr) = raw_socket::start();
        let limit = each(&process, plain_tickets(address, FIRST + SUBSCRIBERS)).await;
        rounds.push((ours, limit));
    }
    row(&what, "KiB", rounds, Aim::OursAtMost(12.0));
}

/// KiB of each.
async fn each(process: &Process, mut tickets: Vec<Ticket>) -> f64 {
    let rest = tickets.split_off(FIRST);
    let _first = Audience::seat(tickets).await;
    tokio::time::sleep(SETTLES).await;
    let before = process.memory();
    let _rest = Audience::seat(rest).await;
    tokio::time::sleep(SETTLES).await;
    (process.memory() - before) / 1024.0 / SUBSCRIBERS as f64
}
