//! What a delivery costs the server's process: an event that one of 1,000 subscribers is told, beside a raw socket that is
//! sent the ready frame. What taking the messages in costs is measured where nobody listens, and taken off.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::common::audience::{Audience, OF_PERSON, Socket, plain_tickets, tickets};
use crate::common::database::Cluster;
use crate::common::http::Http;
use crate::common::process::Process;
use crate::common::server::Server;
use crate::common::table::{Aim, row};
use crate::common::turns::{TURN, by_turns};
use crate::common::{operations, people, raw_socket};
use crate::send::CONTENT;

const SUBSCRIBERS: usize = 1_000;
const BURST: usize = 16;
/// Of a turn, at least.
const BURSTS: usize = 3;

pub async fn run(cluster: &Cluster) {
    let database = cluster.database("delivery").await;
    let client = database.connect().await;
    let people = people::settle(&client, SUBSCRIBERS / OF_PERSON).await;
    let channels = people::seat_all(&client, 2).await;
    database.settle().await;
    let server = Server::start(&database);
    let (raw, raw_address) = raw_socket::start();
    let mut senders = Vec::new();
    for person in &people[..BURST] {
        senders.push(Http::graphql(server.address, &person.token).await);
    }
    let operation = operations::follow(&channels[0]);
    let frame = {
        let mut socket = Socket::open(&tickets(server.address, &people, &operation, 1)[0]).await;
        socket.next().await;
        senders[0].ask(&operations::send(&channels[0], CONTENT)).await;
        socket.next().await.to_owned()
    };
    let mut ours = Ours {
        audience: Audience::seat(tickets(server.address, &people, &operation, SUBSCRIBERS)).await,
        server,
        senders,
        channels,
    };
    let mut limit = Limit {
        audience: Audience::seat(plain_tickets(raw_address, SUBSCRIBERS)).await,
        door: Http::connect(raw_address, "/", "").await,
        raw,
        frame,
        position: 0,
    };
    for (burst, what, aim) in [
        (1, format!("CPU of a delivery to {SUBSCRIBERS}, one event at a time, beside a raw socket"), 1.25),
        (BURST, format!("  the same, {BURST} at a time, beside a raw socket that coalesces"), 1.3),
    ] {
        let rounds = by_turns(async || ours.turn(burst).await, async || limit.turn(burst).await).await;
        row(&what, "µs", rounds, Aim::AtMost(aim));
    }
}

/// The server, and those who follow a channel there: they leave before it stops.
struct Ours {
    audience: Audience,
    server: Server,
    senders: Vec<Http>,
    /// The one that is followed, and one that nobody follows.
    channels: Vec<String>,
}

impl Ours {
    async fn turn(&mut self, burst: usize) -> f64 {
        let begin = (Instant::now(), self.server.process.cpu());
        let mut bursts = 0;
        while begin.0.elapsed() < TURN || bursts < BURSTS {
            self.send(0, burst).await;
            self.audience.hear(burst as u64).await;
            bursts += 1;
        }
        let delivered = self.server.process.cpu();
        for _ in 0..bursts {
            self.send(1, burst).await;
        }
        each(&self.server.process, begin.1, delivered, bursts * burst)
    }

    /// So many at once, each from somebody else.
    async fn send(&mut self, channel: usize, burst: usize) {
        let channel = &self.channels[channel];
        let send = async |http: &mut Http| {
            http.ask(&operations::send(channel, CONTENT)).await;
        };
        join_all(self.senders[..burst].iter_mut().map(send)).await;
    }
}

/// The raw socket, and those who listen to it.
struct Limit {
    audience: Audience,
    raw: Process,
    door: Http,
    /// As ours sends it.
    frame: String,
    position: u64,
}

impl Limit {
    async fn turn(&mut self, burst: usize) -> f64 {
        let begin = (Instant::now(), self.raw.cpu());
        let mut bursts = 0;
        while begin.0.elapsed() < TURN || bursts < BURSTS {
            let frames: Vec<String> = (0..burst).map(|_| self.next_frame()).collect();
            self.door.post(&json!(frames).to_string()).await;
            self.audience.hear(burst as u64).await;
            bursts += 1;
        }
        let delivered = self.raw.cpu();
        for _ in 0..bursts {
            self.door.post("[]").await;
        }
        each(&self.raw, begin.1, delivered, bursts * burst)
    }

    /// The frame, with the next position.
    fn next_frame(&mut self) -> String {
        self.position += 1;
        let (before, rest) = self.frame.split_once("\"seq\":").expect("a position");
        let (_, after) = rest.split_once(',').expect("more after it");
        format!("{before}\"seq\":{},{after}", self.position)
    }
}

/// Microseconds of a delivery, of so many events, where what came after `delivered` was the same without deliveries.
fn each(process: &Process, begin: Duration, delivered: Duration, events: usize) -> f64 {
    let taking_in = process.cpu() - delivered;
    let delivering = (delivered - begin).saturating_sub(taking_in);
    delivering.as_secs_f64() * 1e6 / (events * SUBSCRIBERS) as f64
}
