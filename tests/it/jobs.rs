//! Work that is done after what causes it: surely, by one of all servers, and after whatever dies.

use std::collections::HashMap;
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use chinwag::app::App;
use chinwag::clock::Instant;
use chinwag::error::{Error, Result};
use chinwag::jobs::{Failure, Job, Kinds, Recurring};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::harness::TestServer;
use crate::toy::until;

/// What was begun and what was done, by the name of each errand.
static DIARY: LazyLock<Mutex<HashMap<String, Noted>>> = LazyLock::new(Mutex::default);

#[derive(Clone, Copy, Default)]
struct Noted {
    begun: usize,
    done: usize,
    /// At the same moment.
    running: usize,
    most: usize,
}

/// Held back until the test says so, by the name of each errand.
static GATES: LazyLock<Mutex<HashMap<String, &'static Semaphore>>> = LazyLock::new(Mutex::default);

fn gate(name: &str) -> &'static Semaphore {
    GATES.lock().unwrap().entry(name.to_owned()).or_insert_with(|| Box::leak(Box::new(Semaphore::new(0))))
}

fn noted(name: &str) -> Noted {
    DIARY.lock().unwrap().get(name).copied().unwrap_or_default()
}

fn note(name: &str, change: impl FnOnce(&mut Noted)) {
    change(DIARY.lock().unwrap().entry(name.to_owned()).or_default());
}

#[derive(Clone, Serialize, Deserialize)]
enum Deed {
    Succeed,
    Fail,
    FailForGood,
    Panic,
    /// Until the gate is opened.
    Wait,
}

#[derive(Clone, Serialize, Deserialize)]
struct Errand {
    name: String,
    deed: Deed,
}

struct Runs(String);

impl Drop for Runs {
    fn drop(&mut self) {
        note(&self.0, |noted| noted.running -= 1);
    }
}

impl Job for Errand {
    const KIND: &'static str = "errand";
    const TIME_LIMIT: Duration = Duration::from_secs(5);
    const ATTEMPTS: i32 = 3;

    async fn run(self, _: &App) -> Result<(), Failure> {
        note(&self.name, |noted| {
            noted.begun += 1;
            noted.running += 1;
            noted.most = noted.most.max(noted.running);
        });
        let _running = Runs(self.name.clone());
        match self.deed {
            Deed::Succeed => {}
            Deed::Fail => return Err(Error::unavailable("nobody is at home").into()),
            Deed::FailForGood => return Err(Failure::for_good(Error::internal("they moved"))),
            Deed::Panic => panic!("lost the way"),
            Deed::Wait => gate(&self.name).acquire().await.unwrap().forget(),
        }
        note(&self.name, |noted| noted.done += 1);
        Ok(())
    }
}

/// Takes longer than it may.
#[derive(Serialize, Deserialize)]
struct Dawdle(String);

impl Job for Dawdle {
    const KIND: &'static str = "dawdle";
    const TIME_LIMIT: Duration = Duration::from_millis(50);
    const ATTEMPTS: i32 = 1;

    async fn run(self, _: &App) -> Result<(), Failure> {
        note(&self.0, |noted| noted.begun += 1);
        std::future::pending().await
    }
}

fn kinds() -> Kinds {
    Kinds::default().with::<Errand>().with::<Dawdle>()
}

/// A name that no other test uses.
fn new_name() -> String {
    uuid::Uuid::new_v4().to_string()
}

async fn enqueue(server: &TestServer, errands: &[Errand]) {
    server
        .app
        .db
        .transaction(async move |tx| {
            for errand in errands {
                tx.enqueue(errand.clone());
            }
            Ok(())
        })
        .await
        .unwrap();
}

async fn enqueue_keyed(server: &TestServer, errand: Errand, at: Option<Instant>) {
    let errand = &errand;
    server
        .app
        .db
        .transaction(async move |tx| {
            let job = tx.enqueue(errand.clone()).keyed(&errand.name);
            if let Some(at) = at {
                job.at(at);
            }
            Ok(())
        })
        .await
        .unwrap();
}

async fn enqueue_dawdle(server: &TestServer, name: &str) {
    server
        .app
        .db
        .transaction(async move |tx| {
            tx.enqueue(Dawdle(name.to_owned()));
            Ok(())
        })
        .await
        .unwrap();
}

