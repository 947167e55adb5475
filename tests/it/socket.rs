//! Operations over WebSockets; what clients may say there is in `transport_ws`.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chinwag::id::{SessionId, UserId};
use chinwag::viewer::Viewer;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async;

use crate::toy::{CURRENT, Toy, until};

/// Somebody with a session that nobody knows of.
pub fn somebody(toy: &Toy) -> Viewer {
    let now = toy.app.clock.now();
    Viewer { user_id: UserId::at(now), session_id: SessionId::at(now) }
}

fn open(toy: &Toy) -> usize {
    toy.counts.open.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_subscription_delivers_and_completes() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    socket.run("a", "subscription { ticks(every: 5, times: 3) }").await;
    for count in 0..3 {
        assert_eq!(
            socket.next().await,
            json!({ "id": "a", "type": "next", "payload": { "data": { "ticks": count } } })
        );
    }
    assert_eq!(socket.next().await, json!({ "id": "a", "type": "complete" }));
    until(|| open(&toy) == 0).await;
    // The id is free again.
    socket.run("a", "subscription { ticks(every: 5, times: 0) }").await;
    assert_eq!(socket.next().await["type"], "complete");
}

#[tokio::test]
async fn queries_and_mutations_run_too() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    for (query, data) in
        [("{ hello }", json!({ "hello": "world" })), ("mutation { act(millis: 0) }", json!({ "act": 1 }))]
    {
        socket.run("q", query).await;
        assert_eq!(socket.next().await, json!({ "id": "q", "type": "next", "payload": { "data": data } }));
        assert_eq!(socket.next().await, json!({ "id": "q", "type": "complete" }));
    }
    socket.run("q", "{ hello missing }").await;
    let answer = socket.next().await;
    assert_eq!(answer["type"], "next");
    assert_eq!(answer["payload"]["errors"][0]["extensions"]["code"], "NOT_FOUND");
    assert_eq!(socket.next().await["type"], "complete");
}

#[tokio::test]
async fn a_request_error_is_an_error_with_nothing_after() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    for (query, code) in [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a: ticks(every: 1) b: ticks(every: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ...F } fragment F on Subscription { ticks(every: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("query A { hello } query B { hello }", "BAD_REQUEST"),
        ("subscription { hidden }", "NOT_FOUND"),
        ("{ panics }", "INTERNAL"),
    ] {
        socket.run("a", query).await;
        let answer = socket.next().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("a")), "{query}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{query}");
        assert!(answer["payload"][0]["extensions"]["requestId"].is_string());
    }
    assert!(socket.is_quiet().await);
}

#[tokio::test]
async fn an_event_that_cannot_be_shown_ends_its_stream_and_is_no_silent_hole() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    socket.run("a", "subscription { breaks }").await;
    assert_eq!(socket.next().await["payload"], json!({ "data": { "breaks": 1 } }));
    let failed = socket.next().await;
    assert_eq!(failed["type"], "error");
    assert_eq!(failed["payload"][0]["extensions"]["code"], "INTERNAL");
    assert!(!failed.to_string().contains("secret"));
    socket.run("b", "subscription { panics }").await;
    assert_eq!(socket.next().await["payload"], json!({ "data": { "panics": 1 } }));
    assert_eq!(socket.next().await["type"], "error");
    assert!(socket.is_quiet().await);
}

#[tokio::test]
async fn completing_ends_the_stream_at_once_and_is_not_echoed() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    socket.run("a", "subscription { ticks(every: 20) }").await;
    socket.next().await;
    assert_eq!(open(&toy), 1);
    socket.send(json!({ "type": "complete", "id": "a" })).await;
    until(|| open(&toy) == 0).await;
    // At most what was on its way.
    let _ = timeout(Duration::from_millis(50), socket.next()).await;
    assert!(socket.is_quiet().await);
    // One that is started under the same id hears nothing of the old.
    socket.run("b", "subscription { flood }").await;
    socket.next().await;
    socket.send(json!({ "type": "complete", "id": "b" })).await;
    socket.run("b", "{ hello }").await;
    loop {
        let answer = socket.next().await;
        if answer["payload"]["data"]["flood"].is_null() {
            assert_eq!(answer["payload"], json!({ "data": { "hello": "world" } }));
            assert_eq!(socket.next().await, json!({ "id": "b", "type": "complete" }));
            break;
        }
    }
    assert!(socket.is_quiet().await);
}

