//! How much anybody may ask for in a while.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use chinwag::config::Limits;
use chinwag::limits::Budget;
use chrono::TimeDelta;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::harness::{Actor, Ended, PASSWORD, TestServer, sdl};

async fn server(change: impl FnOnce(&mut Limits)) -> TestServer {
    TestServer::start_with(|config| {
        config.limits = Limits { rate_limited: true, ..Limits::default() };
        change(&mut config.limits);
    })
    .await
}

fn few(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn post(server: &TestServer, query: &str) -> RequestBuilder {
    Client::new().post(format!("{}/graphql", server.url())).json(&json!({ "query": query }))
}

fn limited() -> Ended {
    Ended::Error("RATE_LIMITED".to_owned())
}

/// What is refused, as `extensions` of the only error say.
fn refused(body: &Value) -> Value {
    assert!(body.get("data").is_none(), "{body}");
    let [error] = body["errors"].as_array().unwrap().as_slice() else { panic!("{body}") };
    assert_eq!(error["extensions"]["code"], "RATE_LIMITED", "{body}");
    error["extensions"].clone()
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_when_to_come_back() {
    let server = server(|limits| limits.anonymous_requests = few(6)).await;
    let ask = || post(&server, "{ server { name } }");
    for _ in 0..6 {
        assert_eq!(ask().send().await.unwrap().status(), 200);
    }
    for accept in ["application/json", "application/graphql-response+json"] {
        let answer = ask().header("accept", accept).send().await.unwrap();
        assert_eq!(answer.status(), 429);
        let headers = answer.headers().clone();
        let extensions = refused(&answer.json().await.unwrap());
        let wait = extensions["retryAfterMs"].as_u64().unwrap();
        assert!((1..=10_000).contains(&wait), "one comes back each ten seconds: {extensions}");
        let seconds = wait.div_ceil(1000);
        assert_eq!(headers["retry-after"], seconds.to_string());
        assert_eq!(headers["ratelimit-policy"], "\"requests\";q=6;w=60");
        assert_eq!(headers["ratelimit"], format!("\"requests\";r=0;t={seconds}"));
    }
    // A proxy on this machine is believed about who asks.
    let elsewhere = ask().header("x-forwarded-for", "203.0.113.9").send().await.unwrap();
    assert_eq!(elsewhere.status(), 200);
    // What is wrong is asked for all the same, and streams and sockets are no way around it.
    assert_eq!(post(&server, "{ viewer { id } }").send().await.unwrap().status(), 429);
    let mut socket = server.anonymous().socket().await;
    assert_eq!(socket.run("{ server { name } }", json!({})).end().await, limited());
    server.clock.advance(TimeDelta::seconds(10));
    assert_eq!(ask().send().await.unwrap().status(), 200);
    assert_eq!(ask().send().await.unwrap().status(), 429);
}

#[tokio::test]
async fn what_does_not_even_parse_is_paid_for() {
    let server = server(|limits| (limits.anonymous_requests, limits.objects) = (few(2), few(2))).await;
    let alice = server.register("alice").await;
    server.clock.advance(TimeDelta::minutes(1));
    for who in [&server.anonymous(), &alice] {
        let mut socket = who.socket().await;
        // Half of a question is free.
        for _ in 0..3 {
            let named = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "0".repeat(64) } } });
            let post = Client::new().post(format!("{}/graphql", server.url())).json(&named);
            let post = who.token.iter().fold(post, |post, token| post.bearer_auth(token));
            let answer: Value = post.send().await.unwrap().json().await.unwrap();
            assert_eq!(answer["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
        }
        assert_eq!(who.query("{ server { name }").await.code(), "GRAPHQL_PARSE_FAILED");
        let two = socket.run("query A { server { name } } query B { server { name } }", json!({})).end().await;
        assert_eq!(two, Ended::Error("BAD_REQUEST".to_owned()));
        assert_eq!(who.query("{ server { name ").await.code(), "RATE_LIMITED");
        assert_eq!(socket.run("{ server { na", json!({})).end().await, limited());
    }
}

