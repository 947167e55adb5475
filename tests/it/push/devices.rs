//! Whose devices there are.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::{devices_of, register, subscribe, unregister};
use crate::harness::{Actor, Browser, TestServer};

fn browser() -> Browser {
    Browser::at("https://push.example.org")
}

async fn sessions_of(server: &TestServer) -> [Actor; 2] {
    let here = server.register("alice").await;
    [here, Actor::log_in(server.address, "alice").await]
}

#[tokio::test]
async fn a_device_is_its_owners_alone() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let input = json!({ "platform": "WEB_PUSH", "token": browser().subscription(), "name": " Firefox on Linux " });
    let device = register(&alice, input).await.data("registerPushDevice")["pushDevice"].clone();
    assert_eq!((&device["platform"], &device["name"]), (&json!("WEB_PUSH"), &json!("Firefox on Linux")));
    assert_eq!(devices_of(&alice).await, [device["id"].clone()]);
    assert_eq!(devices_of(&mallory).await, [json!(null); 0]);
    let (ask, this) = ("query($id: ID!) { node(id: $id) { id } }", json!({ "id": device["id"] }));
    assert_eq!(alice.ask(ask, this.clone()).await.data("node"), this);
    assert_eq!(mallory.ask(ask, this).await.data("node"), json!(null));

    let id = devices_of(&alice).await.remove(0);
    assert_eq!(unregister(&mallory, &id).await.code(), "NOT_FOUND");
    assert_eq!(devices_of(&alice).await, std::slice::from_ref(&id));
    assert_eq!(unregister(&alice, &id).await.data("unregisterPushDevice")["pushDeviceId"], id);
    assert_eq!(unregister(&alice, &id).await.code(), "NOT_FOUND");
    assert!(devices_of(&alice).await.is_empty());
}

#[tokio::test]
async fn registering_again_refreshes_the_device() {
    let server = TestServer::start().await;
    let [alice, again] = sessions_of(&server).await;
    let browser = browser();
    let first = subscribe(&alice, &browser).await.data("registerPushDevice")["pushDevice"].clone();
    server.clock.advance(TimeDelta::minutes(10));
    // A browser has new keys after a while; what its service knows it by is the same, however it is spelled.
    let mut spelled = self::browser();
    spelled.endpoint = browser.endpoint.replace("https://push", "HTTPS://PUSH");
    let second = subscribe(&again, &spelled).await.data("registerPushDevice")["pushDevice"].clone();
    assert_eq!(first["id"], second["id"]);
    assert_ne!(first["refreshedAt"], second["refreshedAt"]);
    assert_eq!(devices_of(&alice).await.len(), 1);
    // It is the second session's now.
    alice.query("mutation { logout { sessionId } }").await.data("logout");
    assert_eq!(devices_of(&again).await.len(), 1);
    again.query("mutation { logout { sessionId } }").await.data("logout");
    assert_eq!(server.database.count("SELECT count(*) FROM push_devices").await, 0);
}

#[tokio::test]
async fn a_browser_is_of_whoever_registered_it_last() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let browser = browser();
    subscribe(&alice, &browser).await.data("registerPushDevice");
    let hers = devices_of(&alice).await.remove(0);
    subscribe(&bob, &browser).await.data("registerPushDevice");
    assert!(devices_of(&alice).await.is_empty());
    // Under another id: what waits for alice's device is not for bob's.
    assert_ne!(devices_of(&bob).await, std::slice::from_ref(&hers));
    assert_eq!(unregister(&alice, &hers).await.code(), "NOT_FOUND");
    assert_eq!(devices_of(&bob).await.len(), 1);
}

