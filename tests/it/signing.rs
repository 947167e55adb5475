//! Keys of access tokens: named, published, and rotated while servers run.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chinwag::signing;
use chrono::TimeDelta;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

const WHO: &str = "{ viewer { user { id } } server { webPushPublicKey } }";
const REFRESH: &str = "mutation($token: String) { refreshSession(input: { refreshToken: $token }) {
    tokens { accessToken } } }";

/// A server that keeps its keys in a folder.
async fn keeping_keys(dir: &Path) -> TestServer {
    TestServer::start_with(|config| {
        config.data.dir = dir.to_owned();
        config.data.jwt_secret = None;
    })
    .await
}

async fn published(server: &TestServer) -> Value {
    let url = format!("{}/.well-known/jwks.json", server.url());
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

fn rotate(server: &TestServer, drops_old: bool) -> String {
    signing::rotate(&server.app.config.data.dir, server.clock.now(), drops_old).unwrap()
}

async fn refreshed(server: &TestServer, actor: &Actor) -> String {
    let answer = server.anonymous().ask(REFRESH, json!({ "token": actor.refresh_token })).await;
    answer.data("refreshSession")["tokens"]["accessToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_reads_the_published_keys_can_tell_who_asks() {
    let dir = tempfile::tempdir().unwrap();
    let server = keeping_keys(dir.path()).await;
    let alice = server.register("alice").await;
    let token = alice.token.clone().unwrap();
    assert_eq!(decode_header(&token).unwrap().alg, Algorithm::EdDSA);
    let keys = published(&server).await;
    assert!(!keys.to_string().contains("\"d\""), "{keys}");
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid(&token)).unwrap()).unwrap();
    let claims = decode::<Value>(&token, &key, &Validation::new(Algorithm::EdDSA)).unwrap().claims;
    let user = uuid::Uuid::parse_str(claims["sub"].as_str().unwrap()).unwrap();
    assert_eq!(chinwag::id::UserId(user).to_string(), alice.id);
}

#[tokio::test]
async fn what_is_published_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = keeping_keys(dir.path()).await;
    let alice = server.register("alice").await;
    let token = alice.token.clone().unwrap();
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let keys = published(&server).await;
    let public = keys["keys"][0]["x"].as_str().unwrap();
    // The public key taken for a secret, in whatever form it is had.
    for secret in [public.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(public).unwrap()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let header = Header { kid: Some(kid(&token)), ..Header::new(algorithm) };
            let forged = encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
            let mallory = Actor::new(server.address, Some(forged));
            assert_eq!(mallory.query(WHO).await.code(), "UNAUTHENTICATED");
        }
    }
    assert_eq!(alice.query(WHO).await.data("viewer")["user"]["id"], *alice.id);
}

#[tokio::test]
async fn a_new_key_signs_at_once_and_the_one_before_it_is_good_for_as_long_as_its_tokens() {
    let dir = tempfile::tempdir().unwrap();
    let server = keeping_keys(dir.path()).await;
    let alice = server.register("alice").await;
    let push_key = alice.query(WHO).await.data("server");
    let unsubscribe = server.app.keys.unsubscribe_mac(uuid::Uuid::nil(), "digest");
    let first = kid(alice.token.as_ref().unwrap());

    let second = rotate(&server, false);
    assert_ne!(first, second);
    assert_eq!(published(&server).await["keys"].as_array().unwrap().len(), 2);
    let bob = server.register("bob").await;
    assert_eq!(kid(bob.token.as_ref().unwrap()), second);
    // Alice's goes on, and what it is traded for is signed by the new one.
    assert_eq!(alice.query(WHO).await.data("viewer")["user"]["id"], *alice.id);
    let next = refreshed(&server, &alice).await;
    assert_eq!(kid(&next), second);
    // Nothing else has changed with it, for those who start from there either.
    let another = server
        .another_with(|config| {
            config.data.dir = dir.path().to_owned();
            config.data.jwt_secret = None;
        })
        .await;
    assert_eq!(alice.at(another.address).query(WHO).await.data("server"), push_key);
    assert_eq!(another.app.keys.unsubscribe_mac(uuid::Uuid::nil(), "digest"), unsubscribe);

    server.clock.advance(TimeDelta::minutes(16));
    assert_eq!(published(&server).await["keys"].as_array().unwrap().len(), 1);
    assert_eq!(alice.query(WHO).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_stolen_key_is_dropped_on_every_server_and_nobody_has_to_sign_in_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = keeping_keys(dir.path()).await;
    let another = server
        .another_with(|config| {
            config.data.dir = dir.path().to_owned();
            config.data.jwt_secret = None;
        })
        .await;
    let alice = server.register("alice").await;
    assert_eq!(alice.at(another.address).query(WHO).await.data("viewer")["user"]["id"], *alice.id);
    rotate(&server, true);
    for address in [server.address, another.address] {
        assert_eq!(alice.at(address).query(WHO).await.code(), "UNAUTHENTICATED");
    }
    let token = refreshed(&another, &alice).await;
    for address in [server.address, another.address] {
        let alice_again = Actor::new(address, Some(token.clone()));
        assert_eq!(alice_again.query(WHO).await.data("viewer")["user"]["id"], *alice.id);
    }
}

#[tokio::test]
async fn a_secret_of_the_operator_s_is_published_to_nobody() {
    let server = TestServer::start().await;
    assert_eq!(published(&server).await, json!({ "keys": [] }));
}