#[tokio::test]
async fn somebodys_budget_is_one_over_requests_sockets_and_sessions() {
    let server = server(|limits| limits.objects = few(300)).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    server.clock.advance(TimeDelta::minutes(1));
    let page = "{ users(first: 100) { nodes { id } } }";
    alice.query(page).await.data("users");
    let again = Actor::log_in(server.address, "alice").await;
    again.query(page).await.data("users");
    let mut socket = alice.socket().await;
    let answer = alice.query(page).await;
    assert_eq!(answer.code(), "RATE_LIMITED");
    assert_eq!(answer.0["errors"][0]["extensions"]["budget"], "objects");
    assert_eq!(socket.run(page, json!({})).end().await, limited());
    assert_eq!(again.query(page).await.code(), "RATE_LIMITED");
    // What is smaller may fit, and others are others.
    alice.query("{ viewer { id } }").await.data("viewer");
    bob.query(page).await.data("users");
}

#[tokio::test]
async fn each_message_counts_and_what_is_too_much_sends_none() {
    let server = server(|limits| limits.messages = few(3)).await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("lounge").await;
    let two =
        "mutation($a: SendMessageInput!, $b: SendMessageInput!) { a: sendMessage(input: $a) { message { id } } ...B }
        fragment B on Mutation { b: sendMessage(input: $b) { message { id } } }";
    let say = async || {
        let input = || json!({ "conversationId": channel, "content": "Hi", "clientKey": uuid::Uuid::new_v4() });
        alice.ask(two, json!({ "a": input(), "b": input() })).await
    };
    say().await.data("a");
    assert_eq!(say().await.code(), "RATE_LIMITED");
    assert_eq!(server.database.count("SELECT count(*) FROM messages WHERE content = 'Hi'").await, 2);
    server.clock.advance(TimeDelta::seconds(41));
    say().await.data("b");
}

#[tokio::test]
async fn guessing_is_limited_by_address_even_from_within() {
    let server = server(|limits| limits.sign_ins = few(4)).await;
    let alice = server.register("alice").await;
    let guess = |name: &str, password: &str| {
        format!(
            "mutation {{ a: login(input: {{ identifier: {name:?}, password: {password:?} }}) {{ viewer {{ id }} }}
                b: login(input: {{ identifier: {name:?}, password: {password:?} }}) {{ viewer {{ id }} }} }}"
        )
    };
    for _ in 0..2 {
        let wrong = alice.query(&guess("alice", "wrong, and wrong again")).await.0;
        assert_eq!(wrong["errors"][1]["extensions"]["code"], "INVALID_CREDENTIALS", "{wrong}");
    }
    // Not even with what is right.
    assert_eq!(alice.query(&guess("alice", PASSWORD)).await.code(), "RATE_LIMITED");
    assert_eq!(server.anonymous().query(&guess("nobody", PASSWORD)).await.code(), "RATE_LIMITED");
    // From elsewhere its owner gets in.
    let elsewhere = post(&server, &guess("alice", PASSWORD)).header("x-forwarded-for", "203.0.113.9");
    let answer: Value = elsewhere.send().await.unwrap().json().await.unwrap();
    assert!(answer["data"]["a"]["viewer"]["id"].is_string(), "{answer}");
    // Nothing else is limited by it.
    alice.query("{ viewer { id } }").await.data("viewer");
}