fn errand(name: &str, deed: Deed) -> Errand {
    Errand { name: name.to_owned(), deed }
}

async fn until_there_are(server: &TestServer, count: i64, which: &str) {
    let query = format!("SELECT count(*) FROM jobs WHERE kind IN ('errand', 'dawdle') AND {which}");
    server.database.until(&query, &count.to_string()).await;
}

/// Back-offs are at least half as long as they may be, and never longer than this for the third attempt.
const BACK_OFF: TimeDelta = TimeDelta::seconds(20);

#[tokio::test]
async fn a_job_runs_exactly_if_its_transaction_is_committed() {
    let server = TestServer::that_works(kinds()).await;
    let (kept, undone) = (new_name(), new_name());
    let refused: Result<()> = server
        .app
        .db
        .transaction(async |tx| {
            tx.enqueue(errand(&undone, Deed::Succeed));
            Err(Error::not_found("reason"))
        })
        .await;
    assert!(refused.is_err());
    enqueue(&server, &[errand(&kept, Deed::Succeed)]).await;
    until(|| noted(&kept).done == 1).await;
    until_there_are(&server, 0, "true").await;
    assert_eq!(noted(&undone).begun, 0);
}

#[tokio::test]
async fn another_server_hears_of_a_job_at_once() {
    // Knows nothing of errands, and leaves them to those who do.
    let ignorant = TestServer::start().await;
    let server = ignorant.another_that_works(kinds()).await;
    let name = new_name();
    enqueue(&ignorant, &[errand(&name, Deed::Succeed)]).await;
    until(|| noted(&name).done == 1).await;
    until_there_are(&server, 0, "true").await;
}

#[tokio::test]
async fn a_hundred_jobs_of_two_servers_run_once_each() {
    let server = TestServer::that_works(kinds()).await;
    let _another = server.another_that_works(kinds()).await;
    let errands: Vec<_> = (0..100).map(|_| errand(&new_name(), Deed::Succeed)).collect();
    let (statements, ()) = server.statements(enqueue(&server, &errands)).await;
    let inserts = statements.iter().filter(|sql| sql.starts_with("INSERT INTO jobs")).count();
    assert_eq!(inserts, 1, "{statements:#?}");
    until(|| errands.iter().all(|errand| noted(&errand.name).done > 0)).await;
    until_there_are(&server, 0, "true").await;
    assert!(errands.iter().all(|errand| noted(&errand.name).begun == 1));
}

#[tokio::test]
async fn a_job_waits_for_its_time() {
    let server = TestServer::that_works(kinds()).await;
    let (later, now) = (new_name(), new_name());
    enqueue_keyed(&server, errand(&later, Deed::Succeed), Some(server.clock.now() + TimeDelta::minutes(10))).await;
    enqueue(&server, &[errand(&now, Deed::Succeed)]).await;
    until(|| noted(&now).done == 1).await;
    assert_eq!(noted(&later).begun, 0);
    server.clock.advance(TimeDelta::minutes(10));
    until(|| noted(&later).done == 1).await;
}

#[tokio::test]
async fn of_one_key_the_earlier_time_and_the_later_words_count() {
    let server = TestServer::that_works(kinds()).await;
    let name = new_name();
    let soon = server.clock.now() + TimeDelta::minutes(1);
    enqueue_keyed(&server, errand(&name, Deed::Panic), Some(soon)).await;
    enqueue_keyed(&server, errand(&name, Deed::Succeed), Some(soon + TimeDelta::hours(1))).await;
    until_there_are(&server, 1, "true").await;
    server.clock.advance(TimeDelta::minutes(1));
    until_there_are(&server, 0, "true").await;
    assert_eq!((noted(&name).begun, noted(&name).done), (1, 1));
}

#[tokio::test]
async fn what_is_enqueued_again_while_it_runs_runs_once_more_and_never_beside_itself() {
    let server = TestServer::that_works(kinds()).await;
    let _another = server.another_that_works(kinds()).await;
    let name = new_name();
    enqueue_keyed(&server, errand(&name, Deed::Wait), None).await;
    until(|| noted(&name).begun == 1).await;
    for _ in 0..5 {
        enqueue_keyed(&server, errand(&name, Deed::Wait), None).await;
    }
    until_there_are(&server, 1, "true").await;
    gate(&name).add_permits(1);
    until(|| noted(&name).begun == 2).await;
    gate(&name).add_permits(1);
    until_there_are(&server, 0, "true").await;
    assert_eq!((noted(&name).begun, noted(&name).done, noted(&name).most), (2, 2, 1));
}

