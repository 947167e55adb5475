//! How long a socket lives.

use std::sync::atomic::Ordering;

use chinwag::viewer::Viewer;
use chrono::TimeDelta;
use serde_json::json;

use crate::harness::Database;
use crate::socket::somebody;
use crate::toy::{Socket, Toy, until};

/// A toy server on a database.
pub async fn toy_with_sessions() -> (Toy, Database) {
    let database = Database::create().await;
    (Toy::on(&database.url, |_| {}).await, database)
}

/// Somebody with a session of this length.
pub async fn signed_in(toy: &Toy, database: &Database, lasts: TimeDelta) -> Viewer {
    let viewer = somebody(toy);
    let (user, session, now) = (viewer.user_id.0, viewer.session_id.0, toy.app.clock.now());
    let expires = now + lasts;
    let insert = format!(
        "INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
         VALUES ('{user}', '{user}', 'Alice', 'USER', true, 1, '{now}', '{now}');
         INSERT INTO sessions (id, user_id, client_name, seed, generation, refreshed_at, created_at, last_used_at,
                               expires_at)
         VALUES ('{session}', '{user}', '', '', 1, '{now}', '{now}', '{now}', '{expires}')"
    );
    database.execute(&insert).await;
    viewer
}

async fn greet(toy: &Toy, viewer: Viewer) -> Socket {
    let mut socket = toy.socket().await;
    let authorization = format!("Bearer {}", toy.token(viewer, 60));
    socket
        .send(json!({ "type": "connection_init", "payload": { "headers": { "authorization": authorization } } }))
        .await;
    socket
}

async fn signed_in_socket(toy: &Toy, viewer: Viewer) -> Socket {
    let mut socket = greet(toy, viewer).await;
    assert_eq!(socket.next().await, json!({ "type": "connection_ack" }));
    socket
}

#[tokio::test]
async fn what_runs_on_a_socket_runs_as_who_greeted() {
    let (toy, database) = toy_with_sessions().await;
    let viewer = signed_in(&toy, &database, TimeDelta::days(1)).await;
    let mut socket = signed_in_socket(&toy, viewer).await;
    socket.run("a", "{ who }").await;
    assert_eq!(socket.next().await["payload"], json!({ "data": { "who": viewer.user_id.to_string() } }));
    let body: serde_json::Value =
        reqwest::get(toy.url.replace("graphql", "health")).await.unwrap().json().await.unwrap();
    assert_eq!(body, json!({ "status": "ok", "db": "connected", "deadLetters": 0 }));
}

#[tokio::test]
async fn when_the_session_ends_streams_complete_and_the_socket_closes() {
    let (toy, database) = toy_with_sessions().await;
    let viewer = signed_in(&toy, &database, TimeDelta::days(1)).await;
    let mut socket = signed_in_socket(&toy, viewer).await;
    let mut other = signed_in_socket(&toy, signed_in(&toy, &database, TimeDelta::days(1)).await).await;
    for id in ["a", "b"] {
        socket.run(id, "subscription { ticks(every: 99999) }").await;
    }
    until(|| toy.counts.open.load(Ordering::SeqCst) == 2).await;
    toy.app.realtime.ended_sessions.insert([viewer.session_id]);
    let mut completed = [socket.next().await, socket.next().await].map(|message| message["id"].clone());
    completed.sort_by_key(ToString::to_string);
    assert_eq!(completed, [json!("a"), json!("b")]);
    assert_eq!(socket.closed().await, (4401, "Session ended".into()));
    until(|| toy.counts.open.load(Ordering::SeqCst) == 0).await;
    assert!(other.is_quiet().await);
    assert_eq!(greet(&toy, viewer).await.closed().await.0, 4403);
}

#[tokio::test]
async fn leaving_is_answered_before_the_socket_closes() {
    let (toy, database) = toy_with_sessions().await;
    let viewer = signed_in(&toy, &database, TimeDelta::days(1)).await;
    let mut socket = signed_in_socket(&toy, viewer).await;
    socket.run("stream", "subscription { ticks(every: 99999) }").await;
    until(|| toy.counts.open.load(Ordering::SeqCst) == 1).await;
    socket.run("leave", "mutation { leave }").await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let message = socket.next().await;
        heard.push(format!("{} {}", message["id"], message["type"]));
    }
    heard.sort();
    assert_eq!(heard, [r#""leave" "complete""#, r#""leave" "next""#, r#""stream" "complete""#]);
    assert_eq!(socket.closed().await.0, 4401);
}

#[tokio::test]
async fn a_session_that_expires_closes_its_socket_and_one_that_was_refreshed_does_not() {
    let (toy, database) = toy_with_sessions().await;
    let alice = signed_in(&toy, &database, TimeDelta::seconds(2)).await;
    let bob = signed_in(&toy, &database, TimeDelta::seconds(2)).await;
    let mut expiring = signed_in_socket(&toy, alice).await;
    let mut refreshed = signed_in_socket(&toy, bob).await;
    let prolong =
        format!("UPDATE sessions SET expires_at = now() + interval '1 day' WHERE id = '{}'", bob.session_id.0);
    database.execute(&prolong).await;
    assert_eq!(expiring.closed().await, (4403, "Session expired".into()));
    refreshed.run("a", "{ hello }").await;
    assert_eq!(refreshed.next().await["payload"], json!({ "data": { "hello": "world" } }));
    // The clock of the tests moves unseen; the next message shows it.
    toy.app.clock.advance(TimeDelta::days(2));
    refreshed.send(json!({ "type": "ping" })).await;
    assert_eq!(refreshed.closed().await.0, 4403);
}

#[tokio::test]
async fn a_user_has_twenty_sockets() {
    let (toy, database) = toy_with_sessions().await;
    let viewer = signed_in(&toy, &database, TimeDelta::days(1)).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(signed_in_socket(&toy, viewer).await);
    }
    assert_eq!(greet(&toy, viewer).await.closed().await, (1013, "Too many connections".into()));
    sockets.pop();
    // The place is given back when the server has seen the socket go.
    while !greet(&toy, viewer).await.is_welcome().await {
        tokio::task::yield_now().await;
    }
}
