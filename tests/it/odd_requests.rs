//! Requests as no good client sends them: each is answered by a status that says what is wrong, and none does harm.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response, Url};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::toy::{Toy, until};

/// What should come comes sooner.
const PATIENCE: Duration = Duration::from_secs(30);

fn code(body: &Value) -> &str {
    assert!(body.get("data").is_none() && body["errors"][0]["extensions"]["requestId"].is_string(), "{body}");
    body["errors"][0]["extensions"]["code"].as_str().unwrap()
}

async fn get(toy: &Toy, parameters: &[(&str, &str)], accept: &str) -> Response {
    let url = Url::parse_with_params(&toy.url, parameters).unwrap();
    Client::new().get(url).header("accept", accept).send().await.unwrap()
}

/// All that comes back until the server closes, which the last request has to ask for.
async fn raw(toy: &Toy, text: &str) -> String {
    let mut stream = TcpStream::connect(toy.address).await.unwrap();
    // Whoever is refused may be cut off while they send.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8(answer).unwrap()
}

fn statuses(answers: &str) -> Vec<&str> {
    let heads = answers.lines().filter(|line| line.contains("HTTP/1.1 "));
    heads.map(|line| line.split("HTTP/1.1 ").nth(1).unwrap().split(' ').next().unwrap()).collect()
}

#[tokio::test]
async fn parameters_of_get_are_what_they_should_be_and_stand_there_once() {
    let toy = Toy::start().await;
    let hello = ("query", "{ hello }");
    for parameters in [
        &[][..],
        &[("query", "")],
        &[("variables", "{}")],
        &[hello, ("variables", "[]")],
        &[hello, ("variables", "7")],
        &[hello, ("variables", "\"{}\"")],
        &[hello, ("variables", "{")],
        &[hello, ("variables", "{} {}")],
        &[hello, ("extensions", "[]")],
        &[hello, ("extensions", "7")],
        &[hello, ("extensions", "nonsense")],
        &[hello, ("operationName", "Nobody")],
        &[hello, ("query", "{ hello }")],
        &[hello, ("query", "{ nested { hello } }")],
        &[hello, ("variables", ""), ("variables", "{}")],
        &[hello, ("variables", "{}"), ("variables", "{}")],
        &[hello, ("operationName", ""), ("operationName", "")],
    ] {
        for accept in ["application/json", "application/graphql-response+json"] {
            let answer = get(&toy, parameters, accept).await;
            assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(accept));
            let status = answer.status();
            let body: Value = answer.json().await.unwrap();
            let is_of_the_document =
                ["GRAPHQL_PARSE_FAILED"].contains(&code(&body)) || body.to_string().contains("no operation named");
            let expected = if is_of_the_document && accept == "application/json" { 200 } else { 400 };
            assert_eq!(status, expected, "{parameters:?}: {body}");
        }
    }
    for parameters in [
        &[hello][..],
        &[hello, ("operationName", "")],
        &[hello, ("variables", ""), ("extensions", "")],
        &[hello, ("variables", "null"), ("extensions", "null")],
        &[hello, ("variables", "{\"a\":1}"), ("extensions", "{\"a\":1}")],
        // Whatever else stands there is somebody else's.
        &[hello, ("utm", "1"), ("utm", "2")],
    ] {
        let answer = get(&toy, parameters, "*/*").await;
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": { "hello": "world" } }), "{parameters:?}");
    }
}