#[tokio::test]
async fn devices_go_with_their_session_however_it_ends() {
    let server = TestServer::start().await;
    let [alice, elsewhere] = sessions_of(&server).await;
    let browsers = [browser(), browser(), browser()];
    subscribe(&alice, &browsers[0]).await.data("registerPushDevice");
    subscribe(&elsewhere, &browsers[1]).await.data("registerPushDevice");
    elsewhere.query("mutation { logout { sessionId } }").await.data("logout");
    assert_eq!(devices_of(&alice).await.len(), 1);

    // A refresh token that is used twice ends its session.
    let third = Actor::log_in(server.address, "alice").await;
    subscribe(&third, &browsers[1]).await.data("registerPushDevice");
    assert_eq!(devices_of(&alice).await.len(), 2);
    let refresh = "mutation($token: String!) { refreshSession(input: { refreshToken: $token }) { session { id } } }";
    let token = json!({ "token": third.refresh_token });
    server.anonymous().ask(refresh, token.clone()).await.data("refreshSession");
    server.clock.advance(TimeDelta::minutes(2));
    assert_eq!(server.anonymous().ask(refresh, token).await.code(), "UNAUTHENTICATED");
    assert_eq!(devices_of(&alice).await.len(), 1);

    // One that was not refreshed in time has ended, too.
    server.clock.advance(TimeDelta::days(20));
    let again = Actor::log_in(server.address, "alice").await;
    subscribe(&again, &browsers[2]).await.data("registerPushDevice");
    assert_eq!(devices_of(&again).await.len(), 2);
    server.clock.advance(TimeDelta::days(11));
    let last = Actor::log_in(server.address, "alice").await;
    assert_eq!(devices_of(&last).await.len(), 1);
}

#[tokio::test]
async fn whoever_leaves_takes_the_device_along_that_they_name() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (hers, his) = (browser(), browser());
    subscribe(&alice, &hers).await.data("registerPushDevice");
    subscribe(&bob, &his).await.data("registerPushDevice");
    let logout = "mutation($token: String) { logout(input: { pushToken: $token }) { sessionId } }";
    // The device was registered by another session; those of others stay, and what is no token is no reason to stay.
    for (token, left) in [(his.subscription(), 1), ("a\0b".into(), 1), (hers.subscription(), 0)] {
        let session = Actor::log_in(server.address, "alice").await;
        session.ask(logout, json!({ "token": token })).await.data("logout");
        assert_eq!(devices_of(&alice).await.len(), left, "{token}");
    }
    assert_eq!(devices_of(&bob).await.len(), 1);
}

#[tokio::test]
async fn whoever_leaves_waits_for_the_session_with_no_device_in_hand() {
    let server = TestServer::start().await;
    let (alice, hers) = (server.register("alice").await, browser());
    subscribe(&alice, &hers).await.data("registerPushDevice");
    let holding = server.database.hold("SELECT FROM sessions FOR UPDATE").await;
    let logout = "mutation($token: String) { logout(input: { pushToken: $token }) { sessionId } }";
    let leaving = alice.ask(logout, json!({ "token": hers.subscription() }));
    tokio::pin!(leaving);
    tokio::select! {
        _ = &mut leaving => panic!("the session is held"),
        () = server.database.until_somebody_waits() => {}
    }
    server.database.execute("SELECT FROM push_devices FOR UPDATE NOWAIT").await;
    drop(holding);
    leaving.await.data("logout");
    assert_eq!(server.database.count("SELECT count(*) FROM push_devices").await, 0);
}

#[tokio::test]
async fn the_eleventh_device_takes_the_place_of_the_one_refreshed_least_lately() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let browsers: Vec<_> = (0..10).map(|_| browser()).collect();
    for browser in &browsers {
        server.clock.advance(TimeDelta::minutes(1));
        subscribe(&alice, browser).await.data("registerPushDevice");
    }
    server.clock.advance(TimeDelta::minutes(1));
    subscribe(&alice, &browsers[0]).await.data("registerPushDevice");
    let before = devices_of(&alice).await;
    assert_eq!(before.len(), 10);
    server.clock.advance(TimeDelta::minutes(1));
    subscribe(&alice, &browser()).await.data("registerPushDevice");
    let after = devices_of(&alice).await;
    assert_eq!(after[1..], before[..9], "the first was refreshed, so the second went");

    let at_once = (0..8).map(|_| {
        let alice = alice.clone();
        async move { subscribe(&alice, &browser()).await.data("registerPushDevice") }
    });
    join_all(at_once).await;
    assert_eq!(server.database.count("SELECT count(*) FROM push_devices").await, 10);
}

