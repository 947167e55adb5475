//! The libraries that authors of apps use, set up as they would: `tests/clients` has a small app for each. Whatever
//! cuts one off, it goes on, hears of everything once, and shows what the database has.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use chinwag::config::{Config, Graphiql};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::harness::{Actor, Network, PASSWORD, TestServer};
use crate::toy::until;

/// What should come comes sooner.
const PATIENCE: Duration = Duration::from_secs(60);
/// For compilers and linters on a machine that does much else.
const CHECKS: Duration = Duration::from_secs(600);

// Each of the clients.

#[tokio::test]
async fn graphql_ws_misses_nothing_and_repeats_nothing() {
    misses_nothing_and_repeats_nothing(&["graphql-ws.mjs"]).await;
}

#[tokio::test]
async fn graphql_sse_misses_nothing_and_repeats_nothing() {
    misses_nothing_and_repeats_nothing(&["graphql-sse.mjs"]).await;
}

#[tokio::test]
async fn apollo_over_a_socket_misses_nothing_and_repeats_nothing() {
    misses_nothing_and_repeats_nothing(&["apollo.mjs", "socket"]).await;
}

#[tokio::test]
async fn apollo_in_multipart_misses_nothing_and_repeats_nothing() {
    misses_nothing_and_repeats_nothing(&["apollo.mjs", "multipart"]).await;
}

#[tokio::test]
async fn urql_misses_nothing_and_repeats_nothing() {
    misses_nothing_and_repeats_nothing(&["urql.mjs"]).await;
}

#[tokio::test]
async fn gql_for_python_misses_nothing_and_repeats_nothing() {
    misses_nothing_and_repeats_nothing(&["gql_follow.py", "current"]).await;
}

#[tokio::test]
async fn gql_for_python_as_it_is_by_default_misses_nothing_and_repeats_nothing() {
    misses_nothing_and_repeats_nothing(&["gql_follow.py", "default"]).await;
}

async fn misses_nothing_and_repeats_nothing(program: &[&str]) {
    if is_left_out(needs(program)) {
        return;
    }
    let mut room = Room::open().await;
    for number in 1..=5 {
        room.say(&format!("early {number}")).await;
    }
    let mut app = App::open(program, &room).await;

    // Connections break in the middle of whatever they carry.
    room.network.break_after(600);
    room.network.reset();
    for number in 1..=100 {
        room.say(&format!("message {number}")).await;
    }
    room.edit_and_delete().await;
    app.hears_all(&room).await;
    let connections = room.network.connections();
    assert!(connections > 5, "it was cut off too rarely: {connections} connections");
    room.network.break_after(None);

    // The server goes, the app tries in vain, and when it gets through it has missed something.
    room.restart().await;
    app.hears_all(&room).await;

    // In the meantime its token has expired.
    room.pass(TimeDelta::minutes(16)).await;
    room.network.reset();
    room.say("to whom has a new token").await;
    app.hears_all(&room).await;

    assert_eq!(app.events(), room.events(app.opened).await);
    assert_eq!(app.shows().await, room.messages().await);
}

// Programs that check for themselves what they get.

#[tokio::test]
async fn every_audit_of_graphql_over_http_holds() {
    succeeds(&["audits.mjs"]).await;
}

#[tokio::test]
async fn graphql_request_gets_data_and_coded_errors() {
    succeeds(&["graphql-request.mjs"]).await;
}

#[tokio::test]
async fn subscriptions_transport_ws_asks_listens_and_resumes() {
    succeeds(&["subscriptions-transport-ws.mjs"]).await;
}

#[tokio::test]
async fn persisted_queries_go_by_get_and_by_their_hash() {
    succeeds(&["persisted.mjs", "apollo"]).await;
    succeeds(&["persisted.mjs", "urql"]).await;
}

#[tokio::test]
async fn relay_compiles_pages_and_listens() {
    succeeds(&["relay.mjs"]).await;
}

#[tokio::test]
async fn types_are_made_of_the_schema_and_strict_programs_compile_with_them() {
    succeeds(&["codegen.mjs"]).await;
}

#[tokio::test]
async fn the_schema_keeps_the_rules_of_the_field() {
    succeeds(&["eslint.mjs"]).await;
}

#[tokio::test]
async fn the_schema_breaks_no_app_that_was_made_for_the_last_release() {
    succeeds(&["inspector.mjs"]).await;
}

#[tokio::test]
async fn apollo_and_urql_run_an_app_over_http_and_a_socket_together() {
    succeeds(&["app.mjs", "apollo"]).await;
    succeeds(&["app.mjs", "urql"]).await;
}

#[tokio::test]
async fn gql_for_python_gets_data_and_coded_errors() {
    succeeds(&["gql_requests.py"]).await;
}