#[tokio::test]
async fn get_takes_queries_alone_and_answers_once() {
    let toy = Toy::start().await;
    for query in ["mutation { act(millis: 0) }", "subscription { ticks(every: 1) }"] {
        for accept in ["*/*", "application/json, text/event-stream"] {
            let answer = get(&toy, &[("query", query)], accept).await;
            assert_eq!((answer.status().as_u16(), &answer.headers()["allow"]), (405, &"POST".parse().unwrap()));
            assert_eq!(code(&answer.json().await.unwrap()), "BAD_REQUEST");
        }
    }
    for accept in ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0", "text/html"] {
        let answer = get(&toy, &[("query", "{ hello }")], accept).await;
        assert_eq!(answer.status(), 406, "{accept}");
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
        assert_eq!(code(&answer.json().await.unwrap()), "BAD_REQUEST");
    }
    let answer = get(&toy, &[("query", "{ hello }")], "text/event-stream, application/json;q=0.1").await;
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": { "hello": "world" } }));
    assert_eq!((toy.counts.done.load(Ordering::SeqCst), toy.counts.open.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn methods_are_taken_where_they_belong() {
    let toy = Toy::start().await;
    let page = |path: &str| toy.url.replace("/graphql", path);
    let ask = async |method: Method, path: &str| Client::new().request(method, page(path)).send().await.unwrap();
    for (method, path, allowed) in [
        (Method::PUT, "/graphql", "GET,HEAD,POST"),
        (Method::DELETE, "/graphql", "GET,HEAD,POST"),
        (Method::PATCH, "/graphql", "GET,HEAD,POST"),
        (Method::POST, "/health", "GET,HEAD"),
        (Method::POST, "/schema.graphql", "GET,HEAD"),
        (Method::DELETE, "/reset-password", "GET,HEAD,POST"),
        (Method::POST, "/", "GET,HEAD"),
    ] {
        let answer = ask(method.clone(), path).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, allowed), "{path}");
        assert_eq!(code(&answer.json().await.unwrap()), "BAD_REQUEST");
    }
    // The head is that of GET; a mutation does not run, either.
    let head = ask(Method::HEAD, "/graphql?query={hello}").await;
    assert_eq!((head.status().as_u16(), head.headers()["cache-control"].to_str().unwrap()), (200, "no-store"));
    assert!(head.text().await.unwrap().is_empty());
    assert_eq!(ask(Method::HEAD, "/graphql?query=mutation{act(millis:0)}").await.status(), 405);
    // Asked what is allowed, without a page that asks: yes, to nobody's harm.
    let options = ask(Method::OPTIONS, "/graphql").await;
    assert!(options.status().is_success() && !options.headers().contains_key("access-control-allow-origin"));
    assert_eq!(toy.counts.done.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_comes_as_it_is_and_says_so() {
    let toy = Toy::start().await;
    let post = async |headers: &[(&'static str, &'static str)], body: Vec<u8>| {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Client::new().post(&toy.url).headers(headers).body(body).send().await.unwrap()
    };
    let body = || br#"{"query":"mutation { act(millis: 0) }"}"#.to_vec();
    // Also where it is not.
    for encoding in ["gzip", "br", "zstd", "deflate", "identity, gzip", "nonsense"] {
        let answer = post(&[("content-type", "application/json"), ("content-encoding", encoding)], body()).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["accept-encoding"]),
            (415, &"identity".parse().unwrap())
        );
        assert_eq!(code(&answer.json().await.unwrap()), "BAD_REQUEST", "{encoding}");
    }
    for content_type in
        ["application/json;charset=latin1", "application/graphql", "text/json", "application/json+x", ""]
    {
        assert_eq!(post(&[("content-type", content_type)], body()).await.status(), 415, "{content_type}");
    }
    // A body that is no UTF-8 is no JSON.
    let not_text = b"{\"query\":\"{ hello } # \xff\"}".to_vec();
    assert_eq!(post(&[("content-type", "application/json")], not_text).await.status(), 400);
    assert_eq!(toy.counts.done.load(Ordering::SeqCst), 0);
    for content_type in ["application/json", "APPLICATION/JSON", "application/json; charset=\"UTF-8\"; x=y"] {
        let answer = post(&[("content-type", content_type), ("content-encoding", "identity")], body()).await;
        assert_eq!(answer.status(), 200, "{content_type}");
    }
}