#[tokio::test]
async fn what_fails_is_tried_again_later_each_time_and_then_is_a_dead_letter() {
    let server = TestServer::that_works(kinds()).await;
    let name = new_name();
    enqueue(&server, &[errand(&name, Deed::Fail)]).await;
    for attempt in 1..=3 {
        until(|| noted(&name).begun == attempt).await;
        let which = format!("attempts = {attempt} AND lease IS NULL AND last_error = 'nobody is at home'");
        until_there_are(&server, 1, &which).await;
        let waits =
            server.database.rows("SELECT extract(epoch FROM due_at - enqueued_at) FROM jobs WHERE kind = 'errand'");
        assert!(attempt == 3 || waits.await[0][0].parse::<f64>().unwrap() >= 2.5);
        server.clock.advance(BACK_OFF);
    }
    until_there_are(&server, 1, "died_at IS NOT NULL").await;
    let health: Value = reqwest::get(format!("{}/health", server.url())).await.unwrap().json().await.unwrap();
    assert_eq!(health, json!({ "status": "ok", "db": "connected", "deadLetters": 1 }));
    server.clock.advance(TimeDelta::days(1));
    // Whatever was due is done when this is.
    let other = new_name();
    enqueue(&server, &[errand(&other, Deed::Succeed)]).await;
    until(|| noted(&other).done == 1).await;
    assert_eq!(noted(&name).begun, 3);
}

