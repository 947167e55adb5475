//! Clients that do not read, or do not stop sending: what they cost is bounded, nothing is lost without a word, and nobody
//! else notices.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chinwag::id::{self, ConversationId};
use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::TestServer;
use crate::sessions::toy_with_sessions;
use crate::toy::{Socket, Toy, until};

/// What a client is let go after, and some more.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(toy: &Toy) -> usize {
    toy.counts.open.load(Ordering::SeqCst)
}

fn made(toy: &Toy) -> usize {
    toy.counts.made.load(Ordering::SeqCst)
}

fn done(toy: &Toy) -> usize {
    toy.counts.done.load(Ordering::SeqCst)
}

/// Waits until something holds that takes its time.
async fn at_last(holds: impl Fn() -> bool) {
    timeout(PATIENCE, async {
        while !holds() {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("it should come to hold at last");
}

/// Asks for the server's health until `work` is done, which takes some answers.
async fn in_good_health<T>(url: &str, work: impl Future<Output = T>) -> T {
    let http = reqwest::Client::new();
    let asking = async {
        loop {
            let answer = timeout(PATIENCE, http.get(url).send()).await.expect("an answer").unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        biased;
        () = asking => unreachable!(),
        done = work => done,
    }
}

impl Socket {
    /// What still comes, until the connection ends.
    async fn rest(&mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        while let Some(Ok(message)) = timeout(PATIENCE, self.0.next()).await.expect("an end") {
            match message {
                Message::Text(text) => rest.push(serde_json::from_str(&text).unwrap()),
                // The frame that says it, if it came through.
                Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1013),
                _ => {}
            }
        }
        rest
    }
}

// Who does not read.

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go_and_costs_little_until_then() {
    let toy = Toy::start().await;
    let mut socket = toy.narrow().await;
    socket.run("a", "subscription { flood }").await;
    until(|| open(&toy) == 1).await;
    at_last(|| open(&toy) == 0).await;
    let frames = socket.rest().await.len();
    // What the kernel keeps: each is a kilobyte.
    assert!((1..1_000).contains(&frames), "{frames}");
}

#[tokio::test]
async fn who_stops_reading_is_let_go_and_misses_nothing_by_coming_back() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let follow = "subscription($id: ID!, $after: Int) { conversationEvents(conversationId: $id, after: $after) {
        seq hasGap events { seq ... on MessageSentEvent { message { content } } } } }";
    let listen = async |mut socket: Socket, after: Option<i64>| {
        let payload = json!({ "query": follow, "variables": { "id": channel, "after": after } });
        socket.send(json!({ "type": "subscribe", "id": "log", "payload": payload })).await;
        socket
    };
    let token = json!({ "Authorization": format!("Bearer {}", bob.token.as_ref().unwrap()) });
    let greeted = async || Socket::narrow(server.address).await.greeted(token.clone()).await;
    let mut socket = listen(greeted().await, None).await;
    let mut seq = socket.next().await["payload"]["data"]["conversationEvents"]["seq"].as_i64().unwrap();
    // Tells when the socket is gone: who has none hears nothing.
    let hear = "subscription($id: ID!) { conversationSignals(conversationId: $id) { signals { __typename } } }";
    let payload = json!({ "query": hear, "variables": { "id": channel } });
    socket.send(json!({ "type": "subscribe", "id": "signals", "payload": payload })).await;
    assert_eq!(socket.next().await["id"], "signals");
    let (_, uuid) = id::decode(&channel).unwrap();
    let is_heard = || server.app.realtime.signals.is_heard(ConversationId(uuid));
    assert!(is_heard());

    let long = "x".repeat(9_000);
    for _ in 0..150 {
        alice.say(&channel, &long).await;
    }
    let head = seq + 150;
    at_last(|| !is_heard()).await;
    let mut take = |message: &Value| {
        let batch = &message["payload"]["data"]["conversationEvents"];
        assert_eq!(batch["hasGap"], false, "{message}");
        for event in batch["events"].as_array().unwrap() {
            assert_eq!(event["seq"], seq + 1);
            seq += 1;
        }
        assert_eq!(batch["seq"], seq);
        seq
    };
    let mut reached = None;
    for message in socket.rest().await {
        assert_eq!(message["type"], "next", "nothing says that it is complete");
        reached = Some(take(&message));
    }
    let reached = reached.expect("some came through");
    assert!(reached < head, "all of it came through, so that nothing was tried");
    let mut again = listen(greeted().await, Some(reached)).await;
    while take(&again.next().await) < head {}
}

