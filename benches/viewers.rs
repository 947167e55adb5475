//! What it costs the database that people are told what concerns them: a channel in which somebody writes, and whose row
//! in the sidebar is kept live by everybody, many beside few. Statements are counted, as the database logs them.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::common::audience::{Socket, tickets_of_each};
use crate::common::database::{Cluster, Database};
use crate::common::http::Http;
use crate::common::server::Server;
use crate::common::statements;
use crate::common::table::{Aim, row};
use crate::common::turns::by_turns;
use crate::common::{operations, people};
use crate::send::CONTENT;

const MANY: usize = 1_000;
const FEW: usize = 10;
const MESSAGES_A_SECOND: u64 = 20;
/// Of a turn.
const SECONDS: u64 = 3;
/// Until all have been told of the last message.
const SETTLES: Duration = Duration::from_millis(1_500);

pub async fn run(cluster: &Cluster) {
    let mut many = Side::seat(cluster.database("viewers_many").await, MANY).await;
    let mut few = Side::seat(cluster.database("viewers_few").await, FEW).await;
    let rounds = by_turns(async || many.turn().await, async || few.turn().await).await;
    let what = format!("statements for {MESSAGES_A_SECOND} messages/s, told to {MANY} who listen, beside {FEW}");
    row(&what, "per s", rounds, Aim::AtMost(2.0));
    // Before their servers stop, which they would take for a failure.
    many.listeners.shutdown().await;
    few.listeners.shutdown().await;
}

/// A server, somebody who writes, and everybody who listens.
struct Side {
    database: Database,
    channel: String,
    sender: Http,
    listeners: JoinSet<()>,
    _server: Server,
}

impl Side {
    async fn seat(database: Database, count: usize) -> Self {
        let client = database.connect().await;
        let people = people::settle(&client, count).await;
        let channel = people::seat_all(&client, 1).await.remove(0);
        database.settle().await;
        let server = Server::start_at(&statements::logged(&database));
        let sender = Http::graphql(server.address, &people[0].token).await;
        let mut listeners = JoinSet::new();
        for ticket in tickets_of_each(server.address, &people, &operations::listen()) {
            let mut socket = Socket::open(&ticket).await;
            socket.next().await;
            listeners.spawn(async move {
                loop {
                    let told = socket.next().await;
                    assert!(told.contains("InboxChangedEvent") || !told.contains("\"errors\""), "{told}");
                }
            });
        }
        Self { database, channel, sender, listeners, _server: server }
    }

    /// Statements in a second.
    async fn turn(&mut self) -> f64 {
        let from = statements::logged_so_far(&self.database);
        let mut beat = interval(Duration::from_secs(1) / MESSAGES_A_SECOND as u32);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..SECONDS * MESSAGES_A_SECOND {
            beat.tick().await;
            self.sender.ask(&operations::send(&self.channel, CONTENT)).await;
        }
        sleep(SETTLES).await;
        statements::count_from(&self.database, from) as f64 / SECONDS as f64
    }
}