#[tokio::test]
async fn batches_are_not_taken_and_it_says_so() {
    let toy = Toy::start().await;
    let one = json!({ "query": "mutation { act(millis: 0) }" });
    for count in [0, 1, 2, 10, 1_000] {
        let batch = Value::Array(vec![one.clone(); count]);
        for accept in ["application/json", "application/graphql-response+json", "text/event-stream"] {
            let request = Client::new().post(&toy.url).header("accept", accept).json(&batch);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 400);
            let body: Value = answer.json().await.unwrap();
            assert_eq!(code(&body), "BAD_REQUEST");
            assert!(body["errors"][0]["message"].as_str().unwrap().starts_with("Batches are not taken"), "{body}");
        }
    }
    assert_eq!(toy.counts.done.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn heads_have_their_limits() {
    let toy = Toy::start().await;
    let head =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}connection: close\r\n\r\n");
    let many: String = (0..150).map(|at| format!("x-{at}: 1\r\n")).collect();
    let long = format!("x: {}\r\n", "x".repeat(300 * 1024));
    let path = format!("/graphql?query={{hello}}&x={}", "x".repeat(300 * 1024));
    for (text, expected) in [
        (head("/graphql?query={hello}", ""), &["200"][..]),
        (head("/graphql?query={hello}", &many), &["431"]),
        (head("/graphql?query={hello}", &long), &["431"]),
        (head(&path, ""), &["414", "431"]),
        (head("/graphql", "host: localhost\r\n"), &["421"]),
        ("GET /graphql?query={hello} HTTP/1.1\r\nconnection: close\r\n\r\n".into(), &["421"]),
        ("nonsense\r\n\r\n".into(), &["400"]),
        // No socket.
        (head("/graphql", "upgrade: websocket\r\n"), &["400"]),
        (head("/graphql", "upgrade: websocket\r\nsec-websocket-version: 12\r\nsec-websocket-key: x\r\n"), &["400"]),
    ] {
        let answer = raw(&toy, &text).await;
        let found = statuses(&answer);
        assert!(found.len() == 1 && expected.contains(&found[0]), "{expected:?}: {answer}");
    }
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_their_order_and_told_apart() {
    let toy = Toy::start().await;
    let get = "GET /graphql?query={hello} HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let post = |body: &str, length: &str| {
        format!("POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{length}\r\n{body}")
    };
    let act = r#"{"query":"mutation { act(millis: 0) }"}"#;
    let length = format!("content-length: {}\r\n", act.len());
    let last = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let done = || toy.counts.done.load(Ordering::SeqCst);
    // Pipelined.
    let answers = raw(&toy, &format!("{get}{}{get}{last}", post(act, &length))).await;
    assert_eq!((statuses(&answers), done()), (vec!["200", "200", "200", "503"], 1), "{answers}");
    // Shorter than it says: the rest does not come.
    let short = post(act, &format!("content-length: {}\r\nconnection: close\r\n", act.len() + 1));
    // Longer: what is left over is no request.
    let long = post(act, "content-length: 10\r\n");
    let (short, long) = tokio::join!(raw(&toy, &short), raw(&toy, &long));
    assert_eq!((statuses(&short), statuses(&long), done()), (vec!["408"], vec!["400", "400"], 1), "{short} {long}");
    // Two lengths, or a length and pieces, are for others to understand otherwise.
    for lengths in ["content-length: 5\r\ncontent-length: 39\r\n", "content-length: -1\r\n", "content-length: 39x\r\n"]
    {
        let answer = raw(&toy, &post(act, lengths)).await;
        assert_eq!((statuses(&answer), done()), (vec!["400"], 1), "{lengths}");
    }
    // Whoever is refused is not taken for the next one.
    let smuggled = format!("{:x}\r\n{act}\r\n0\r\n\r\n{last}", act.len());
    let both = raw(&toy, &post(&smuggled, "content-length: 4\r\ntransfer-encoding: chunked\r\n")).await;
    assert!(statuses(&both).len() <= 2 && done() <= 2, "{both}");
}

#[tokio::test]
async fn an_operation_has_half_a_minute() {
    let toy = Toy::start().await;
    let ask = async |query: &str| {
        let request = Client::new().post(&toy.url).header("accept", "application/graphql-response+json");
        let answer = request.json(&json!({ "query": query })).send().await.unwrap();
        assert_eq!(answer.status(), 504);
        answer.json::<Value>().await.unwrap()
    };
    let done = || toy.counts.done.load(Ordering::SeqCst);
    let (query, mutation) = tokio::join!(ask("{ slow(millis: 99999999) }"), ask("mutation { act(millis: 32000) }"));
    assert_eq!((code(&query), code(&mutation)), ("TIMEOUT", "TIMEOUT"));
    assert!(query.to_string().contains("took too long and was stopped"), "{query}");
    assert!(mutation.to_string().contains("it may still be done"), "{mutation}");
    // It is.
    until(|| done() == 1).await;
}