#[tokio::test]
async fn nothing_that_schemathesis_makes_up_is_a_fault_of_the_server() {
    succeeds(&["fuzz.py", "somebody"]).await;
    succeeds(&["fuzz.py", "nobody"]).await;
}

#[tokio::test]
async fn graphiql_leads_to_a_first_chat_under_its_policy() {
    if is_left_out("node") || is_left_out("chromium") {
        return;
    }
    let files = Graphiql::Folder(folder().join("graphiql"));
    succeeds_in(&Room::with(|config| config.http.graphiql = files).await, &["graphiql.mjs"]).await;
}

async fn succeeds(program: &[&str]) {
    if is_left_out(needs(program)) {
        return;
    }
    succeeds_in(&Room::open().await, program).await;
}

async fn succeeds_in(room: &Room, program: &[&str]) {
    let run = run(program, room).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap().wait_with_output();
    let output = timeout(CHECKS, run).await.expect("it does not end").unwrap();
    let told = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program:?}\n{}\n{}", told(&output.stdout), told(&output.stderr));
}

// What graphql-ws makes of the ways in which a socket ends.

#[tokio::test]
async fn a_socket_that_fell_silent_is_given_up_for_a_new_one() {
    if is_left_out("node") {
        return;
    }
    let room = Room::open().await;
    let mut app = App::open(&["graphql-ws.mjs"], &room).await;
    room.network.fall_silent();
    room.say("unheard").await;
    app.hears_all(&room).await;
    assert_eq!(app.closed[0], 4499);
    assert_eq!(app.events(), room.events(app.opened).await);
}

#[tokio::test]
async fn a_restart_and_an_expired_token_are_overcome_and_the_end_of_the_session_is_final() {
    if is_left_out("node") {
        return;
    }
    let mut room = Room::open().await;
    let mut app = App::open(&["graphql-ws.mjs"], &room).await;
    room.restart().await;
    app.hears_all(&room).await;
    assert_eq!(app.closed[0], 1012);

    app.closed.clear();
    room.pass(TimeDelta::minutes(16)).await;
    room.network.reset();
    room.say("to whom has a new token").await;
    app.hears_all(&room).await;
    assert_eq!(app.closed, [1006, 4403]);
    assert_eq!(app.events(), room.events(app.opened).await);

    app.closed.clear();
    let connections = room.network.connections();
    // As in another tab.
    let bob = Actor::new(room.server.address, Some(app.token.clone()));
    bob.query("mutation { logout { sessionId } }").await.data("logout");
    app.tells("completed").await;
    app.ends().await;
    assert_eq!(app.closed, [4401]);
    assert_eq!(room.network.connections(), connections);
}

#[tokio::test]
async fn who_was_away_for_longer_than_a_session_lasts_has_to_sign_in() {
    if is_left_out("node") {
        return;
    }
    let mut room = Room::open().await;
    let mut app = App::open(&["graphql-ws.mjs"], &room).await;
    room.pass(TimeDelta::days(366)).await;
    room.network.reset();
    assert_eq!(app.tells("failed").await, "SessionOver");
    app.ends().await;
}

/// Alice's, to which Bob's app listens through a network.
struct Room {
    server: TestServer,
    network: Network,
    alice: Actor,
    channel: String,
}

impl Room {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// On a server with a configuration of its own.
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::start_with(change).await;
        let network = Network::before(server.address).await;
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let channel = alice.private_channel("Room", &[&bob]).await;
        Self { server, network, alice, channel }
    }

    async fn say(&self, content: &str) -> Value {
        self.alice.say(&self.channel, content).await
    }

    async fn edit_and_delete(&self) {
        let (edited, deleted) = (self.say("sad").await["id"].clone(), self.say("regretted").await["id"].clone());
        let edit =
            "mutation($id: ID!) { editMessage(input: { messageId: $id, content: \"said\" }) { message { id } } }";
        self.alice.ask(edit, json!({ "id": edited })).await.data("editMessage");
        let delete = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }";
        self.alice.ask(delete, json!({ "id": deleted })).await.data("deleteMessage");
    }

    /// Another server takes over after a while, and has news at once.
    async fn restart(&mut self) {
        self.server.stop().await;
        let connections = self.network.connections();
        until(|| self.network.connections() > connections + 2).await;
        self.server = self.server.another().await;
        self.alice = self.alice.at(self.server.address);
        self.say("from the next server").await;
        self.network.lead_to(self.server.address);
    }

    /// Lets time pass; Alice has a new token then.
    async fn pass(&mut self, time: TimeDelta) {
        self.server.clock.advance(time);
        self.alice = Actor::log_in(self.server.address, "alice").await;
    }

    async fn head(&self) -> i64 {
        self.server.database.count("SELECT last_seq::int8 FROM conversations").await
    }

    /// The log after a position: where, what, and of which message.
    async fn events(&self, after: i64) -> Vec<Vec<String>> {
        let events = format!(
            "SELECT seq, (ARRAY['MessageSentEvent', 'MessageEditedEvent', 'MessagesDeletedEvent'])[kind], subject_seq
             FROM conversation_events WHERE seq > {after} ORDER BY seq"
        );
        self.server.database.rows(&events).await
    }

    async fn messages(&self) -> Vec<Vec<String>> {
        self.server.database.rows("SELECT seq, content FROM messages ORDER BY seq").await
    }
}

