//! Operations over WebSockets as Apollo's subscriptions-transport-ws speaks, under the name of graphql-ws.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::sessions::{signed_in, toy_with_sessions};
use crate::socket::somebody;
use crate::toy::{CURRENT, OLD, Socket, Toy, until};

/// A socket before `connection_init`.
async fn silent(toy: &Toy) -> Socket {
    Socket(connect_async(toy.handshake(OLD)).await.unwrap().0)
}

async fn greeted(toy: &Toy) -> Socket {
    let mut socket = silent(toy).await;
    socket.send(json!({ "type": "connection_init", "payload": {} })).await;
    socket.is_acknowledged().await;
    socket
}

impl Socket {
    async fn is_acknowledged(&mut self) {
        assert_eq!(self.next().await, json!({ "type": "connection_ack" }));
        assert_eq!(self.next().await, json!({ "type": "ka" }));
    }

    async fn start(&mut self, id: &str, query: &str) {
        self.send(json!({ "type": "start", "id": id, "payload": { "query": query, "variables": {} } })).await;
    }
}

fn open(toy: &Toy) -> usize {
    toy.counts.open.load(Ordering::SeqCst)
}

#[tokio::test]
async fn the_first_protocol_that_a_client_offers_is_spoken() {
    let toy = Toy::start().await;
    for (offered, spoken) in [
        ("graphql-ws", OLD),
        ("graphql-transport-ws, graphql-ws", CURRENT),
        // Python's gql, which then speaks the first of them whatever it is told.
        ("graphql-ws, graphql-transport-ws", OLD),
        ("graphql-subscriptions, graphql-ws", OLD),
    ] {
        let (socket, answer) = connect_async(toy.handshake(offered)).await.unwrap();
        assert_eq!(answer.headers()["sec-websocket-protocol"], spoken, "{offered}");
        let mut socket = Socket(socket);
        socket.send(json!({ "type": "connection_init" })).await;
        socket.next().await;
        let run = if spoken == OLD { "start" } else { "subscribe" };
        socket.send(json!({ "type": run, "id": "a", "payload": { "query": "{ hello }" } })).await;
        let mut answer = socket.next().await;
        if answer["type"] == "ka" {
            answer = socket.next().await;
        }
        assert_eq!(answer["payload"], json!({ "data": { "hello": "world" } }), "{offered}");
    }
}

#[tokio::test]
async fn operations_run_and_complete() {
    let toy = Toy::start().await;
    let mut socket = greeted(&toy).await;
    socket.start("1", "subscription { ticks(every: 5, times: 2) }").await;
    for count in 0..2 {
        let payload = json!({ "data": { "ticks": count } });
        assert_eq!(socket.next().await, json!({ "id": "1", "type": "data", "payload": payload }));
    }
    assert_eq!(socket.next().await, json!({ "id": "1", "type": "complete" }));
    for (query, data) in
        [("{ hello }", json!({ "hello": "world" })), ("mutation { act(millis: 0) }", json!({ "act": 1 }))]
    {
        socket.start("2", query).await;
        assert_eq!(socket.next().await, json!({ "id": "2", "type": "data", "payload": { "data": data } }));
        assert_eq!(socket.next().await, json!({ "id": "2", "type": "complete" }));
    }
    socket.start("3", "{ hello missing }").await;
    let answer = socket.next().await;
    assert_eq!(answer["type"], "data");
    assert_eq!(answer["payload"]["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(socket.next().await["type"], "complete");
}

#[tokio::test]
async fn what_cannot_run_is_a_single_error_with_nothing_after() {
    let toy = Toy::start().await;
    let mut socket = greeted(&toy).await;
    for (query, code) in [
        ("{ nothing nowhere }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { hidden }", "NOT_FOUND"),
    ] {
        socket.start("1", query).await;
        let answer = socket.next().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("1")), "{query}");
        assert_eq!(answer["payload"]["extensions"]["code"], code, "{query}");
    }
    assert!(socket.is_quiet().await);
}

#[tokio::test]
async fn stopping_is_echoed_and_ends_the_stream() {
    let toy = Toy::start().await;
    let mut socket = greeted(&toy).await;
    socket.start("1", "subscription { ticks(every: 5) }").await;
    socket.next().await;
    socket.send(json!({ "type": "stop", "id": "1" })).await;
    while socket.next().await != json!({ "id": "1", "type": "complete" }) {}
    until(|| open(&toy) == 0).await;
    // One that does not run is no mistake, and gets no answer.
    socket.send(json!({ "type": "stop", "id": "1" })).await;
    assert!(socket.is_quiet().await);
}

