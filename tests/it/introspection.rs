//! A server that does not show its schema.

use std::io::Write;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Ended, TestServer};

const ASKING: [&str; 5] = [
    "{ __schema { types { name } } }",
    "{ server { name } a: __type(name: \"Query\") { fields { name } } }",
    "query A { ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
    "query($no: Boolean = false) { __schema @include(if: $no) { queryType { name } } server { name } }",
    "query A { server { name } } query B { __schema { queryType { name } } }",
];

fn hash(document: &str) -> String {
    Sha256::digest(document).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn it_is_shown_to_nobody_where_it_is_off() {
    // Not to those who know a document by its name, either.
    let mut manifest = tempfile::NamedTempFile::new().unwrap();
    write!(manifest, "{}", json!({ "mine": ASKING[0], "name": "{ server { name } }" })).unwrap();
    let server = TestServer::start_with(|config| {
        config.documents.introspection = false;
        config.documents.trusted = Some(manifest.path().to_owned());
    })
    .await;
    let alice = server.register("alice").await;
    let url = format!("{}/graphql", server.url());
    let mut socket = alice.socket().await;
    let refused = "GRAPHQL_VALIDATION_FAILED";
    for document in ASKING {
        for who in [&alice, &server.anonymous()] {
            let answer = who.query(document).await;
            assert_eq!(answer.code(), refused, "{document}");
            assert!(answer.0.get("data").is_none() && answer.0.to_string().contains("INTROSPECTION"));
        }
        assert_eq!(socket.run(document, json!({})).end().await, Ended::Error(refused.into()), "{document}");
        let streamed = Client::new().post(&url).header("accept", "text/event-stream");
        let streamed = streamed.json(&json!({ "query": document })).send().await.unwrap().text().await.unwrap();
        assert!(streamed.contains(refused) && !streamed.contains("queryType"), "{streamed}");
        let got = Client::new().get(reqwest::Url::parse_with_params(&url, [("query", document)]).unwrap());
        let got: Value = got.send().await.unwrap().json().await.unwrap();
        assert_eq!(got["errors"][0]["extensions"]["code"], refused);
        // Having been refused it is not known.
        let named = json!({ "documentId": hash(document) });
        let named: Value = Client::new().post(&url).json(&named).send().await.unwrap().json().await.unwrap();
        let expected = if document == ASKING[0] { refused } else { "PERSISTED_QUERY_NOT_FOUND" };
        assert_eq!(named["errors"][0]["extensions"]["code"], expected, "{document}");
    }
    let mine: Value =
        Client::new().post(&url).json(&json!({ "documentId": "mine" })).send().await.unwrap().json().await.unwrap();
    assert_eq!(mine["errors"][0]["extensions"]["code"], refused);
    let sdl = Client::new().get(format!("{}/schema.graphql", server.url())).send().await.unwrap();
    assert_eq!(sdl.status(), StatusCode::NOT_FOUND);
    assert!(!sdl.text().await.unwrap().contains("type Query"));
    // What things are is said as ever.
    let answer = alice.query("{ __typename viewer { __typename user { __typename } } }").await.0;
    let expected =
        json!({ "__typename": "Query", "viewer": { "__typename": "Viewer", "user": { "__typename": "User" } } });
    assert_eq!(answer["data"], expected);
}

#[tokio::test]
async fn errors_suggest_no_names() {
    for introspection in [true, false] {
        let server = TestServer::start_with(|config| config.documents.introspection = introspection).await;
        for (mistaken, meant) in [
            ("{ serve { name } }", "server"),
            ("{ server { nam } }", "name"),
            ("{ users(firs: 1) { nodes { id } } }", "first"),
            ("mutation { logi(input: {}) { viewer { id } } }", "login"),
            ("mutation { login(input: { identifie: \"a\" }) { viewer { id } } }", "identifier\""),
            ("{ user(by: { usernam: \"a\" }) { id } }", "username"),
            ("{ users(orderBy: { field: DISPLAY_NAM, direction: ASC }) { nodes { id } } }", "DISPLAY_NAME"),
            ("{ ... on Quer { server { name } } }", "Query"),
            ("{ server { name @inclde(if: true) } }", "include"),
        ] {
            let answer = server.anonymous().query(mistaken).await;
            assert_eq!(answer.0["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{answer:?}");
            let told = answer.0.to_string();
            assert!(!told.contains("Did you mean") && !told.contains(meant), "{mistaken}: {told}");
        }
    }
}
