//! Documents that are known: kept once they have run, or trusted from the start.

use std::path::PathBuf;

use chinwag::api::execute::Trusted;
use chinwag::config::{BadValue, Documents};
use futures_util::{StreamExt, stream};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::harness::TestServer;
use crate::toy::Toy;

/// The name under which Apollo's clients know a document.
fn hash(document: &str) -> String {
    Sha256::digest(document).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named(hash: &str) -> Value {
    json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } })
}

fn with_text(document: &str, hash: &str) -> Value {
    let mut body = named(hash);
    body["query"] = document.into();
    body
}

async fn post(toy: &Toy, body: Value) -> Value {
    toy.post(body).await.json().await.unwrap()
}

fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error in {body}"))
}

#[tokio::test]
async fn a_hash_is_unknown_until_its_document_has_run() {
    let toy = Toy::start().await;
    let document = "query Double($n: Int!) { double(number: $n) }";
    let ask = async |mut body: Value| {
        body["variables"] = json!({ "n": 4 });
        post(&toy, body).await
    };
    for accept in ["application/json", "application/graphql-response+json"] {
        let request = Client::new().post(&toy.url).header("accept", accept).json(&named(&hash(document)));
        let answer = request.send().await.unwrap();
        // No mistake: Apollo's clients send the document now.
        assert_eq!(answer.status(), StatusCode::OK);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(
            (code(&body), &body["errors"][0]["message"]),
            ("PERSISTED_QUERY_NOT_FOUND", &json!("PersistedQueryNotFound"))
        );
        assert!(body.get("data").is_none());
    }
    let expected = json!({ "data": { "double": 8 } });
    assert_eq!(ask(with_text(document, &hash(document))).await, expected);
    assert_eq!(ask(named(&hash(document))).await, expected);
    assert_eq!(ask(named(&hash(document).to_uppercase())).await, expected);
    assert_eq!(ask(json!({ "documentId": format!("sha256:{}", hash(document)) })).await, expected);
    // What came without a name is known by it all the same.
    post(&toy, json!({ "query": "{ hello }" })).await;
    assert_eq!(post(&toy, named(&hash("{ hello }"))).await, json!({ "data": { "hello": "world" } }));
}

#[tokio::test]
async fn a_hash_is_enough_over_get_and_on_sockets() {
    let toy = Toy::start().await;
    let document = "{ hello }";
    let extensions = named(&hash(document))["extensions"].to_string();
    let get = async |query: &[(&str, &str)]| {
        let url = reqwest::Url::parse_with_params(&toy.url, query).unwrap();
        Client::new().get(url).send().await.unwrap().json::<Value>().await.unwrap()
    };
    assert_eq!(code(&get(&[("extensions", &extensions)]).await), "PERSISTED_QUERY_NOT_FOUND");
    let mut socket = toy.anonymous().await;
    let subscribe = |body: Value| json!({ "type": "subscribe", "id": "a", "payload": body });
    socket.send(subscribe(named(&hash(document)))).await;
    let refused = socket.next().await;
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("PERSISTED_QUERY_NOT_FOUND"))
    );
    let expected = json!({ "data": { "hello": "world" } });
    assert_eq!(get(&[("extensions", &extensions), ("query", document)]).await, expected);
    assert_eq!(get(&[("extensions", &extensions)]).await, expected);
    socket.send(subscribe(named(&hash(document)))).await;
    assert_eq!(socket.next().await["payload"], expected);
    assert_eq!(socket.next().await["type"], "complete");
    // A subscription is known from its first event on.
    let ticks = "subscription { ticks(every: 1, times: 1) }";
    socket.send(subscribe(with_text(ticks, &hash(ticks)))).await;
    assert_eq!(socket.next().await["type"], "next");
    assert_eq!(socket.next().await["type"], "complete");
    socket.send(subscribe(named(&hash(ticks)))).await;
    assert_eq!(socket.next().await["payload"], json!({ "data": { "ticks": 0 } }));
}

#[tokio::test]
async fn a_mutation_that_is_known_still_does_not_run_by_get() {
    let toy = Toy::start().await;
    let document = "mutation { act(millis: 0) }";
    assert_eq!(post(&toy, with_text(document, &hash(document))).await, json!({ "data": { "act": 1 } }));
    let extensions = named(&hash(document))["extensions"].to_string();
    for accept in ["application/json", "text/event-stream"] {
        let url = reqwest::Url::parse_with_params(&toy.url, [("extensions", &extensions)]).unwrap();
        let answer = Client::new().get(url).header("accept", accept).send().await.unwrap();
        assert!(!answer.status().is_success());
    }
    assert_eq!(post(&toy, named(&hash(document))).await, json!({ "data": { "act": 2 } }));
}

