//! Operations over HTTP, and what holds for every request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

use crate::toy::{Toy, until};

/// What stands in `extensions.code` of the first error.
fn code(body: &Value) -> &str {
    assert!(body["errors"][0]["extensions"]["requestId"].is_string(), "{body}");
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

async fn raw(toy: &Toy, text: &str) -> String {
    let mut stream = TcpStream::connect(toy.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn a_query_is_answered_over_post_and_get() {
    let toy = Toy::start().await;
    assert_eq!(toy.ask("{ hello }").await, json!({ "data": { "hello": "world" } }));
    let body = json!({ "query": "query A { hello } query B($n: Int!) { double(number: $n) }",
        "operationName": "B", "variables": { "n": 21 }, "extensions": {} });
    assert_eq!(toy.post(body).await.json::<Value>().await.unwrap(), json!({ "data": { "double": 42 } }));
    let url = format!("{}?query=query($n:Int!){{double(number:$n)}}&variables={{\"n\":4}}", toy.url);
    let answer = Client::new().get(url).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "data": { "double": 8 } }));
}

#[tokio::test]
async fn a_request_error_has_no_data_and_a_status_by_media_type() {
    let toy = Toy::start().await;
    for (query, expected) in [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", "BAD_REQUEST"),
        ("fragment F on Query { hello ...F } { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ticks(every: 1) }", "BAD_REQUEST"),
    ] {
        for (accept, status) in [("application/json", 200), ("application/graphql-response+json", 400)] {
            let request = Client::new().post(&toy.url).header("accept", accept).json(&json!({ "query": query }));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), status, "{query}");
            assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(accept));
            assert_eq!(answer.headers()["vary"], "accept");
            let body: Value = answer.json().await.unwrap();
            assert_eq!(code(&body), expected, "{query}");
            assert!(body.get("data").is_none(), "{query}");
        }
    }
}

#[tokio::test]
async fn a_syntax_error_says_where_and_draws_nothing() {
    let toy = Toy::start().await;
    let body = toy.ask("{\n  hello(\n}").await;
    assert_eq!(body["errors"][0]["locations"], json!([{ "line": 3, "column": 1 }]));
    let message = body["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Syntax error") && !message.contains('\n') && !message.contains("-->"), "{message}");
}

#[tokio::test]
async fn errors_of_fields_have_codes_and_say_nothing_of_the_inside() {
    let toy = Toy::start().await;
    for (field, expected) in [
        ("missing", "NOT_FOUND"),
        ("invalid", "BAD_USER_INPUT"),
        ("broken", "INTERNAL"),
        ("foreign", "INTERNAL"),
        ("who", "UNAUTHENTICATED"),
    ] {
        let body = toy.ask(&format!("{{ hello {field} }}")).await;
        assert_eq!(code(&body), expected, "{body}");
        assert_eq!(body["data"], json!({ "hello": "world", field: null }));
        assert_eq!(body["errors"][0]["path"], json!([field]));
        assert!(!body.to_string().contains("secret"), "{body}");
    }
    let body = toy.ask("{ invalid }").await;
    let fields = &body["errors"][0]["extensions"]["fields"];
    assert_eq!(fields, &json!([{ "path": ["number"], "code": "TOO_LONG", "message": "is too long", "params": {} }]));
    // A failing field that may not be null takes `data` with it, and is no request error for that.
    let body = toy.ask("{ hello required }").await;
    assert_eq!((code(&body), body.get("data")), ("CONFLICT", Some(&Value::Null)));
}

#[tokio::test]
async fn a_value_that_validation_lets_through_is_bad_input() {
    let toy = Toy::start().await;
    let body = toy.ask("{ double(number: 5000000000) }").await;
    assert_eq!(code(&body), "BAD_USER_INPUT");
    assert_eq!(body["errors"][0]["message"], "An argument here is no valid Int");
}

#[tokio::test]
async fn a_resolver_that_panics_is_a_fault_of_ours_and_nothing_more() {
    let toy = Toy::start().await;
    let body = toy.ask("{ panics }").await;
    assert_eq!(code(&body), "INTERNAL");
    assert!(!body.to_string().contains("secret"));
    assert_eq!(toy.ask("{ hello }").await, json!({ "data": { "hello": "world" } }));
}

