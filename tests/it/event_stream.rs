//! Operations whose answers come in one response that stays open: server-sent events, and Apollo's multipart.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chinwag::id::{self, ConversationId};
use chrono::TimeDelta;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::harness::{Actor, TestServer};
use crate::toy::{Toy, until};

/// What should come comes sooner.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client of graphql-sse's distinct connections: it reads lines, and passes comments over.
struct EventStream {
    response: Response,
    read: Vec<u8>,
    comments: usize,
}

impl EventStream {
    async fn open(url: &str, token: Option<&str>, body: Value) -> Self {
        let mut request = Client::new().post(url).header("accept", "text/event-stream").json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { response, read: Vec::new(), comments: 0 }
    }

    async fn anonymous(toy: &Toy, query: &str) -> Self {
        Self::open(&toy.url, None, json!({ "query": query })).await
    }

    async fn of(actor: &Actor, server: &TestServer, query: &str, variables: Value) -> Self {
        let url = format!("{}/graphql", server.url());
        Self::open(&url, actor.token.as_deref(), json!({ "query": query, "variables": variables })).await
    }

    /// A line without its end; `None` where the response ends.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            let chunk = timeout(2 * PATIENCE, self.response.chunk()).await.expect("something should come").ok()??;
            self.read.extend_from_slice(&chunk);
        }
    }

    /// The name and the data of the next event; `None` where the response ends.
    async fn event(&mut self) -> Option<(String, String)> {
        let (mut name, mut data) = (String::new(), Vec::new());
        loop {
            let line = self.line().await?;
            match line.split_once(':') {
                Some(("", _)) => self.comments += 1,
                Some(("event", value)) => name = value.trim_start().to_owned(),
                Some(("data", value)) => data.push(value.trim_start().to_owned()),
                None if line.is_empty() => return Some((name, data.join("\n"))),
                _ => panic!("{line}"),
            }
        }
    }

    async fn next(&mut self) -> Value {
        let (name, data) = self.event().await.expect("the stream should go on");
        assert_eq!(name, "next", "{data}");
        serde_json::from_str(&data).unwrap()
    }

    /// The stream says that it is over, and is.
    async fn completes(&mut self) {
        assert_eq!(self.event().await, Some(("complete".into(), String::new())));
        assert_eq!(self.event().await, None);
    }

    /// The batch of a conversation's log.
    async fn batch(&mut self) -> Value {
        let answer = self.next().await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["conversationEvents"].clone()
    }
}

fn open(toy: &Toy) -> usize {
    toy.counts.open.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_subscription_is_delivered_and_completes() {
    let toy = Toy::start().await;
    let mut stream = EventStream::anonymous(&toy, "subscription { ticks(every: 5, times: 3) }").await;
    for count in 0..3 {
        assert_eq!(stream.next().await, json!({ "data": { "ticks": count } }));
    }
    stream.completes().await;
    until(|| open(&toy) == 0).await;
}

#[tokio::test]
async fn a_query_or_a_mutation_is_one_event() {
    let toy = Toy::start().await;
    for (query, data) in
        [("{ hello }", json!({ "hello": "world" })), ("mutation { act(millis: 20) }", json!({ "act": 1 }))]
    {
        let mut stream = EventStream::anonymous(&toy, query).await;
        assert_eq!(stream.next().await, json!({ "data": data }));
        stream.completes().await;
    }
    let mut stream = EventStream::anonymous(&toy, "{ hello missing }").await;
    let answer = stream.next().await;
    assert_eq!((&answer["data"]["hello"], &answer["errors"][0]["path"]), (&json!("world"), &json!(["missing"])));
    stream.completes().await;
}

#[tokio::test]
async fn what_cannot_run_is_an_event_with_errors_and_the_end() {
    let toy = Toy::start().await;
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a: ticks(every: 1) b: ticks(every: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", "BAD_REQUEST"),
        ("subscription { hidden }", "NOT_FOUND"),
        ("{ panics }", "INTERNAL"),
    ] {
        let mut stream = EventStream::anonymous(&toy, query).await;
        let answer = stream.next().await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query}");
        assert!(answer.get("data").is_none(), "{answer}");
        stream.completes().await;
    }
    // An event that cannot be shown ends the stream, too.
    let mut stream = EventStream::anonymous(&toy, "subscription { breaks }").await;
    assert_eq!(stream.next().await, json!({ "data": { "breaks": 1 } }));
    assert_eq!(stream.next().await["errors"][0]["extensions"]["code"], "INTERNAL");
    stream.completes().await;
}