#[tokio::test]
async fn what_takes_the_password_is_counted_like_signing_in() {
    let server = server(|limits| limits.sign_ins = few(2)).await;
    let alice = server.register("alice").await;
    for (field, rest) in [
        ("changePassword", ", newPassword: \"vrolijke fietsbel onder water\""),
        ("deleteAccount", ""),
        ("beginSecondFactor", ""),
        ("unlinkOAuthAccount", ", oauthAccountId: \"nothing\""),
    ] {
        let with = |password: &str| {
            format!("mutation {{ {field}(input: {{ currentPassword: {password:?}{rest} }}) {{ __typename }} }}")
        };
        for _ in 0..2 {
            alice.query(&with("wrong, and wrong again")).await;
        }
        // Not even with what is right.
        let answer = alice.query(&with(PASSWORD)).await;
        assert_eq!(refused(&answer.0)["budget"], "sign-ins", "{field}");
        server.clock.advance(TimeDelta::minutes(1));
    }
}

#[tokio::test]
async fn whoever_has_stolen_a_session_guesses_no_faster_from_many_addresses() {
    let server = server(|limits| limits.sign_ins = few(3)).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let guess = async |who: &Actor, number: u8| -> Value {
        let change =
            "mutation { changeEmail(input: { email: \"mallory@example.org\", currentPassword: \"wrong, and wrong\" })
            { __typename } }";
        let from = post(&server, change).header("x-forwarded-for", format!("203.0.113.{number}"));
        let answer = from.bearer_auth(who.token.as_ref().unwrap()).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["errors"][0]["extensions"].clone()
    };
    for number in 0..3 {
        assert_eq!(guess(&alice, number).await["code"], "INVALID_CREDENTIALS");
    }
    let refused = guess(&alice, 3).await;
    assert_eq!((&refused["code"], &refused["budget"]), (&json!("RATE_LIMITED"), &json!("proofs")));
    // Nobody else is concerned, and her own sign-in is not.
    assert_eq!(guess(&bob, 4).await["code"], "INVALID_CREDENTIALS");
    Actor::log_in(server.address, "alice").await.query("{ viewer { id } }").await.data("viewer");
}

#[tokio::test]
async fn subscriptions_are_counted_when_they_are_opened() {
    let server = server(|limits| limits.subscriptions = few(2)).await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("lounge").await;
    let mut socket = alice.socket().await;
    let (mut first, _second) = (socket.follow(&channel, None), socket.follow(&channel, None));
    let mut third = socket.follow(&channel, None);
    assert_eq!(third.end().await, limited());
    first.batch().await;
}

