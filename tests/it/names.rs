//! Names: handles that were left, those that are nobody's, and what a name must not look like.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, PASSWORD, TestServer};

const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) { session { id } } }";
const UPDATE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) {
    user { username displayName version } } }";

async fn register(server: &TestServer, username: &str, display_name: Option<&str>) -> Answer {
    let email = format!("{}@example.org", uuid::Uuid::new_v4());
    let mut input = json!({ "email": email, "username": username, "password": PASSWORD });
    input["displayName"] = json!(display_name);
    server.anonymous().ask(REGISTER, json!({ "input": input })).await
}

async fn update(actor: &Actor, input: Value) -> Answer {
    actor.ask(UPDATE, json!({ "input": input })).await
}

async fn rename(actor: &Actor, username: &str) -> Answer {
    update(actor, json!({ "username": username })).await
}

#[tokio::test]
async fn a_handle_that_was_left_is_its_old_owner_s_for_a_while() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    rename(&alice, "alice-smith").await.data("updateProfile");
    // In the words for a handle that somebody has.
    let has = rename(&mallory, "alice-smith").await;
    let held = rename(&mallory, "Alice").await;
    assert_eq!((has.code(), held.code()), ("CONFLICT", "CONFLICT"));
    assert_eq!(has.0["errors"][0]["message"], held.0["errors"][0]["message"]);
    assert_eq!(register(&server, "alice", None).await.code(), "CONFLICT");
    // She comes back to it, and the one between is held for her then.
    rename(&alice, "alice").await.data("updateProfile");
    assert_eq!(rename(&mallory, "alice-smith").await.code(), "CONFLICT");
    rename(&alice, "alice-jones").await.data("updateProfile");
    server.clock.advance(TimeDelta::days(90) + TimeDelta::minutes(1));
    let mallory = Actor::log_in(server.address, "mallory").await;
    rename(&mallory, "alice").await.data("updateProfile");
    register(&server, "alice-smith", None).await.data("register");
}

#[tokio::test]
async fn of_those_who_want_what_is_just_being_left_nobody_gets_it() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut others = Vec::new();
    for name in ["mallory", "mallet", "trudy"] {
        others.push(server.register(name).await);
    }
    let wanted = others.iter().map(|other| rename(other, "alice"));
    let (left, wanted) = tokio::join!(rename(&alice, "alice-smith"), futures_util::future::join_all(wanted));
    left.data("updateProfile");
    assert!(wanted.iter().all(|answer| answer.code() == "CONFLICT"));
}

#[tokio::test]
async fn nobody_collects_handles_by_trying_them_on() {
    let server = TestServer::start().await;
    let mallory = server.register("mallory").await;
    for number in 0..10 {
        rename(&mallory, &format!("good-name-{number}")).await.data("updateProfile");
    }
    let refused = rename(&mallory, "one-more").await;
    assert_eq!(refused.code(), "RATE_LIMITED");
    assert!(refused.0["errors"][0]["extensions"]["retryAfterMs"].as_i64().unwrap() > 0);
    register(&server, "one-more", None).await.data("register");
    // Between what is theirs they go back and forth.
    rename(&mallory, "mallory").await.data("updateProfile");
}

#[tokio::test]
async fn handles_that_are_free_again_are_forgotten() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    rename(&alice, "alice-smith").await.data("updateProfile");
    let held = "SELECT count(*) FROM held_usernames";
    assert_eq!(server.database.count(held).await, 1);
    server.clock.advance(TimeDelta::days(91));
    server.database.until(held, "0").await;
}

#[tokio::test]
async fn nobody_speaks_for_the_server_by_name() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for reserved in ["admin", "System", "every.one", "_here_", "channel", "m-o-d"] {
        assert_eq!(
            register(&server, reserved, None).await.wrong_fields(),
            ["input.username NOT_ALLOWED"],
            "{reserved}"
        );
        assert_eq!(rename(&alice, reserved).await.wrong_fields(), ["input.username NOT_ALLOWED"], "{reserved}");
    }
    // Whoever has one from before keeps it, and sends it along in forms.
    server.database.execute("UPDATE users SET username = 'admin'").await;
    let input = json!({ "username": "admin", "displayName": "Alice" });
    assert_eq!(update(&alice, input).await.data("updateProfile")["user"]["displayName"], "Alice");
}

#[tokio::test]
async fn nobody_is_taken_for_whoever_runs_the_server() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    update(&alice, json!({ "displayName": "Alice Cooper" })).await.data("updateProfile");
    let mallory = server.register("mallory").await;
    for like in ["Alice Cooper", "ALICE COOPER", "AIice Cooper", "Аlice Соoper", "alice\u{a0}cooper ✓", "A1ice"] {
        let refused = ["input.displayName NOT_ALLOWED"];
        assert_eq!(update(&mallory, json!({ "displayName": like })).await.wrong_fields(), refused, "{like}");
        assert_eq!(register(&server, "trudy", Some(like)).await.wrong_fields(), refused, "{like}");
    }
    // Bob is nobody's to keep, and she may write her own as she likes.
    server.register("bob").await;
    update(&mallory, json!({ "displayName": "Bob" })).await.data("updateProfile");
    update(&alice, json!({ "displayName": "ALICE COOPER" })).await.data("updateProfile");
}

#[tokio::test]
async fn what_is_in_a_name_is_seen() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for hidden in ["A\u{200b}lice", "\u{202e}ecilA", "\u{3164}", "Alice\u{200d}", "Al\u{ad}ice", "Alice\u{2066}"] {
        let refused = ["input.displayName BAD_FORMAT"];
        assert_eq!(update(&alice, json!({ "displayName": hidden })).await.wrong_fields(), refused, "{hidden:?}");
        assert_eq!(register(&server, "trudy", Some(hidden)).await.wrong_fields(), refused, "{hidden:?}");
    }
    let shown = update(&alice, json!({ "displayName": "Zoe\u{308} 👩\u{200d}💻" })).await.data("updateProfile");
    assert_eq!(shown["user"]["displayName"], "Zoë 👩\u{200d}💻");
}