#[tokio::test]
async fn a_request_that_is_wrong_before_its_document_is_no_stream() {
    let toy = Toy::start().await;
    let send = async |content_type: &str, token: &str, body: &str| {
        let request = Client::new().post(&toy.url).header("accept", "text/event-stream").body(body.to_owned());
        let answer = request.header("content-type", content_type).header("authorization", token).send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
        answer.status().as_u16()
    };
    let good = r#"{"query":"{ hello }"}"#;
    assert_eq!(send("text/plain", "", good).await, 415);
    assert_eq!(send("application/json", "", "{}").await, 400);
    assert_eq!(send("application/json", "Bearer nonsense", good).await, 401);
}

#[tokio::test]
async fn who_takes_json_alone_is_told_how_to_subscribe() {
    let toy = Toy::start().await;
    let body = toy.ask("subscription { ticks(every: 1) }").await;
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("text/event-stream"), "{body}");
    let both = Client::new().post(&toy.url).header("accept", "application/json, text/event-stream");
    let answer = both.json(&json!({ "query": "{ hello }" })).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": { "hello": "world" } }));
}

#[tokio::test]
async fn who_hangs_up_ends_the_operation() {
    let toy = Toy::start().await;
    let mut streams = Vec::new();
    for query in ["subscription { ticks(every: 5) }", "subscription { ticks(every: 99999) }", "subscription { flood }"]
    {
        streams.push(EventStream::anonymous(&toy, query).await);
    }
    until(|| open(&toy) == 3).await;
    streams.truncate(2);
    until(|| open(&toy) == 2).await;
    // One that has nothing to say notices, too.
    let idle = streams.pop();
    drop(idle);
    until(|| open(&toy) == 1).await;
    streams.clear();
    until(|| open(&toy) == 0).await;
}