#[tokio::test]
async fn at_most_ten_errors_leave() {
    let toy = Toy::start().await;
    let fields: String = (0..20).map(|at| format!("f{at}: missing ")).collect();
    let body = toy.ask(&format!("{{ {fields} }}")).await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 10);
    assert_eq!(body["data"].as_object().unwrap().len(), 20);
    let fields: String = (0..29).map(|at| format!("nothing{at} ")).collect();
    let body = toy.ask(&format!("{{ {fields} }}")).await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn what_costs_too_much_is_refused_before_it_runs() {
    let toy = Toy::start().await;
    let roots: String = (0..31).map(|at| format!("f{at}: hello ")).collect();
    let deep = format!("{{ {} hello {} }}", "nested {".repeat(16), "}".repeat(16));
    let long = format!("{{ hello }} #{}", "x".repeat(64 * 1024));
    let mutations: String = (0..11).map(|at| format!("f{at}: act(millis: 0) ")).collect();
    for query in [format!("{{ {roots} }}"), deep, long, format!("mutation {{ {mutations} }}")] {
        let body = toy.ask(&query).await;
        assert_eq!(code(&body), "OPERATION_TOO_COMPLEX");
        let extensions = &body["errors"][0]["extensions"];
        assert!(extensions["cost"].as_u64() > extensions["limit"].as_u64(), "{body}");
    }
    assert_eq!(toy.counts.done.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn fragments_that_double_one_another_are_refused_at_once() {
    let toy = Toy::start().await;
    let doubling = |at: u32| {
        let next = at + 1;
        format!(" fragment F{at} on Query {{ nested {{ ...F{next} }} ... on Query {{ ...F{next} }} }}")
    };
    let bomb = format!("{{ ...F0 }} fragment F40 on Query {{ hello }}{}", (0..40).map(doubling).collect::<String>());
    let begin = Instant::now();
    assert_eq!(code(&toy.ask(&bomb).await), "OPERATION_TOO_COMPLEX");
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_malformed_request_is_told_what_it_lacks() {
    let toy = Toy::start().await;
    for body in [
        "nonsense",
        "{}",
        "7",
        r#"{"query":7}"#,
        r#"{"query":"{ hello }","variables":"{}"}"#,
        r#"{"query":"{ hello }","operationName":7}"#,
        r#"{"query":"{ hello }","extensions":[]}"#,
        r#"[{"query":"{ hello }"}]"#,
    ] {
        let request = Client::new().post(&toy.url).header("content-type", "application/json").body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(code(&answer.json().await.unwrap()), "BAD_REQUEST", "{body}");
    }
}

#[tokio::test]
async fn only_json_is_read() {
    let toy = Toy::start().await;
    let query = r#"{"query":"mutation { act(millis: 0) }"}"#;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ] {
        let request = Client::new().post(&toy.url).header("content-type", content_type).body(query);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
    }
    let unlabelled = Client::new().post(&toy.url).body(query).send().await.unwrap();
    assert_eq!(unlabelled.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let picky = Client::new().post(&toy.url).header("accept", "text/html").json(&json!({ "query": "{ hello }" }));
    assert_eq!(picky.send().await.unwrap().status(), StatusCode::NOT_ACCEPTABLE);
    assert_eq!(toy.counts.done.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn get_changes_nothing() {
    let toy = Toy::start().await;
    let answer = Client::new().get(format!("{}?query=mutation{{act(millis:0)}}", toy.url)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()["allow"], "POST");
    assert_eq!(code(&answer.json().await.unwrap()), "BAD_REQUEST");
    let answer = Client::new().put(&toy.url).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers()["allow"], "GET,HEAD,POST");
    assert_eq!(toy.counts.done.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_with_a_status() {
    let toy = Toy::start().await;
    for length in [256 * 1024 + 1, 2 * 1024 * 1024] {
        let answer = toy.post(json!({ "query": "{ hello }", "variables": { "x": "x".repeat(length) } })).await;
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn a_body_and_headers_that_do_not_come_are_not_waited_for() {
    let toy = Toy::start().await;
    let head = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n";
    let body = format!("{head}connection: close\r\n\r\n{{");
    let page = body.replace("/graphql", "/reset-password?token=x");
    let (body, page, headers) = tokio::join!(raw(&toy, &body), raw(&toy, &page), raw(&toy, head));
    assert!(body.starts_with("HTTP/1.1 408"), "{body}");
    assert!(page.starts_with("HTTP/1.1 408"), "{page}");
    assert!(headers.is_empty() || headers.starts_with("HTTP/1.1 408"), "{headers}");
}

#[tokio::test]
async fn a_mutation_goes_on_when_the_client_hangs_up() {
    let toy = Toy::start().await;
    let request = Client::new().post(&toy.url).json(&json!({ "query": "mutation { act(millis: 300) }" }));
    assert!(request.timeout(Duration::from_millis(100)).send().await.is_err());
    assert_eq!(toy.counts.done.load(Ordering::SeqCst), 0);
    until(|| toy.counts.done.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_token_that_is_there_has_to_be_good() {
    let toy = Toy::start().await;
    let viewer = crate::socket::somebody(&toy);
    let ask = async |authorization: &str| {
        let request = Client::new().post(&toy.url).header("authorization", authorization);
        let answer = request.json(&json!({ "query": "{ who }" })).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, body) = ask(&format!("bearer {}", toy.token(viewer, 60))).await;
    assert_eq!((status, &body), (200, &json!({ "data": { "who": viewer.user_id.to_string() } })));
    let (status, body) = ask("").await;
    assert_eq!((status, code(&body)), (200, "UNAUTHENTICATED"));
    let forged = format!("{}x", toy.token(viewer, 60));
    for bad in ["Bearer nonsense", "nonsense", "Basic abc", &format!("Bearer {forged}"), &toy.token(viewer, -1)] {
        let (status, body) = ask(bad).await;
        assert_eq!((status, code(&body)), (401, "UNAUTHENTICATED"), "{bad}");
        assert!(body.get("data").is_none());
    }
    // A session that ended takes its tokens along.
    toy.app.realtime.ended_sessions.insert([viewer.session_id]);
    let (status, _) = ask(&format!("Bearer {}", toy.token(viewer, 60))).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn what_is_meant_for_another_server_is_turned_away() {
    let toy = Toy::start().await;
    let answer = raw(&toy, "GET /health HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 421") && answer.contains("BAD_REQUEST"), "{answer}");
    let answer = raw(&toy, "GET /graphql?query={hello} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let toy = Toy::start().await;
    let answer = toy.post(json!({ "query": "{ broken }" })).await;
    let headers = answer.headers().clone();
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["cache-control"], "no-store");
    // As Helmet sets them.
    for (name, value) in [
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("origin-agent-cluster", "?1"),
        ("x-dns-prefetch-control", "off"),
        ("x-download-options", "noopen"),
        ("x-frame-options", "DENY"),
        ("x-permitted-cross-domain-policies", "none"),
        ("x-xss-protection", "0"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    assert!(!headers.contains_key("strict-transport-security") && !headers.contains_key("x-powered-by"));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(headers["x-request-id"], *body["errors"][0]["extensions"]["requestId"].as_str().unwrap());
    let lost = Client::new().get(toy.url.replace("graphql", "nothing")).send().await.unwrap();
    assert_eq!(lost.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(&lost.json().await.unwrap()), "NOT_FOUND");
}

#[tokio::test]
async fn what_is_worth_it_is_compressed_as_the_client_takes_it() {
    let server = crate::harness::TestServer::start().await;
    for (takes, given) in [("gzip", Some("gzip")), ("br", Some("br")), ("zstd, gzip;q=0.5", Some("zstd")), ("", None)] {
        // As it comes.
        let client = Client::builder().no_gzip().no_brotli().no_zstd().build().unwrap();
        let get = |page: &str| client.get(format!("{}/{page}", server.url())).header("accept-encoding", takes).send();
        let sdl = get("schema.graphql").await.unwrap();
        assert_eq!(sdl.headers().get("content-encoding").map(|encoding| encoding.to_str().unwrap()), given);
        let bytes = sdl.bytes().await.unwrap().len();
        assert_eq!(bytes < 40_000, given.is_some(), "{bytes} bytes by {takes:?}");
        assert!(get("graphql?query={__typename}").await.unwrap().headers().get("content-encoding").is_none());
    }
}

#[tokio::test]
async fn pages_elsewhere_are_let_in_by_their_origin() {
    let toy = Toy::start().await;
    let preflight = async |origin: &str| {
        let request = Client::new().request(reqwest::Method::OPTIONS, &toy.url).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let answer = request.header("access-control-request-headers", "content-type, x-mine").send().await.unwrap();
        answer.headers().get("access-control-allow-origin").cloned()
    };
    assert_eq!(preflight("http://localhost:3000").await.unwrap(), "http://localhost:3000");
    assert_eq!(preflight("http://evil.example").await, None);
}

#[tokio::test]
async fn health_says_that_the_database_is_away() {
    let toy = Toy::start().await;
    let answer = reqwest::get(toy.url.replace("graphql", "health")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body, json!({ "status": "unavailable", "db": "cannot be reached" }));
    let sdl = reqwest::get(toy.url.replace("graphql", "schema.graphql")).await.unwrap();
    assert!(sdl.text().await.unwrap().contains("type Query"));
}

#[tokio::test]
async fn the_database_is_looked_at_once_for_all_who_ask_how_it_is() {
    // One that takes connections, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://nobody@{}/nothing", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let _silent = AbortOnDropHandle::new(tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            kept.push(stream);
        }
    }));
    let toy = Toy::on(&url, |_| {}).await;
    let begin = Instant::now();
    let ask = async || {
        let answer = reqwest::get(toy.url.replace("graphql", "health")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.json::<Value>().await.unwrap()["db"], "does not answer");
    };
    join_all((0..50).map(|_| ask())).await;
    // Each look takes a second.
    let (asked, seconds) = (asked.load(Ordering::SeqCst) as u64, begin.elapsed().as_secs());
    assert!((1..=seconds + 1).contains(&asked), "{asked} in {seconds} s");
}

#[tokio::test]
async fn stopping_finishes_what_runs() {
    let mut toy = Toy::start().await;
    let url = toy.url.clone();
    let slow = tokio::spawn(async move {
        Client::new().post(url).json(&json!({ "query": "mutation { act(millis: 500) }" })).send().await
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    toy.stop.cancel();
    toy.running.take().unwrap().await.unwrap();
    assert_eq!(slow.await.unwrap().unwrap().json::<Value>().await.unwrap(), json!({ "data": { "act": 1 } }));
    assert!(TcpStream::connect(toy.address).await.is_err());
}