#[tokio::test]
async fn what_comes_right_behind_the_greeting_runs_as_who_greeted() {
    let (toy, database) = toy_with_sessions().await;
    let viewer = signed_in(&toy, &database, TimeDelta::days(1)).await;
    let mut socket = silent(&toy).await;
    let authorization = format!("Bearer {}", toy.token(viewer, 60));
    socket.send(json!({ "type": "connection_init", "payload": { "authorization": authorization } })).await;
    for id in ["1", "2"] {
        socket.start(id, "{ who }").await;
    }
    socket.is_acknowledged().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let answer = socket.next().await;
        match answer["type"].as_str().unwrap() {
            "data" => assert_eq!(answer["payload"], json!({ "data": { "who": viewer.user_id.to_string() } })),
            other => {
                assert_eq!(other, "complete");
                ids.push(answer["id"].as_str().unwrap().to_owned());
            }
        }
    }
    ids.sort();
    assert_eq!(ids, ["1", "2"]);
}

#[tokio::test]
async fn who_is_turned_away_is_told_why_before_the_socket_closes() {
    let toy = Toy::start().await;
    let greet = async |authorization: Value| {
        let mut socket = silent(&toy).await;
        socket.send(json!({ "type": "connection_init", "payload": { "Authorization": authorization } })).await;
        // It has no one to run as.
        socket.start("1", "{ who }").await;
        let told = socket.next().await;
        assert_eq!(told["type"], "connection_error");
        (told["payload"]["message"].as_str().unwrap().to_owned(), socket.closed().await.0)
    };
    assert_eq!(greet(json!("Bearer nonsense")).await, ("Forbidden".into(), 4403));
    assert_eq!(greet(json!(7)).await, ("Forbidden".into(), 4403));
    let unknown = format!("Bearer {}", toy.token(somebody(&toy), 60));
    assert_eq!(greet(json!(unknown)).await, ("Try again later".into(), 1013));
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_streams_along() {
    let toy = Toy::start().await;
    let mut socket = greeted(&toy).await;
    socket.start("1", "subscription { ticks(every: 9999) }").await;
    until(|| open(&toy) == 1).await;
    socket.send(json!({ "type": "connection_terminate", "payload": null })).await;
    assert_eq!(socket.closed().await.0, 1000);
    until(|| open(&toy) == 0).await;
}

#[tokio::test]
async fn breaking_the_protocol_closes_with_its_code() {
    let toy = Toy::start().await;
    let start = r#"{"type":"start","id":"1","payload":{"query":"subscription { ticks(every: 9999) }"}}"#;
    let mut socket = silent(&toy).await;
    socket.text(start).await;
    assert_eq!(socket.closed().await, (4401, "Unauthorized".into()));
    let mut socket = silent(&toy).await;
    socket.text(&format!(r#"{{"type":"connection_init","payload":{{"a":"{}"}}}}"#, "x".repeat(8 * 1024))).await;
    assert_eq!(socket.closed().await.0, 4400);
    for (text, code) in [
        ("nonsense", 4400),
        ("[]", 4400),
        (r#"{"type":7}"#, 4400),
        (r#"{"type":"connection_init"}"#, 4429),
        (r#"{"type":"connection_error","payload":{}}"#, 4400),
        (r#"{"type":"subscribe","id":"1","payload":{"query":"{ hello }"}}"#, 4400),
        (r#"{"type":"ping"}"#, 4400),
        (r#"{"type":"ka"}"#, 4400),
        (r#"{"type":"stop"}"#, 4400),
        (r#"{"type":"start","payload":{"query":"{ hello }"}}"#, 4400),
        (r#"{"type":"start","id":"1"}"#, 4400),
        (r#"{"type":"start","id":"1","payload":{"query":7}}"#, 4400),
    ] {
        let mut socket = greeted(&toy).await;
        socket.text(text).await;
        assert_eq!(socket.closed().await.0, code, "{text}");
    }
    let mut socket = greeted(&toy).await;
    socket.text(start).await;
    socket.text(start).await;
    assert_eq!(socket.closed().await, (4409, "Subscriber for 1 already exists".into()));
    let mut socket = greeted(&toy).await;
    socket.text(&"x".repeat(256 * 1024 + 1)).await;
    assert_eq!(socket.closed().await.0, 4400);
    until(|| open(&toy) == 0).await;
}

#[tokio::test]
async fn signs_of_life_come_as_often_as_clients_want_them() {
    let toy = Toy::start().await;
    let mut old = greeted(&toy).await;
    let mut current = toy.anonymous().await;
    // Clients of the old one give up after half a minute.
    let sign = timeout(Duration::from_secs(30), async {
        loop {
            let message = old.0.next().await.unwrap().unwrap();
            if !message.is_ping() {
                return message;
            }
        }
    });
    assert_eq!(sign.await.expect("a sign of life"), Message::text(r#"{"type":"ka"}"#));
    // In the current one it is WebSocket's own ping, and nothing else.
    let ping = timeout(Duration::from_secs(5), current.0.next()).await.unwrap().unwrap().unwrap();
    assert!(ping.is_ping(), "{ping:?}");
}