#[tokio::test]
async fn a_mutation_goes_on_when_it_is_completed_or_the_socket_is_gone() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    socket.run("a", "mutation { act(millis: 200) }").await;
    socket.run("b", "mutation { act(millis: 200) }").await;
    sleep(Duration::from_millis(50)).await;
    socket.send(json!({ "type": "complete", "id": "a" })).await;
    sleep(Duration::from_millis(50)).await;
    drop(socket);
    until(|| toy.counts.done.load(Ordering::SeqCst) == 2).await;
}

#[tokio::test]
async fn a_socket_that_goes_takes_its_streams_along() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    for id in ["a", "b"] {
        socket.run(id, "subscription { ticks(every: 10) }").await;
    }
    until(|| open(&toy) == 2).await;
    drop(socket);
    until(|| open(&toy) == 0).await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_not_waited_for() {
    let toy = Toy::start().await;
    let mut socket = toy.socket().await;
    let begin = Instant::now();
    assert_eq!(socket.closed().await, (4408, "Connection initialisation timeout".into()));
    assert!((9..12).contains(&begin.elapsed().as_secs()));
}

#[tokio::test]
async fn another_protocol_is_not_acceptable() {
    let toy = Toy::start().await;
    let (socket, answer) = connect_async(format!("ws://{}/graphql", toy.address)).await.unwrap();
    assert!(answer.headers().get("sec-websocket-protocol").is_none());
    assert_eq!(crate::toy::Socket(socket).closed().await, (4406, "Subprotocol not acceptable".into()));
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_opens_no_socket() {
    let toy = Toy::start().await;
    for (origin, is_let_in) in [("http://localhost:3000", true), ("http://evil.example", false), ("null", false)] {
        let mut handshake = toy.handshake(CURRENT);
        handshake.headers_mut().insert("origin", origin.parse().unwrap());
        match connect_async(handshake).await {
            Ok(_) => assert!(is_let_in, "{origin}"),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
                assert!(!is_let_in && answer.status() == 403, "{origin}");
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_token_in_the_greeting_has_to_be_good() {
    let toy = Toy::start().await;
    let greet = async |authorization: Value| {
        let mut socket = toy.socket().await;
        socket.send(json!({ "type": "connection_init", "payload": { "Authorization": authorization } })).await;
        socket.closed().await.0
    };
    let viewer = somebody(&toy);
    assert_eq!(greet(json!("Bearer nonsense")).await, 4403);
    assert_eq!(greet(json!(format!("Bearer {}", toy.token(viewer, -1)))).await, 4403);
    assert_eq!(greet(json!(7)).await, 4403);
    // The token is good, but nobody can say how long the session lasts: come back later.
    assert_eq!(greet(json!(format!("Bearer {}", toy.token(viewer, 60)))).await, 1013);
}

#[tokio::test]
async fn the_hundred_and_first_operation_is_refused_and_the_others_go_on() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    for at in 0..100 {
        socket.run(&at.to_string(), "subscription { ticks(every: 99999) }").await;
    }
    socket.run("one more", "{ hello }").await;
    let answer = socket.next().await;
    assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!("one more")));
    assert_eq!(answer["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    until(|| open(&toy) == 100).await;
}

#[tokio::test]
async fn an_address_has_a_hundred_sockets() {
    let toy = Toy::start().await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        sockets.push(toy.anonymous().await);
    }
    assert_eq!(toy.socket().await.closed().await, (1013, "Too many connections".into()));
    sockets.pop();
    sleep(Duration::from_millis(100)).await;
    toy.anonymous().await;
}

#[tokio::test]
async fn a_query_is_not_kept_waiting_by_a_chatty_subscription() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    socket.run("chatty", "subscription { flood }").await;
    for _ in 0..1000 {
        socket.next().await;
    }
    socket.run("query", "{ hello }").await;
    let mut before = 0;
    while socket.next().await["id"] != "query" {
        before += 1;
    }
    // What the queue and the kernel hold at most.
    assert!(before < 2_000, "{before}");
}

#[tokio::test]
async fn stopping_closes_sockets_so_that_clients_come_back() {
    let mut toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    socket.run("a", "subscription { ticks(every: 5000) }").await;
    socket.run("b", "mutation { act(millis: 500) }").await;
    sleep(Duration::from_millis(100)).await;
    toy.stop.cancel();
    let answer = socket.next().await;
    assert_eq!(answer["payload"], json!({ "data": { "act": 1 } }));
    assert_eq!(socket.next().await, json!({ "id": "b", "type": "complete" }));
    assert_eq!(socket.closed().await, (1012, "Service restart".into()));
    drop(socket);
    toy.running.take().unwrap().await.unwrap();
}