#[tokio::test]
async fn queries_wait_for_a_client_that_does_not_read_and_mutations_do_not() {
    let toy = Toy::start().await;
    let mut socket = toy.narrow().await;
    for at in 0..40 {
        socket.run(&format!("query {at}"), "{ long(length: 500000) }").await;
    }
    until(|| made(&toy) > 0).await;
    // The first one is on its way, and stuck.
    for at in 0..10 {
        socket.run(&format!("mutation {at}"), "mutation { act(millis: 0) }").await;
    }
    until(|| done(&toy) == 10).await;
    // One that is written, one in the queue, and those that wait for room there.
    assert!(made(&toy) <= 6, "{}", made(&toy));
    // Nothing was lost.
    let mut completed = BTreeSet::new();
    while completed.len() < 50 {
        let message = socket.next().await;
        if message["type"] == "complete" {
            completed.insert(message["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(made(&toy), 40);
}

#[tokio::test]
async fn answers_of_mutations_that_nobody_reads_are_kept_up_to_a_limit_and_the_rest_is_told_to_be_done() {
    let toy = Toy::start().await;
    let mut socket = toy.narrow().await;
    for at in 0..60 {
        socket.run(&at.to_string(), "mutation { tell(length: 300000) }").await;
    }
    until(|| done(&toy) == 60).await;
    let (mut whole, mut told) = (0, 0);
    while whole + told < 60 {
        let message = socket.next().await;
        match message["type"].as_str().unwrap() {
            "next" => whole += 1,
            "error" => {
                let error = &message["payload"][0];
                assert_eq!(error["extensions"]["code"], "OPERATION_TOO_COMPLEX");
                assert!(error["message"].as_str().unwrap().starts_with("This is done"), "{error}");
                told += 1;
            }
            other => assert_eq!(other, "complete"),
        }
    }
    // Eight mebibytes, one in the queue, and what was written before the first one waited.
    assert!((20..=30).contains(&whole), "{whole}");
}

#[tokio::test]
async fn running_operations_have_half_a_mebibyte_of_messages() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    let ask = |id: &str| {
        let variables = json!({ "nobody reads this": "x".repeat(150_000) });
        let payload = json!({ "query": "subscription { ticks(every: 99999) }", "variables": variables });
        json!({ "type": "subscribe", "id": id, "payload": payload })
    };
    for id in ["a", "b", "c"] {
        socket.send(ask(id)).await;
    }
    until(|| open(&toy) == 3).await;
    socket.send(ask("d")).await;
    let answer = socket.next().await;
    assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("d")));
    assert_eq!(answer["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    socket.send(json!({ "type": "complete", "id": "a" })).await;
    socket.send(ask("d")).await;
    until(|| open(&toy) == 3).await;
    assert!(socket.is_quiet().await);
}

// Who does not stop sending.

#[tokio::test]
async fn who_has_a_hundred_mutations_under_way_begins_no_more_and_others_do() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    for at in 0..100 {
        socket.run(&at.to_string(), "mutation { act(millis: 600000) }").await;
    }
    let act = async |address: &str| -> Value {
        let post = reqwest::Client::new().post(&toy.url).header("x-forwarded-for", address);
        let act = json!({ "query": "mutation { act(millis: 0) }" });
        post.json(&act).send().await.unwrap().json().await.unwrap()
    };
    timeout(PATIENCE, async {
        while act("127.0.0.1").await["errors"][0]["extensions"]["code"] != "TOO_MANY_OPERATIONS" {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("a hundred are under way");
    assert!(act("203.0.113.9").await["data"]["act"].is_number());
}

#[tokio::test]
async fn who_pings_without_reading_an_answer_is_not_heard_and_let_go() {
    let (toy, _database) = toy_with_sessions().await;
    let mut socket = toy.narrow().await;
    let ping = json!({ "type": "ping", "payload": { "x": "x".repeat(10_000) } }).to_string();
    let health = toy.url.replace("graphql", "health");
    in_good_health(&health, async {
        let flooding = async { while socket.0.send(Message::text(ping.as_str())).await.is_ok() {} };
        timeout(PATIENCE, flooding).await.expect("it should be let go");
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_operations_is_refused_beyond_the_hundredth() {
    let (toy, _database) = toy_with_sessions().await;
    let socket = toy.anonymous().await;
    let (mut sending, mut receiving) = socket.0.split();
    let flooding = async {
        for at in 0..3_000 {
            let payload = json!({ "query": "subscription { ticks(every: 9999999) }" });
            let message = json!({ "type": "subscribe", "id": at.to_string(), "payload": payload });
            sending.send(Message::text(message.to_string())).await.unwrap();
        }
    };
    let reading = async {
        let mut refused = 0;
        while refused < 2_900 {
            let message = timeout(PATIENCE, receiving.next()).await.unwrap().unwrap().unwrap();
            if let Message::Text(text) = message {
                assert!(text.contains("TOO_MANY_OPERATIONS"), "{text}");
                refused += 1;
            }
        }
    };
    let health = toy.url.replace("graphql", "health");
    in_good_health(&health, async { tokio::join!(flooding, reading) }).await;
    until(|| open(&toy) == 100).await;
}

#[tokio::test]
async fn a_flood_of_messages_is_borne_and_the_next_operation_answered() {
    let (toy, _database) = toy_with_sessions().await;
    let mut socket = toy.anonymous().await;
    let health = toy.url.replace("graphql", "health");
    in_good_health(&health, async {
        for at in 0..10_000 {
            // Pairs that begin and end something, and ends of nothing.
            let id = (at / 2).to_string();
            match at % 10 {
                0 => socket.run(&id, "subscription { ticks(every: 9999999) }").await,
                _ => socket.send(json!({ "type": "complete", "id": id })).await,
            }
        }
    })
    .await;
    socket.run("last", "{ hello }").await;
    assert_eq!(socket.next().await["payload"], json!({ "data": { "hello": "world" } }));
    until(|| open(&toy) == 0).await;
}