#[tokio::test]
async fn a_mutation_goes_on_when_its_client_hangs_up() {
    let toy = Toy::start().await;
    drop(EventStream::anonymous(&toy, "mutation { act(millis: 200) }").await);
    until(|| toy.counts.done.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn an_address_has_a_hundred_streams_and_sockets_together() {
    let toy = Toy::start().await;
    let query = "subscription { ticks(every: 99999) }";
    let (mut streams, _socket) = (Vec::new(), toy.anonymous().await);
    for _ in 0..99 {
        streams.push(EventStream::anonymous(&toy, query).await);
    }
    until(|| open(&toy) == 99).await;
    let mut refused = EventStream::anonymous(&toy, query).await;
    assert_eq!(refused.next().await["errors"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    refused.completes().await;
    assert_eq!(toy.socket().await.closed().await, (1013, "Too many connections".into()));
    // A query holds no place.
    let mut query = EventStream::anonymous(&toy, "{ hello }").await;
    assert_eq!(query.next().await, json!({ "data": { "hello": "world" } }));
    streams.pop();
    until(|| open(&toy) == 98).await;
    let mut again = EventStream::anonymous(&toy, "subscription { ticks(every: 1, times: 1) }").await;
    assert_eq!(again.next().await, json!({ "data": { "ticks": 0 } }));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go_and_costs_little_until_then() {
    let toy = Toy::start().await;
    let mut stream = EventStream::anonymous(&toy, "subscription { flood }").await;
    until(|| open(&toy) == 1).await;
    let begin = Instant::now();
    timeout(PATIENCE, async {
        while open(&toy) == 1 {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    assert!(begin.elapsed() > Duration::from_secs(9));
    let mut events = 0;
    while let Some((name, _)) = stream.event().await {
        // Nothing says that it is complete.
        assert_eq!(name, "next");
        events += 1;
    }
    // The kernel's buffers, both ends'.
    assert!(events < 9_000, "{events}");
}

#[tokio::test]
async fn an_idle_stream_gives_signs_of_life() {
    let toy = Toy::start().await;
    let mut stream = EventStream::anonymous(&toy, "subscription { ticks(every: 17000, times: 1) }").await;
    assert_eq!(stream.next().await, json!({ "data": { "ticks": 0 } }));
    // One at the beginning, so that proxies pass the headers on.
    assert_eq!(stream.comments, 2);
    stream.completes().await;
}

#[tokio::test]
async fn a_server_that_stops_breaks_streams_off_so_that_clients_come_back() {
    let mut toy = Toy::start().await;
    let mut stream = EventStream::anonymous(&toy, "subscription { ticks(every: 99999) }").await;
    let mut mutation = EventStream::anonymous(&toy, "mutation { act(millis: 500) }").await;
    until(|| open(&toy) == 1).await;
    toy.stop.cancel();
    assert_eq!(stream.event().await, None);
    assert_eq!(mutation.next().await, json!({ "data": { "act": 1 } }));
    mutation.completes().await;
    toy.running.take().unwrap().await.unwrap();
}

// With the real schema.

const FOLLOW: &str = "subscription($id: ID!, $after: Int) { conversationEvents(conversationId: $id, after: $after) {
    seq hasGap events { seq ... on MessageSentEvent { message { content } } } } }";

#[tokio::test]
async fn a_stream_that_was_cut_goes_on_after_the_last_position() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut stream = EventStream::of(&alice, &server, FOLLOW, json!({ "id": channel })).await;
    let seq = stream.batch().await["seq"].clone();
    alice.say(&channel, "heard").await;
    let batch = stream.batch().await;
    assert_eq!(batch["events"][0]["message"]["content"], "heard");
    drop(stream);
    alice.say(&channel, "missed").await;
    let after = json!({ "id": channel, "after": batch["seq"] });
    let mut again = EventStream::of(&alice, &server, FOLLOW, after).await;
    let batch = again.batch().await;
    assert_eq!((&batch["hasGap"], batch["events"].as_array().unwrap().len()), (&json!(false), 1));
    assert_eq!(batch["events"][0]["message"]["content"], "missed");
    assert!(seq.as_i64() < batch["seq"].as_i64());
    let nobody = server.anonymous();
    let mut refused = EventStream::of(&nobody, &server, FOLLOW, json!({ "id": channel })).await;
    assert_eq!(refused.next().await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    refused.completes().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let follow = async |actor: &Actor| {
        let mut stream = EventStream::of(actor, &server, FOLLOW, json!({ "id": channel })).await;
        stream.batch().await;
        stream
    };
    let (mut ending, mut other) = (follow(&alice).await, follow(&bob).await);
    alice.query("mutation { logout { sessionId } }").await.data("logout");
    ending.completes().await;
    bob.say(&channel, "still here").await;
    assert_eq!(other.batch().await["events"][0]["message"]["content"], "still here");
    // And with its time.
    server.clock.advance(TimeDelta::days(31));
    other.completes().await;
}

#[tokio::test]
async fn the_last_that_a_stream_of_ones_own_says_is_that_its_session_was_revoked() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let query = "subscription { viewerEvents { events { __typename ... on SessionRevokedEvent { isCurrent } } } }";
    let mut stream = EventStream::of(&alice, &server, query, json!({})).await;
    stream.next().await;
    alice.query("mutation { logout { sessionId } }").await.data("logout");
    let last = stream.next().await["data"]["viewerEvents"]["events"].clone();
    assert_eq!(last, json!([{ "__typename": "SessionRevokedEvent", "isCurrent": true }]));
    stream.completes().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_sight_of_what_it_shows() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let channel = alice.private_channel("Room", &[&mallory]).await;
    let mut stream = EventStream::of(&mallory, &server, FOLLOW, json!({ "id": channel })).await;
    stream.batch().await;
    let seat = alice.seat_of(&channel, &mallory).await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    alice.say(&channel, "among us").await;
    assert!(!stream.batch().await.to_string().contains("among us"));
    stream.completes().await;
    let mut refused = EventStream::of(&mallory, &server, FOLLOW, json!({ "id": channel })).await;
    assert_eq!(refused.next().await["errors"][0]["extensions"]["code"], "NOT_FOUND");
    refused.completes().await;
}

#[tokio::test]
async fn who_has_an_open_stream_is_here_and_listens_until_it_is_closed() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let status = async || {
        let query = "query($id: ID!) { user(by: { id: $id }) { presence { status } } }";
        bob.ask(query, json!({ "id": alice.id })).await.data("user")["presence"]["status"].clone()
    };
    let (_, uuid) = id::decode(&channel).unwrap();
    let is_heard = || server.app.realtime.signals.is_heard(ConversationId(uuid));
    assert_eq!((status().await, is_heard()), (json!("OFFLINE"), false));
    let hear = "subscription($id: ID!) { conversationSignals(conversationId: $id) { signals { __typename } } }";
    let mut stream = EventStream::of(&alice, &server, hear, json!({ "id": channel })).await;
    stream.next().await;
    assert_eq!((status().await, is_heard()), (json!("ONLINE"), true));
    drop(stream);
    until(|| !is_heard()).await;
    timeout(PATIENCE, async {
        while status().await != "OFFLINE" {
            server.clock.advance(TimeDelta::seconds(10));
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
}

// Multipart.

#[tokio::test]
async fn apollos_clients_get_parts() {
    let toy = Toy::start().await;
    let ask = async |query: &str| {
        let request =
            Client::new().post(&toy.url).header("accept", "multipart/mixed;subscriptionSpec=1.0, application/json");
        request.json(&json!({ "query": query })).send().await.unwrap()
    };
    let answer = ask("subscription { ticks(every: 5, times: 2) }").await;
    assert_eq!(answer.headers()["content-type"], "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\"");
    let text = answer.text().await.unwrap();
    let text = text.strip_prefix("\r\n--graphql\r\n").unwrap().strip_suffix("\r\n--graphql--\r\n").unwrap();
    let parts: Vec<Value> = text
        .split("\r\n--graphql\r\n")
        .map(|part| serde_json::from_str(part.strip_prefix("Content-Type: application/json\r\n\r\n").unwrap()).unwrap())
        .collect();
    assert_eq!(parts, [0, 1].map(|count| json!({ "payload": { "data": { "ticks": count } } })));
    // One that cannot be opened.
    let text = ask("subscription { hidden }").await.text().await.unwrap();
    assert!(text.contains("{\"payload\":{\"errors\":[") && text.ends_with("\r\n--graphql--\r\n"), "{text}");
    // What is no subscription comes as ever.
    let answer = ask("{ hello }").await;
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": { "hello": "world" } }));
}

#[tokio::test]
async fn a_part_is_whole_before_the_next_one_comes() {
    let toy = Toy::start().await;
    let request = Client::new().post(&toy.url).header("accept", "multipart/mixed;subscriptionSpec=1.0");
    let body = json!({ "query": "subscription { ticks(every: 400) }" });
    let mut answer = request.json(&body).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("\"ticks\":0") {
        let chunk = timeout(PATIENCE, answer.chunk()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(text.ends_with("{\"payload\":{\"data\":{\"ticks\":0}}}\r\n--graphql"), "{text}");
    drop(answer);
    until(|| open(&toy) == 0).await;
}