#[tokio::test]
async fn what_can_never_succeed_is_not_tried_again() {
    let server = TestServer::that_works(kinds()).await;
    let name = new_name();
    enqueue(&server, &[errand(&name, Deed::FailForGood)]).await;
    until_there_are(&server, 1, "died_at IS NOT NULL AND attempts = 1 AND last_error = 'they moved'").await;
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter() {
    let server = TestServer::that_works(kinds()).await;
    let now = server.clock.now().to_rfc3339();
    let row = format!("gen_random_uuid(), 'errand', '{{}}', '{now}', '{now}'");
    server.database.execute(&format!("INSERT INTO jobs (id, kind, payload, due_at, enqueued_at) SELECT {row}")).await;
    until_there_are(&server, 1, "died_at IS NOT NULL AND last_error LIKE '%cannot be read%'").await;
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt() {
    let server = TestServer::that_works(kinds()).await;
    let (name, other) = (new_name(), new_name());
    enqueue(&server, &[errand(&name, Deed::Panic)]).await;
    until_there_are(&server, 1, "attempts = 1 AND lease IS NULL AND last_error = 'panicked: lost the way'").await;
    enqueue(&server, &[errand(&other, Deed::Succeed)]).await;
    until(|| noted(&other).done == 1).await;
    server.clock.advance(BACK_OFF);
    until(|| noted(&name).begun == 2).await;
}

#[tokio::test]
async fn what_hangs_is_stopped() {
    let server = TestServer::that_works(kinds()).await;
    let name = new_name();
    enqueue_dawdle(&server, &name).await;
    until_there_are(&server, 1, "died_at IS NOT NULL AND last_error = 'It took too long and was stopped'").await;
    assert_eq!(noted(&name).begun, 1);
}

#[tokio::test]
async fn what_hangs_leaves_room_for_other_kinds() {
    let server = TestServer::that_works(kinds().with_recurring::<Round>()).await;
    let names: Vec<_> = (0..10).map(|_| new_name()).collect();
    let errands: Vec<_> = names.iter().map(|name| errand(name, Deed::Wait)).collect();
    enqueue(&server, &errands).await;
    let begun = || names.iter().filter(|name| noted(name).begun > 0).count();
    until(|| begun() == Errand::AT_ONCE).await;
    let other = new_name();
    enqueue_dawdle(&server, &other).await;
    until(|| noted(&other).begun == 1).await;
    assert_eq!(begun(), Errand::AT_ONCE);
    names.iter().for_each(|name| gate(name).add_permits(1));
    until_there_are(&server, 0, "died_at IS NULL").await;
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_leaves_its_jobs_to_others() {
    let server = TestServer::that_works(kinds()).await;
    let another = server.another_that_works(Kinds::default()).await;
    let name = new_name();
    enqueue(&server, &[errand(&name, Deed::Wait)]).await;
    until(|| noted(&name).begun == 1).await;
    drop(server);
    until(|| noted(&name).running == 0).await;

    let heir = another.another_that_works(kinds()).await;
    let other = new_name();
    enqueue(&heir, &[errand(&other, Deed::Succeed)]).await;
    until(|| noted(&other).done == 1).await;
    assert_eq!(noted(&name).begun, 1, "the lease holds");
    heir.clock.advance(TimeDelta::seconds(36));
    until(|| noted(&name).begun == 2).await;
    gate(&name).add_permits(1);
    until_there_are(&heir, 0, "true").await;
}

#[tokio::test]
async fn a_job_that_ends_its_servers_is_not_begun_for_ever() {
    let server = TestServer::that_works(kinds()).await;
    let name = new_name();
    let now = server.clock.now().to_rfc3339();
    let payload = serde_json::to_string(&errand(&name, Deed::Succeed)).unwrap();
    server
        .database
        .execute(&format!(
            "INSERT INTO jobs (id, kind, payload, due_at, enqueued_at, attempts, lease)
             SELECT gen_random_uuid(), 'errand', '{payload}', '{now}', '{now}', 3, gen_random_uuid()"
        ))
        .await;
    until_there_are(&server, 1, "died_at IS NOT NULL AND last_error = 'no attempt came to its end'").await;
    assert_eq!(noted(&name).begun, 0);
}

#[tokio::test]
async fn who_comes_back_after_the_lease_changes_nothing() {
    let server = TestServer::that_works(kinds()).await;
    let another = server.another_that_works(kinds()).await;
    let name = new_name();
    enqueue(&server, &[errand(&name, Deed::Wait)]).await;
    until(|| noted(&name).begun == 1).await;
    server.clock.advance(TimeDelta::seconds(36));
    until(|| noted(&name).begun == 2).await;
    let lease = "SELECT lease FROM jobs WHERE kind = 'errand'";
    let held = another.database.rows(lease).await;
    // Either of them, as nothing says which.
    gate(&name).add_permits(1);
    until(|| noted(&name).done == 1).await;
    gate(&name).add_permits(1);
    until(|| noted(&name).done == 2).await;
    until_there_are(&server, 0, "true").await;
    assert!(!held.is_empty());
}

#[tokio::test]
async fn a_clock_that_jumps_begins_nothing_anew_that_runs() {
    let server = TestServer::that_works(kinds()).await;
    let (name, other) = (new_name(), new_name());
    enqueue(&server, &[errand(&name, Deed::Wait)]).await;
    until(|| noted(&name).begun == 1).await;
    server.clock.advance(TimeDelta::hours(1));
    // It has looked for what is due by now.
    enqueue(&server, &[errand(&other, Deed::Succeed)]).await;
    until(|| noted(&other).done == 1).await;
    assert_eq!(noted(&name).begun, 1);
    gate(&name).add_permits(1);
    until_there_are(&server, 0, "true").await;
    assert_eq!((noted(&name).begun, noted(&name).done), (1, 1));
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_began_and_begins_nothing() {
    let mut server = TestServer::that_works(kinds()).await;
    let names: Vec<_> = (0..Errand::AT_ONCE + 2).map(|_| new_name()).collect();
    let errands: Vec<_> = names.iter().map(|name| errand(name, Deed::Wait)).collect();
    enqueue(&server, &errands).await;
    let begun = || names.iter().filter(|name| noted(name).begun > 0).count();
    until(|| begun() == Errand::AT_ONCE).await;
    let address = server.address;
    let opening = async {
        until(|| std::net::TcpStream::connect(address).is_err()).await;
        names.iter().for_each(|name| gate(name).add_permits(1));
    };
    tokio::join!(server.stop(), opening);
    assert_eq!(names.iter().filter(|name| noted(name).done > 0).count(), Errand::AT_ONCE);
    assert_eq!(begun(), Errand::AT_ONCE);
    until_there_are(&server, 2, "lease IS NULL AND attempts = 0").await;
    until_there_are(&server, 2, "true").await;
}

#[tokio::test]
async fn a_database_that_was_away_is_worked_for_again() {
    let server = TestServer::that_works(kinds()).await;
    let (name, other) = (new_name(), new_name());
    enqueue(&server, &[errand(&name, Deed::Wait)]).await;
    until(|| noted(&name).begun == 1).await;
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
               AND pid <> pg_backend_pid()";
    server.database.execute(all).await;
    gate(&name).add_permits(1);
    until(|| noted(&name).done == 1).await;
    enqueue(&server, &[errand(&other, Deed::Succeed)]).await;
    until(|| noted(&other).done == 1).await;
    until_there_are(&server, 0, "true").await;
    assert_eq!((noted(&name).begun, noted(&name).done), (1, 1));
}

// What recurs.

/// Runs again and again, and fails in one of its databases.
#[derive(Default, Serialize, Deserialize)]
struct Round {}

impl Job for Round {
    const KIND: &'static str = "round";
    const ATTEMPTS: i32 = 1;

    async fn run(self, app: &App) -> Result<(), Failure> {
        note(app.db.url(), |noted| noted.begun += 1);
        if noted(app.db.url()).begun == 2 {
            return Err(Error::internal("the second one fails").into());
        }
        Ok(())
    }
}

impl Recurring for Round {
    const EVERY: TimeDelta = TimeDelta::hours(1);
}

#[tokio::test]
async fn what_recurs_runs_once_each_time_on_one_of_all_servers_even_after_a_failure() {
    let kinds = || Kinds::default().with_recurring::<Round>();
    let server = TestServer::that_works(kinds()).await;
    let _others = (server.another_that_works(kinds()).await, server.another_that_works(kinds()).await);
    let waits = "SELECT count(*) FROM jobs WHERE kind = 'round' AND lease IS NULL AND died_at IS NULL";
    for run in 1..=3 {
        server.database.until(waits, "1").await;
        assert_eq!(noted(&server.database.url).begun, run - 1);
        server.clock.advance(TimeDelta::hours(1));
        until(|| noted(&server.database.url).begun == run).await;
        server.database.until(waits, "1").await;
    }
    assert_eq!(
        server.database.count("SELECT count(*) FROM jobs WHERE kind = 'round' AND died_at IS NOT NULL").await,
        1
    );
}

// The command line.

fn chinwag(server: &TestServer, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chinwag"))
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", &server.database.url)
        .env("DATA_DIR", std::env::temp_dir())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_list_retry_and_drop_dead_letters_beside_a_running_server() {
    let server = TestServer::that_works(kinds()).await;
    let names = [new_name(), new_name(), new_name()];
    assert_eq!(said(&chinwag(&server, &["jobs", "list"])), "");
    for (number, name) in names.iter().enumerate() {
        enqueue(&server, &[errand(name, Deed::FailForGood)]).await;
        until_there_are(&server, number as i64 + 1, "died_at IS NOT NULL").await;
        server.clock.advance(TimeDelta::seconds(1));
    }
    let listed = said(&chinwag(&server, &["jobs", "list"]));
    let listed: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(listed.len(), 3);
    assert_eq!((&listed[0]["kind"], &listed[0]["error"]), (&json!("errand"), &json!("they moved")));
    assert!(!listed[0].to_string().contains(&names[0]), "what it was to do is nobody's to read");
    let id = |number: usize| listed[number]["id"].as_str().unwrap().to_owned();

    // By then it has become possible.
    server.database.execute("UPDATE jobs SET payload = jsonb_set(payload, '{deed}', '\"Succeed\"')").await;
    assert_eq!(said(&chinwag(&server, &["jobs", "retry", &id(0)])), "One job is tried again.\n");
    until(|| noted(&names[0]).done == 1).await;
    assert_eq!(said(&chinwag(&server, &["jobs", "drop", &id(1)])), "One job is dropped.\n");

    // One that is none leaves all as they are.
    for wrong in
        [&["jobs", "drop", &id(2), &id(1)][..], &["jobs", "retry", &id(0)], &["jobs", "drop"], &["jobs", "retry", "x"]]
    {
        let refused = chinwag(&server, wrong);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    }
    until_there_are(&server, 1, "died_at IS NOT NULL").await;
    assert_eq!(said(&chinwag(&server, &["jobs", "retry", "--all"])), "One job is tried again.\n");
    until(|| noted(&names[2]).done == 1).await;
    assert_eq!(noted(&names[1]).done, 0);
    assert_eq!(said(&chinwag(&server, &["jobs", "drop", "--all"])), "0 jobs are dropped.\n");
}
