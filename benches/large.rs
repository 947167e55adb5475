//! Reading in a database of 5,000,000 messages and 222,305 imported ones, beside one of a hundredth: the same, as one
//! client waits for it, and what the database has a part in that.

use std::time::Duration;

use tokio_postgres::Client;

use crate::common::database::{Cluster, Database};
use crate::common::http::Http;
use crate::common::server::Server;
use crate::common::statements::{Again, asked_for};
use crate::common::table::{self, Aim, row};
use crate::common::turns::{Took, by_turns, of, turn};
use crate::common::{operations, people, talk};
use crate::data::{LARGE, SMALL};

const TURN: Duration = Duration::from_millis(250);
/// Pages of a kind, that it is not always the same one.
const PLACES: i32 = 16;

#[derive(Clone, Copy)]
enum Look {
    Newest,
    Deep,
    Around,
    Sidebar,
}

/// Which channel is looked into.
#[derive(Clone, Copy)]
enum Written {
    Imported,
    Generated,
}

const LOOKS: [(&str, Look, Written); 7] = [
    ("newest page, imported", Look::Newest, Written::Imported),
    ("deep page, imported", Look::Deep, Written::Imported),
    ("around a message, imported", Look::Around, Written::Imported),
    ("newest page, generated", Look::Newest, Written::Generated),
    ("deep page, generated", Look::Deep, Written::Generated),
    ("around a message, generated", Look::Around, Written::Generated),
    ("unread of 200 channels", Look::Sidebar, Written::Generated),
];

pub async fn run(cluster: &Cluster) {
    let (mut large, mut small) = (Side::of(cluster, LARGE).await, Side::of(cluster, SMALL).await);
    for (what, look, written) in LOOKS {
        let (mut large, mut small) = (large.begin(look, written).await, small.begin(look, written).await);
        let rounds = by_turns(async || large.ask().await, async || small.ask().await).await;
        let what = format!("{what}, beside a hundredth of the data");
        row(&what, "ms", of(&rounds, |(http, _)| http.percentile(50)), Aim::AtMost(1.5));
        row("  its SQL alone", "ms", of(&rounds, |(_, sql)| sql.percentile(50)), Aim::AtMost(1.5));
    }
}

/// Without data.
pub fn left_out() {
    for (what, ..) in LOOKS {
        table::left_out(what, "no data, which `make bench-data` makes once");
    }
}

/// One of the two.
struct Side {
    database: Database,
    client: Client,
    token: String,
    http: Http,
    _server: Server,
}

impl Side {
    async fn of(cluster: &Cluster, name: &str) -> Self {
        let database = cluster.database(name).await;
        let client = database.connect().await;
        let token = talk::viewer(&client).await;
        let server = Server::start(&database);
        let http = Http::graphql(server.address, &token).await;
        Self { database, client, token, http, _server: server }
    }

    async fn begin(&mut self, look: Look, written: Written) -> Looking<'_> {
        let operations = self.operations(look, written).await;
        let asked = asked_for(&self.database, &self.token, &operations).await;
        let again = Again::prepare(&self.database, &asked).await;
        Looking { http: &mut self.http, operations, again, at: 0 }
    }

    async fn operations(&mut self, look: Look, written: Written) -> Vec<String> {
        let (channel, head) = match written {
            Written::Imported => imported_channel(&self.client).await,
            Written::Generated => talk::channels(&self.client, 1).await.remove(0),
        };
        let places = (1..=PLACES).map(|place| head / (PLACES + 1) * place);
        match look {
            Look::Newest => vec![operations::page(&channel, None)],
            Look::Sidebar => vec![operations::sidebar()],
            Look::Around => places.map(|seq| operations::around(&channel, seq)).collect(),
            Look::Deep => {
                let mut pages = Vec::new();
                for seq in places {
                    let cursor = talk::cursor(&mut self.http, &channel, seq).await;
                    pages.push(operations::page(&channel, Some(&cursor)));
                }
                pages
            }
        }
    }
}

/// One client, and a connection that asks what it made the server ask.
struct Looking<'a> {
    http: &'a mut Http,
    operations: Vec<String>,
    again: Again,
    at: usize,
}

impl Looking<'_> {
    async fn ask(&mut self) -> (Took, Took) {
        let Self { http, operations, again, at } = self;
        let through_http = async |(http, at): &mut (&mut Http, &mut usize)| {
            **at += 1;
            http.ask(&operations[**at % operations.len()]).await;
        };
        let through_http = turn(&mut [(&mut **http, &mut *at)], TURN, through_http).await;
        let sql = async |at: &mut &mut usize| {
            **at += 1;
            again.ask(**at).await;
        };
        (through_http, turn(&mut [at], TURN, sql).await)
    }
}

/// The largest one that was imported; it is public.
async fn imported_channel(client: &Client) -> (String, i32) {
    let sql = "SELECT id::text, last_seq FROM conversations JOIN import_channels ON conversation_id = id
        ORDER BY last_seq DESC LIMIT 1";
    let row = client.query_one(sql, &[]).await.expect("a channel");
    (people::channel(&row, 0), row.get(1))
}