#[tokio::test]
async fn a_hash_of_something_else_is_refused_and_nothing_is_kept() {
    let toy = Toy::start().await;
    let (document, other) = ("{ hello }", "{ nested { hello } }");
    for wrong in [&hash(other), "", "abc", &hash(document)[1..]] {
        assert_eq!(code(&post(&toy, with_text(document, wrong)).await), "BAD_REQUEST", "{wrong}");
    }
    for name in [hash(document), hash(other)] {
        assert_eq!(code(&post(&toy, named(&name)).await), "PERSISTED_QUERY_NOT_FOUND");
    }
    let mut second = with_text(document, &hash(document));
    second["extensions"]["persistedQuery"]["version"] = 2.into();
    assert_eq!(code(&post(&toy, second).await), "BAD_REQUEST");
    let neither = toy.post(json!({ "extensions": { "persistedQuery": null } })).await;
    assert_eq!(neither.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_not_valid_or_not_admitted_is_not_kept() {
    let toy = Toy::start().await;
    let nested = format!("{{ {} hello {} }}", "nested { ".repeat(20), "}".repeat(20));
    for (document, expected) in [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        (&nested, "OPERATION_TOO_COMPLEX"),
    ] {
        for _ in 0..2 {
            let mut socket = toy.anonymous().await;
            socket
                .send(json!({ "type": "subscribe", "id": "a", "payload": with_text(document, &hash(document)) }))
                .await;
            assert_eq!(socket.next().await["payload"][0]["extensions"]["code"], expected, "{document}");
        }
        assert_eq!(code(&post(&toy, named(&hash(document))).await), "PERSISTED_QUERY_NOT_FOUND", "{document}");
    }
}

#[tokio::test]
async fn a_document_that_is_known_is_weighed_with_the_variables_of_each_request() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let document =
        "query($n: Int!) { channels(first: $n) { nodes { messages(last: $n) { nodes { author { id } } } } } }";
    for _ in 0..2 {
        alice.ask(document, json!({ "n": 10 })).await.data("channels");
        assert_eq!(alice.ask(document, json!({ "n": 100 })).await.code(), "OPERATION_TOO_COMPLEX");
    }
}

#[tokio::test]
async fn a_flood_of_documents_does_not_push_out_one_that_is_used() {
    let toy = Toy::start().await;
    let (client, url) = (Client::new(), toy.url.clone());
    let (used, once) = ("query Used { hello }", "query Once0 { hello }");
    post(&toy, json!({ "query": used })).await;
    for round in 0..20 {
        let flood = stream::iter(0..500).for_each_concurrent(8, |at| {
            let (client, url) = (client.clone(), url.clone());
            async move {
                let body = json!({ "query": format!("query Once{} {{ hello }}", round * 500 + at) });
                assert!(client.post(url).json(&body).send().await.unwrap().status().is_success());
            }
        });
        flood.await;
        assert_eq!(post(&toy, named(&hash(used))).await, json!({ "data": { "hello": "world" } }), "{round}");
    }
    let known = stream::iter(0..10_000)
        .map(|at| {
            let (client, url, name) = (client.clone(), url.clone(), hash(&format!("query Once{at} {{ hello }}")));
            async move { client.post(url).json(&named(&name)).send().await.unwrap().json::<Value>().await.unwrap() }
        })
        .buffer_unordered(8)
        .filter(|body| std::future::ready(body.get("data").is_some()))
        .count()
        .await;
    assert!((1..=4096).contains(&known), "{known}");
    // Whatever was forgotten is taken again.
    assert_eq!(post(&toy, with_text(once, &hash(once))).await, json!({ "data": { "hello": "world" } }));
}

// Trusted documents.

/// A manifest in a folder of its own.
fn manifest(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

async fn trusting(text: &str, only_trusted: bool) -> Toy {
    let (_folder, path) = manifest(text);
    Toy::on("postgres://nobody@127.0.0.1:9/nothing", |config| {
        config.documents = Documents { trusted: Some(path), only_trusted, ..config.documents.clone() };
    })
    .await
}

/// As `generate-persisted-query-manifest` and Apollo's mobile tools write it.
fn apollo() -> String {
    let operation = |name: &str, body: &str| json!({ "id": hash(body), "name": name, "type": "query", "body": body });
    let operations = [operation("Hello", "query Hello { hello }"), operation("Act", "mutation Act { act(millis: 0) }")];
    json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": operations }).to_string()
}

#[tokio::test]
async fn only_trusted_documents_run_where_it_says_so() {
    let toy = trusting(&apollo(), true).await;
    let (trusted, expected) = ("query Hello { hello }", json!({ "data": { "hello": "world" } }));
    for asked in [named(&hash(trusted)), json!({ "query": trusted }), with_text(trusted, &hash(trusted))] {
        assert_eq!(post(&toy, asked).await, expected);
    }
    assert_eq!(post(&toy, json!({ "documentId": hash(trusted) })).await, expected);
    for other in ["{ hello }", "{ __schema { types { name } } }", "{ hello", "query Hello { hello } "] {
        for asked in [json!({ "query": other }), with_text(other, &hash(other)), named(&hash(other))] {
            assert_eq!(code(&post(&toy, asked).await), "DOCUMENT_NOT_ALLOWED", "{other}");
        }
    }
    let mut socket = toy.anonymous().await;
    socket.run("a", "subscription { ticks(every: 1) }").await;
    assert_eq!(socket.next().await["payload"][0]["extensions"]["code"], "DOCUMENT_NOT_ALLOWED");
    socket.run("a", trusted).await;
    assert_eq!(socket.next().await["payload"], expected);
}

#[tokio::test]
async fn trusted_documents_have_the_names_of_their_manifest() {
    // As GraphQL Code Generator and Relay write it: ids are whatever was chosen.
    let text =
        json!({ "d2a84f4b8b650937ec8f73cd8be2c74a": "query Hello { hello }", "act": "mutation { act(millis: 0) }" });
    let toy = trusting(&text.to_string(), false).await;
    let expected = json!({ "data": { "hello": "world" } });
    let id = "d2a84f4b8b650937ec8f73cd8be2c74a";
    assert_eq!(post(&toy, named(id)).await, expected);
    assert_eq!(post(&toy, json!({ "documentId": id })).await, expected);
    assert_eq!(post(&toy, with_text("query Hello { hello }", id)).await, expected);
    assert_eq!(code(&post(&toy, with_text("{ hello }", id)).await), "BAD_REQUEST");
    assert_eq!(code(&post(&toy, json!({ "documentId": "nobody" })).await), "PERSISTED_QUERY_NOT_FOUND");
    // Others run, and are known by their hashes.
    assert_eq!(post(&toy, json!({ "query": "{ hello }" })).await, expected);
    assert_eq!(post(&toy, named(&hash("{ hello }"))).await, expected);
}

#[test]
fn a_manifest_that_cannot_be_used_names_itself_and_what_is_wrong() {
    let twice = json!({ "operations": [{ "id": "a", "body": "{ a }" }, { "id": "a", "body": "{ b }" }] });
    let deep = json!({ "deep": format!("{}a{}", "{ a ".repeat(30), " }".repeat(30)) });
    for (text, part) in [
        ("{", "not JSON"),
        ("[]", "wants Apollo's persisted query manifest"),
        (r#"{"a": 7}"#, "wants Apollo's persisted query manifest"),
        (r#"{"operations": [{"id": "a"}]}"#, "body"),
        (r#"{"mine": "{ a"}"#, "mine: Syntax error"),
        (&twice.to_string(), "a: stands there twice"),
        (&deep.to_string(), "deep: "),
    ] {
        let (_folder, path) = manifest(text);
        let BadValue(told) = load(&path).err().unwrap_or_else(|| panic!("{text} is taken"));
        assert!(told.starts_with(&format!("TRUSTED_DOCUMENTS: {}: ", path.display())), "{told}");
        assert!(told.contains(part) && told.lines().count() == 1, "{told}");
    }
    let (_folder, path) = manifest(&apollo());
    assert!(load(&path).is_ok());
    assert!(load(&path.with_file_name("nowhere.json")).is_err());
}

fn load(path: &std::path::Path) -> Result<Trusted, BadValue> {
    Trusted::load(&Documents { trusted: Some(path.to_owned()), only_trusted: true, introspection: true })
}
