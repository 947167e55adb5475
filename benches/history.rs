//! Pages of history through HTTP and GraphQL, beside the statements that the server runs for them, without it.

use crate::common::database::Cluster;
use crate::common::http::Http;
use crate::common::server::Server;
use crate::common::statements::{Again, asked_for};
use crate::common::table::{Aim, row};
use crate::common::turns::{TURN, Took, by_turns, of, turn};
use crate::common::{operations, talk};

const CLIENTS: usize = 64;
const MESSAGES: usize = 50_000;
/// Of these, the newest page and one from the middle.
const CHANNELS: usize = 8;

pub async fn run(cluster: &Cluster) {
    let database = cluster.database("history").await;
    talk::fill(&database, MESSAGES).await;
    let client = database.connect().await;
    let token = talk::viewer(&client).await;
    let server = Server::start(&database);
    let mut clients = Vec::new();
    for at in 0..CLIENTS {
        clients.push((Http::graphql(server.address, &token).await, at));
    }
    let mut pages = Vec::new();
    for (channel, head) in talk::channels(&client, CHANNELS).await {
        pages.push(operations::page(&channel, None));
        let cursor = talk::cursor(&mut clients[0].0, &channel, head / 2).await;
        pages.push(operations::page(&channel, Some(&cursor)));
    }
    let asked = asked_for(&database, &token, &pages).await;
    let mut limits = Vec::new();
    for at in 0..CLIENTS {
        limits.push((Again::prepare(&database, &asked).await, at));
    }
    let rounds = by_turns(
        async || {
            let ask = async |(http, at): &mut (Http, usize)| {
                *at += 1;
                http.ask(&pages[*at % pages.len()]).await;
            };
            turn(&mut clients, TURN, ask).await
        },
        async || {
            let ask = async |(again, at): &mut (Again, usize)| {
                *at += 1;
                again.ask(*at).await;
            };
            turn(&mut limits, TURN, ask).await
        },
    )
    .await;
    let what = format!("{CLIENTS} clients, 50 messages of history, beside their SQL alone");
    row(&what, "pages/s", of(&rounds, Took::per_second), Aim::AtLeast(0.5));
}