#[tokio::test]
async fn many_devices_are_found_by_one_statement() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for _ in 0..5 {
        subscribe(&alice, &browser()).await.data("registerPushDevice");
    }
    let ids = devices_of(&alice).await;
    let ask = alice.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ids }));
    let (statements, found) = server.statements(ask).await;
    assert_eq!(found.data("nodes").as_array().unwrap().len(), 5);
    let of_devices = statements.iter().filter(|statement| statement.contains("push_devices")).count();
    assert_eq!(of_devices, 1, "{statements:#?}");
}

#[tokio::test]
async fn what_is_no_device_is_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let good: serde_json::Value = serde_json::from_str(&browser().subscription()).unwrap();
    let with = |pointer: &str, value: serde_json::Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    let before = server.database.contents().await;
    for (token, fault) in [
        (String::new(), "REQUIRED"),
        ("null".into(), "BAD_FORMAT"),
        ("[]".into(), "BAD_FORMAT"),
        ("{}".into(), "BAD_FORMAT"),
        ("https://push.example.org/send/abc".into(), "BAD_FORMAT"),
        (with("/keys", json!({})), "BAD_FORMAT"),
        (with("/endpoint", json!("http://push.example.org/send/abc")), "BAD_FORMAT"),
        (with("/endpoint", json!("https://push.example.org:8443/send/abc")), "BAD_FORMAT"),
        (with("/endpoint", json!("https://me@push.example.org/send/abc")), "BAD_FORMAT"),
        (with("/endpoint", json!("https://127.0.0.1/send/abc")), "BAD_FORMAT"),
        (with("/endpoint", json!("https://[::ffff:a00:1]/send/abc")), "BAD_FORMAT"),
        (with("/endpoint", json!(format!("https://push.example.org/{}", "a".repeat(2_000)))), "BAD_FORMAT"),
        (with("/keys/auth", json!("c2hvcnQ")), "BAD_FORMAT"),
        (with("/keys/auth", json!("not base64!")), "BAD_FORMAT"),
        // No point of the curve, one at infinity, one that is compressed.
        (with("/keys/p256dh", json!(format!("B{}", "A".repeat(86)))), "BAD_FORMAT"),
        (with("/keys/p256dh", json!("AA")), "BAD_FORMAT"),
        (with("/keys/p256dh", json!("A2sX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW")), "BAD_FORMAT"),
        (format!("{{\"endpoint\": \"{}\"}}", "a".repeat(5_000)), "TOO_LONG"),
    ] {
        let answer = register(&alice, json!({ "platform": "WEB_PUSH", "token": token })).await;
        assert_eq!(answer.wrong_fields(), [format!("input.token {fault}")], "{token}");
    }
    let both = json!({ "platform": "FCM", "token": "two words", "name": "x".repeat(81) });
    assert_eq!(register(&alice, both).await.wrong_fields(), ["input.token BAD_FORMAT", "input.name TOO_LONG"]);
    let apple = register(&alice, json!({ "platform": "APNS", "token": "abcdef0123456789" })).await;
    assert_eq!(apple.code(), "FAILED_PRECONDITION");
    assert_eq!(apple.0["errors"][0]["extensions"]["reason"], "NO_CARRIER");
    let nobody = register(&server.anonymous(), json!({ "platform": "WEB_PUSH", "token": good.to_string() })).await;
    assert_eq!(nobody.code(), "UNAUTHENTICATED");
    assert_eq!(server.database.contents().await, before);
}
