//! Sending: at the rule's door, and through HTTP and GraphQL, beside single-row prepared inserts over as many connections
//! into a table with one key. All of it durable.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag::app::App;
use chinwag::clock::Clock;
use chinwag::config::Config;
use chinwag::conversations::{Kind, Reference};
use chinwag::http::Server;
use chinwag::id::{ConversationId, SessionId, UserId};
use chinwag::keys::Keys;
use chinwag::messages::{self, Draft, DraftInput};
use chinwag::viewer::Viewer;
use common::{TURN, Turn, compare, head};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls, Statement};
use tokio_util::sync::CancellationToken;

const SENDERS: usize = 64;
const CONVERSATIONS: usize = 1_000;
const CONTENT: &str = "What somebody says in a chat is about as long as this.";

struct Sender {
    viewer: Viewer,
    token: String,
    /// For the limit, with its statement.
    author: String,
    client: Client,
    insert: Statement,
}

fn main() {
    let (cluster, url) = common::cluster();
    tokio::runtime::Runtime::new().expect("a runtime").block_on(run(cluster.url("postgres"), url));
}

async fn run(another: String, url: String) {
    chinwag::db::create_database(&another, "chinwag").await.expect("a database");
    chinwag::db::migrate(&url).await.expect("tables");
    let config = Config::for_tests(url.clone(), std::env::temp_dir());
    let app = App::new(config, Clock::default(), url.clone(), Keys::new("a secret of the benches, long enough"))
        .expect("an app");
    let server = Server::bind(app.clone(), chinwag::api::schema()).await.expect("a server");
    let address = format!("http://{}/graphql", server.address());
    tokio::spawn(server.run(CancellationToken::new()));
    let http = reqwest::Client::new();
    let senders = Arc::new(senders(&http, &address, &url).await);
    let rooms = conversations(&url).await;
    // As the database's own upkeep does within a minute: plans that were made for empty tables are made anew.
    turn(&senders, async |at, sender| at_the_door(&app, sender, rooms[at % rooms.len()]).await).await;
    connect(&url).await.batch_execute("ANALYZE").await.expect("statistics");
    head();
    for (count, rooms) in [(1, &rooms[..1]), (CONVERSATIONS, &rooms[..])] {
        compare(
            &format!("{SENDERS} senders, {count} conversations, at the rule"),
            async || turn(&senders, async |at, sender| at_the_door(&app, sender, rooms[at % rooms.len()]).await).await,
            async || turn(&senders, async |_, sender| insert(sender).await).await,
        )
        .await;
        compare(
            &format!("{SENDERS} senders, {count} conversations, through HTTP and GraphQL"),
            async || {
                turn(&senders, async |at, sender| through_http(&http, &address, sender, rooms[at % rooms.len()]).await)
                    .await
            },
            async || turn(&senders, async |_, sender| insert(sender).await).await,
        )
        .await;
    }
    compare(
        "one sender, at the rule",
        async || turn(&senders[..1], async |_, sender| at_the_door(&app, sender, rooms[0]).await).await,
        async || turn(&senders[..1], async |_, sender| insert(sender).await).await,
    )
    .await;
}

/// All of them do it again and again until the turn is over.
async fn turn(senders: &[Sender], deed: impl AsyncFn(usize, &Sender)) -> Turn {
    let end = Instant::now() + TURN;
    let took = join_all(senders.iter().map(async |sender| {
        let mut took: Vec<Duration> = Vec::new();
        while Instant::now() < end {
            let begin = Instant::now();
            deed(rand::random::<u32>() as usize, sender).await;
            took.push(begin.elapsed());
        }
        took
    }));
    Turn::of(took.await.concat())
}

async fn at_the_door(app: &App, sender: &Sender, room: ConversationId) {
    let draft = Draft::from(DraftInput {
        conversation_id: Reference { kind: Kind::Channel, id: room }.to_string(),
        client_key: uuid::Uuid::new_v4().to_string(),
        content: Some(CONTENT.to_owned()),
        reply_to_id: None,
        thread_root_id: None,
    });
    let draft = draft.unwrap_or_else(|error| panic!("{error:?}"));
    messages::send(app, &sender.viewer, draft).await.unwrap_or_else(|error| panic!("{error:?}"));
}

async fn through_http(http: &reqwest::Client, address: &str, sender: &Sender, room: ConversationId) {
    let query = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id seq } } }";
    let input = json!({
        "conversationId": Reference { kind: Kind::Channel, id: room }.to_string(),
        "clientKey": uuid::Uuid::new_v4().to_string(),
        "content": CONTENT,
    });
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = http.post(address).bearer_auth(&sender.token).json(&body).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    assert!(answer.get("errors").is_none(), "{answer}");
}

async fn insert(sender: &Sender) {
    sender.client.execute(&sender.insert, &[&sender.author, &CONTENT]).await.expect("a row");
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn senders(http: &reqwest::Client, address: &str, url: &str) -> Vec<Sender> {
    let table = "CREATE TABLE limit_of_inserts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author_id uuid NOT NULL, content text NOT NULL)";
    connect(url).await.batch_execute(table).await.expect("a table");
    let mut senders = Vec::new();
    for number in 0..SENDERS {
        let query = "mutation($input: RegisterInput!) { register(input: $input) { viewer { user { id } } session { id } tokens { accessToken } } }";
        let name = format!("sender-{number}");
        let input =
            json!({ "email": format!("{name}@example.org"), "username": name, "password": "correct horse battery" });
        let body = json!({ "query": query, "variables": { "input": input } });
        let answer: Value = http.post(address).json(&body).send().await.expect("an answer").json().await.expect("JSON");
        let text =
            |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{answer}"));
        let client = connect(url).await;
        let insert = "INSERT INTO limit_of_inserts (author_id, content) VALUES ($1::text::uuid, $2)";
        let insert = client.prepare(insert).await.expect("a statement");
        let user_id = UserId::parse(text("/data/register/viewer/user/id")).expect("an id");
        senders.push(Sender {
            viewer: Viewer { user_id, session_id: SessionId::parse(text("/data/register/session/id")).expect("an id") },
            token: text("/data/register/tokens/accessToken").to_owned(),
            author: user_id.0.to_string(),
            client,
            insert,
        });
    }
    senders
}

/// Channels in which everybody has a seat.
async fn conversations(url: &str) -> Vec<ConversationId> {
    let client = connect(url).await;
    let sql = format!(
        "CREATE TEMP TABLE rooms AS SELECT gen_random_uuid() AS id FROM generate_series(1, {CONVERSATIONS});
         INSERT INTO conversations (id, kind, last_activity_at, member_count, version, created_at, updated_at)
             SELECT id, 'CHANNEL', now(), {SENDERS}, 1, now(), now() FROM rooms;
         INSERT INTO channels (conversation_id, name, visibility, posting_role)
             SELECT id, 'Room', 'PRIVATE', 'GUEST' FROM rooms;
         INSERT INTO conversation_members (conversation_id, user_id, id, role, joined_at, last_read_seq, last_read_no)
             SELECT rooms.id, users.id, gen_random_uuid(), 'MEMBER', now(), 0, 0 FROM rooms, users;
         ANALYZE;"
    );
    client.batch_execute(&sql).await.expect("rooms");
    let rows = client.query("SELECT id::text FROM rooms", &[]).await.expect("rooms");
    rows.into_iter().map(|row| ConversationId(row.get::<_, &str>(0).parse().expect("a UUID"))).collect()
}