/// A program of `tests/clients`, and what it has told.
struct App {
    program: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Its access token.
    token: String,
    /// The position of the page that it opened with.
    opened: i64,
    batches: Vec<Value>,
    /// The codes with which its sockets were closed.
    closed: Vec<u64>,
}

impl App {
    /// Bob's app, when it is live.
    async fn open(program: &[&str], room: &Room) -> Self {
        let mut program = run(program, room).stdin(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap()).lines();
        let mut app = Self { program, lines, token: String::new(), opened: 0, batches: Vec::new(), closed: Vec::new() };
        app.opened = app.tells("opened").await.as_i64().unwrap();
        // The first delivery says that the stream is live.
        app.tells("batch").await;
        app
    }

    /// Listens to it until it tells this.
    async fn tells(&mut self, wanted: &str) -> Value {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect("it tells nothing").unwrap();
            let Value::Object(told) = serde_json::from_str(&line.expect("it has ended")).unwrap() else { panic!() };
            let (what, value) = told.into_iter().next().unwrap();
            match what.as_str() {
                "token" => self.token = value.as_str().unwrap().to_owned(),
                "closed" => self.closed.push(value.as_u64().unwrap()),
                "batch" => self.batches.push(value.clone()),
                _ => assert_eq!(what, wanted, "{value}"),
            }
            if what == wanted {
                return value;
            }
        }
    }

    async fn hears_all(&mut self, room: &Room) {
        let head = room.head().await;
        while self.batches.last().unwrap()["seq"].as_i64().unwrap() < head {
            self.tells("batch").await;
        }
    }

    /// Every event that it was told of, in the form of the log.
    fn events(&self) -> Vec<Vec<String>> {
        let events = self.batches.iter().flat_map(|batch| batch["events"].as_array().unwrap());
        let message = |event: &Value| event.pointer("/message/seq").or(event.pointer("/messages/0/seq")).cloned();
        events.map(|event| row(&[&event["seq"], &event["__typename"], &message(event).unwrap()])).collect()
    }

    /// The messages that the person sees, in the form of the database.
    async fn shows(&mut self) -> Vec<Vec<String>> {
        drop(self.program.stdin.take());
        let messages = self.tells("shows").await;
        messages.as_array().unwrap().iter().map(|shown| row(&[&shown["seq"], &shown["content"]])).collect()
    }

    /// It ends by itself, and has nothing more to tell than how its sockets ended.
    async fn ends(&mut self) {
        while let Some(line) = timeout(PATIENCE, self.lines.next_line()).await.expect("it goes on").unwrap() {
            let told: Value = serde_json::from_str(&line).unwrap();
            self.closed.push(told["closed"].as_u64().unwrap_or_else(|| panic!("{told}")));
        }
        assert!(self.program.wait().await.unwrap().success());
    }
}

/// A program of `tests/clients`, as Bob's.
fn run(program: &[&str], room: &Room) -> Command {
    let mut command = Command::new(script("run-client"));
    command
        .args(program)
        .env("SERVER", format!("http://{}/graphql", room.network.address))
        .env("USERNAME", "bob")
        .env("PASSWORD", PASSWORD)
        .env("CONVERSATION", &room.channel)
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name)
}

/// What runs a program.
fn needs(program: &[&str]) -> &'static str {
    if program[0].ends_with(".py") { "python" } else { "node" }
}

/// As the database's rows are read.
fn row(columns: &[&Value]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    columns.iter().map(|value| text(value)).collect()
}

/// Whether this machine has not what a test needs. Nothing is installed or fetched in a test; that is done before, by
/// `make test` or `scripts/install-clients`. `tests/left_out.rs` says what was left out, and with CHINWAG_TESTS=all nothing is
/// left out.
fn is_left_out(needed: &str) -> bool {
    static MISSING: OnceLock<String> = OnceLock::new();
    let missing = MISSING.get_or_init(|| {
        let output = std::process::Command::new(script("missing-clients")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    });
    let Some(reason) = missing.lines().find(|line| line.starts_with(needed)) else { return false };
    assert!(std::env::var("CHINWAG_TESTS").as_deref() != Ok("all"), "{reason}: scripts/install-clients installs it");
    // Not by `eprintln`: of tests that pass that is shown to nobody.
    let _ = writeln!(std::io::stderr(), "LEFT OUT: {}: {reason}", std::thread::current().name().unwrap_or("a test"));
    true
}
