//! What whoever stands between may keep: what is public and was asked for by its name, without errors and by nobody.

use reqwest::{Client, Response, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::TestServer;

const PUBLIC: &str = "query Hello { server { name registration limits { pageSize } } }";

fn hash(document: &str) -> String {
    Sha256::digest(document).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks by GET, by the name of a document.
async fn get(server: &TestServer, document: &str, headers: &[(&str, &str)]) -> Response {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(document) } }).to_string();
    ask(server, &[("extensions", &extensions)], headers).await
}

async fn ask(server: &TestServer, parameters: &[(&str, &str)], headers: &[(&str, &str)]) -> Response {
    let url = Url::parse_with_params(&format!("{}/graphql", server.url()), parameters).unwrap();
    let request = headers.iter().fold(Client::new().get(url), |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

/// Has a document known by its name.
async fn know(server: &TestServer, document: &str) {
    let answer = server.anonymous().query(document).await;
    assert!(answer.0.get("data").is_some(), "{answer:?}");
}

fn kept(answer: &Response) -> &str {
    answer.headers()["cache-control"].to_str().unwrap()
}

const ALL: &str = "public, max-age=60";
const NOBODY: &str = "no-store";

#[tokio::test]
async fn a_public_query_that_is_known_may_be_kept() {
    let server = TestServer::start().await;
    // Until it is known, that it is not must not be kept.
    let unknown = get(&server, PUBLIC, &[]).await;
    assert_eq!(kept(&unknown), NOBODY);
    assert!(unknown.text().await.unwrap().contains("PersistedQueryNotFound"));
    know(&server, PUBLIC).await;
    for accept in ["application/json", "application/graphql-response+json", "*/*"] {
        let answer = get(&server, PUBLIC, &[("accept", accept), ("origin", "http://localhost:3000")]).await;
        assert_eq!((answer.status().as_u16(), kept(&answer)), (200, ALL));
        let varies: Vec<&str> = answer.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        let varies = varies.join(", ");
        // Who asks, in what form, and who may read it.
        for name in ["authorization", "accept", "origin"] {
            assert!(varies.split(", ").any(|varied| varied == name), "{name} is not in {varies}");
        }
        assert!(!answer.headers().contains_key("set-cookie"));
        assert_eq!(answer.json::<Value>().await.unwrap()["data"]["server"]["registration"], "OPEN");
    }
    let id = hash(PUBLIC);
    assert_eq!(kept(&ask(&server, &[("documentId", &id), ("operationName", "Hello")], &[]).await), ALL);
}

#[tokio::test]
async fn whoever_says_who_they_are_is_answered_for_themselves() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    know(&server, PUBLIC).await;
    let bearer = format!("Bearer {}", alice.token.as_ref().unwrap());
    for (name, value, status) in [
        ("authorization", bearer.as_str(), 200),
        ("authorization", "Bearer nonsense", 401),
        ("authorization", "", 200),
        ("cookie", "chinwag=1", 200),
        ("cookie", "", 200),
    ] {
        let answer = get(&server, PUBLIC, &[(name, value)]).await;
        assert_eq!((answer.status().as_u16(), kept(&answer)), (status, NOBODY), "{name}: {value}");
    }
}

#[tokio::test]
async fn all_else_is_kept_by_nobody() {
    let server = TestServer::start().await;
    for (document, status) in [
        // Of somebody, even if nobody is signed in.
        ("{ server { name } viewer { id } }", 200),
        // Of the moment.
        ("{ server { name time } }", 200),
        ("{ server { health } }", 200),
        ("{ __schema { queryType { name } } }", 200),
        // An error beside the data.
        ("{ server { name } categories { id } }", 200),
    ] {
        know(&server, document).await;
        let answer = get(&server, document, &[]).await;
        assert_eq!((answer.status().as_u16(), kept(&answer)), (status, NOBODY), "{document}");
    }
    know(&server, PUBLIC).await;
    let id = hash(PUBLIC);
    // Sent and not named, wrong, or by POST.
    for parameters in [&[("query", PUBLIC)][..], &[("documentId", &id), ("operationName", "Other")], &[]] {
        let answer = ask(&server, parameters, &[]).await;
        assert_eq!(kept(&answer), NOBODY, "{parameters:?}");
    }
    let body = json!({ "documentId": id });
    let posted = Client::new().post(format!("{}/graphql", server.url())).json(&body).send().await.unwrap();
    assert_eq!((posted.status().as_u16(), kept(&posted)), (200, NOBODY));
}

#[tokio::test]
async fn who_asks_for_too_much_is_not_remembered_for_it() {
    let server = TestServer::start_with(|config| {
        config.limits.rate_limited = true;
        config.limits.anonymous_requests = 2.try_into().unwrap();
    })
    .await;
    know(&server, PUBLIC).await;
    assert_eq!(kept(&get(&server, PUBLIC, &[]).await), ALL);
    let refused = get(&server, PUBLIC, &[]).await;
    assert_eq!((refused.status().as_u16(), kept(&refused)), (429, NOBODY));
}
