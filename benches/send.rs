//! Sending: at the rule's door, and through HTTP and GraphQL, beside single-row prepared inserts over as many connections
//! into a table with one key. All of it durable.

use chinwag::app::App;
use chinwag::clock::Clock;
use chinwag::config::Config;
use chinwag::id::UserId;
use chinwag::keys::Keys;
use chinwag::messages::{self, Draft, DraftInput};
use chinwag::viewer::Viewer;
use tokio_postgres::{Client, Statement};

use crate::common::database::{Cluster, Database};
use crate::common::http::Http;
use crate::common::server::{SECRET, Server};
use crate::common::table::{Aim, row};
use crate::common::turns::{TURN, Took, by_turns, of, turn};
use crate::common::{operations, people};

pub const SENDERS: usize = 64;
const CHANNELS: usize = 1_000;
pub const CONTENT: &str = "What somebody says in a chat is about as long as this.";

pub async fn run(cluster: &Cluster) {
    let database = cluster.database("send").await;
    let (mut senders, channels) = senders(&database).await;
    let mut inserts = inserts(&database, &senders).await;
    for (channels, aim) in [(&channels[..1], 1.0), (&channels[..], 0.9)] {
        let rounds = by_turns(
            async || turn(&mut senders, TURN, async |sender| sender.send(channels).await).await,
            async || turn(&mut inserts, TURN, async |insert| insert.run().await).await,
        )
        .await;
        let what = format!("{SENDERS} senders, {} of {CHANNELS} channels, at the rule, beside inserts", channels.len());
        row(&what, "sends/s", of(&rounds, Took::per_second), Aim::AtLeast(aim));
        row("  the slowest hundredth of them", "ms", of(&rounds, |took| took.percentile(99)), Aim::AtMost(2.0));
    }
    let rounds = by_turns(
        async || turn(&mut senders[..1], TURN, async |sender| sender.send(&channels[..1]).await).await,
        async || turn(&mut inserts[..1], TURN, async |insert| insert.run().await).await,
    )
    .await;
    row("one sender, at the rule, beside one insert", "ms", of(&rounds, |took| took.percentile(50)), Aim::AtMost(2.2));
    through_http(&database, &senders, &mut inserts, &channels).await;
}

async fn through_http(database: &Database, senders: &[Sender], inserts: &mut [Insert], channels: &[String]) {
    let server = Server::start(database);
    let mut clients = Vec::new();
    for sender in senders {
        clients.push(Http::graphql(server.address, &sender.token).await);
    }
    for channels in [&channels[..1], channels] {
        let rounds = by_turns(
            async || {
                let send = async |http: &mut Http| {
                    http.ask(&operations::send(any(channels), CONTENT)).await;
                };
                turn(&mut clients, TURN, send).await
            },
            async || turn(inserts, TURN, async |insert| insert.run().await).await,
        )
        .await;
        let what = format!("{SENDERS} senders, {} of {CHANNELS} channels, through HTTP and GraphQL", channels.len());
        row(&what, "sends/s", of(&rounds, Took::per_second), Aim::Nothing);
    }
}

/// Somebody at the rule's door.
#[derive(Clone)]
pub struct Sender {
    app: App,
    viewer: Viewer,
    token: String,
}

/// People who send, and the channels in which all of them sit.
pub async fn senders(database: &Database) -> (Vec<Sender>, Vec<String>) {
    let config = Config::for_tests(database.url.clone(), std::env::temp_dir());
    let app = App::new(config, Clock::default(), database.url.clone(), Keys::new(SECRET)).expect("an app");
    let client = database.connect().await;
    let people = people::settle(&client, SENDERS).await;
    let channels = people::seat_all(&client, CHANNELS).await;
    let sender = |person: people::Person| Sender { app: app.clone(), viewer: person.viewer, token: person.token };
    let mut senders: Vec<Sender> = people.into_iter().map(sender).collect();
    // As the database's own upkeep does within a minute: plans that were made for empty tables are made anew.
    turn(&mut senders, TURN, async |sender| sender.send(&channels).await).await;
    database.settle().await;
    (senders, channels)
}

impl Sender {
    pub fn user_id(&self) -> UserId {
        self.viewer.user_id
    }

    pub async fn send(&self, channels: &[String]) {
        self.say(channels, CONTENT).await;
    }

    pub async fn say(&self, channels: &[String], content: &str) {
        let draft = Draft::from(DraftInput {
            conversation_id: any(channels).to_owned(),
            client_key: uuid::Uuid::new_v4().to_string(),
            content: Some(content.to_owned()),
            reply_to_id: None,
            thread_root_id: None,
        });
        let draft = draft.unwrap_or_else(|error| panic!("{error:?}"));
        messages::send(&self.app, &self.viewer, draft).await.unwrap_or_else(|error| panic!("{error:?}"));
    }
}

fn any(channels: &[String]) -> &str {
    &channels[rand::random_range(0..channels.len())]
}

/// The limit: a connection, and a row at a time.
struct Insert {
    client: Client,
    statement: Statement,
    author: String,
}

async fn inserts(database: &Database, senders: &[Sender]) -> Vec<Insert> {
    let table = "CREATE TABLE limit_of_inserts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author_id uuid NOT NULL, content text NOT NULL)";
    database.connect().await.batch_execute(table).await.expect("a table");
    let mut inserts = Vec::new();
    for sender in senders {
        let client = database.connect().await;
        let sql = "INSERT INTO limit_of_inserts (author_id, content) VALUES ($1::text::uuid, $2)";
        let statement = client.prepare(sql).await.expect("a statement");
        inserts.push(Insert { client, statement, author: sender.viewer.user_id.0.to_string() });
    }
    inserts
}

impl Insert {
    async fn run(&self) {
        self.client.execute(&self.statement, &[&self.author, &CONTENT]).await.expect("a row");
    }
}