#[tokio::test]
async fn what_is_shown_to_one_alone_waits_for_their_budget_and_nothing_is_lost() {
    // Two events, and not three.
    let server = server(|limits| limits.objects = few(100)).await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("lounge").await;
    bob.join(&channel).await;
    server.clock.advance(TimeDelta::minutes(1));
    // What a viewer may do is their own.
    let authors: String = (0..30).map(|at| format!("author{at}: author {{ id }} ")).collect();
    let listen = format!(
        "subscription($id: ID!) {{ conversationEvents(conversationId: $id) {{ seq isCaughtUp hasGap events {{ seq
            ... on MessageSentEvent {{ message {{ content viewerPermissions {{ canEdit }} {authors} }} }} }} }} }}"
    );
    let (mut hers, mut his) = (alice.socket().await, bob.socket().await);
    let mut stream = hers.run(&listen, json!({ "id": channel }));
    while stream.batch().await["isCaughtUp"] != true {}
    let mut control = his.follow(&channel, None);
    while control.batch().await["isCaughtUp"] != true {}
    server.clock.advance(TimeDelta::minutes(1));
    let heard = |batch: Value| {
        assert_eq!(batch["hasGap"], false, "{batch}");
        let events = batch["events"].as_array().unwrap().iter();
        let said: Vec<_> = events.map(|event| event["message"]["content"].as_str().unwrap().to_owned()).collect();
        said
    };
    for said in ["0", "1"] {
        bob.say(&channel, said).await;
        assert_eq!(heard(stream.batch().await), [said]);
    }
    for said in 2..10 {
        bob.say(&channel, &said.to_string()).await;
    }
    // Others have heard all of it by now.
    let mut others = Vec::new();
    while others.len() < 10 {
        others.extend(heard(control.batch().await));
    }
    assert!(stream.is_silent());
    let mut rest = Vec::new();
    while rest.len() < 8 {
        server.clock.advance(TimeDelta::minutes(1));
        rest.extend(heard(stream.batch().await));
    }
    assert_eq!(rest, (2..10).map(|said| said.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_budget_is_one_over_all_ways_to_ask() {
    let server = server(|limits| limits.sign_ins = few(3)).await;
    server.register("alice").await;
    let guess =
        "mutation { login(input: { identifier: \"alice\", password: \"wrong, and wrong again\" }) { viewer { id } } }";
    let stream = async || {
        let answer = post(&server, guess).header("accept", "text/event-stream").send().await.unwrap();
        answer.text().await.unwrap()
    };
    let mut socket = server.anonymous().socket().await;
    assert_eq!(server.anonymous().query(guess).await.code(), "INVALID_CREDENTIALS");
    assert!(stream().await.contains("INVALID_CREDENTIALS"));
    let answer = socket.run(guess, json!({})).message().await;
    assert_eq!(answer["payload"]["errors"][0]["extensions"]["code"], "INVALID_CREDENTIALS");
    assert_eq!(server.anonymous().query(guess).await.code(), "RATE_LIMITED");
    assert!(stream().await.contains("\"budget\":\"sign-ins\""));
    assert_eq!(socket.run(guess, json!({})).end().await, limited());
}

#[tokio::test]
async fn who_has_asked_enough_opens_no_streams() {
    let server = server(|limits| limits.anonymous_requests = few(1)).await;
    let presences = "subscription { presences(userIds: []) { isCaughtUp } }";
    assert_eq!(server.anonymous().query("{ server { name } }").await.data("server")["name"], "chinwag");
    for accept in ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"] {
        let streamed = post(&server, presences).header("accept", accept).send().await.unwrap().text().await.unwrap();
        assert!(streamed.contains("RATE_LIMITED") && streamed.contains("\"budget\":\"requests\""), "{streamed}");
    }
    let mut socket = server.anonymous().socket().await;
    assert_eq!(socket.run(presences, json!({})).end().await, limited());
}

#[tokio::test]
async fn pages_for_people_are_charged_as_what_they_do() {
    let server = server(|limits| limits.registrations = few(2)).await;
    let press = async |page: &str| {
        let page = format!("{}/{page}?token=forged", server.url());
        let form = Client::new().post(page).header("content-type", "application/x-www-form-urlencoded");
        form.body("password=vrolijke+fietsbel+onder+water").send().await.unwrap()
    };
    let forged = "mutation { verifyEmail(input: { token: \"forged\" }) { email } }";
    assert_eq!(press("verify-email").await.status(), 404);
    assert_eq!(server.anonymous().query(forged).await.code(), "TOKEN_INVALID");
    for page in ["verify-email", "reset-password"] {
        let refused = press(page).await;
        assert_eq!(refused.status(), 429);
        let seconds: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=30).contains(&seconds), "{seconds}");
        assert_eq!(refused.headers()["ratelimit-policy"], "\"mails\";q=2;w=60");
        assert!(refused.text().await.unwrap().contains("Too many mails in a minute"));
    }
    assert_eq!(server.anonymous().query(forged).await.code(), "RATE_LIMITED");
    server.clock.advance(TimeDelta::seconds(30));
    assert_eq!(press("reset-password").await.status(), 404);
    assert_eq!(press("verify-email").await.status(), 429);
}

#[test]
fn what_is_charged_is_there() {
    let there: BTreeSet<String> = sdl::fields("Mutation").into_iter().map(|field| field.name).collect();
    for (field, budget) in Budget::MUTATIONS {
        assert!(there.contains(field), "{field}, which is charged to {}, is no mutation", budget.name());
    }
}
