//! How something gets to a device.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chinwag::accounts::devices;
use chinwag::config::PushWebhook;
use chinwag::id::{DeviceId, UserId};
use chinwag::push::{Content, Notice, Outcome, deliver};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{devices_of, register, subscribe};
use crate::harness::{Actor, Browser, PushService, TestServer};

const ID: &str = "notification_01jd3k7w8pf2qs5hm0r4c9x6ty";
const TOPIC: &str = "01jd3k7w8pf2qs5hm0r4c9x6ty";

fn notice() -> Content {
    Content::Notice(Notice {
        id: ID.to_owned(),
        kind: "MENTION",
        title: "Bob mentioned you".to_owned(),
        body: Some("Hi".to_owned()),
        conversation_id: Some("chan_01jd3k7w8pf2qs5hm0r4c9x6ty".to_owned()),
        is_urgent: false,
        unread_count: 3,
    })
}

async fn push(server: &TestServer, actor: &Actor, content: &Content) -> Outcome {
    let id = devices_of(actor).await.remove(0);
    let id = DeviceId::parse(id.as_str().unwrap()).unwrap();
    let device = devices::device(&server.app, id).await.unwrap().unwrap();
    assert_eq!(device.user_id, UserId::parse(&actor.id).unwrap());
    deliver(&server.app, &device, content).await.unwrap()
}

#[tokio::test]
async fn a_browser_reads_what_no_service_can() {
    let mut service = PushService::start().await;
    let server = TestServer::start_with(service.allowed()).await;
    let alice = server.register("alice").await;
    let browser = service.browser();
    subscribe(&alice, &browser).await.data("registerPushDevice");
    assert_eq!(push(&server, &alice, &notice()).await, Outcome::Delivered);
    let pushed = service.next().await;
    assert_eq!(
        browser.read(&pushed),
        json!({
            "id": ID, "kind": "MENTION", "title": "Bob mentioned you", "body": "Hi", "isUrgent": false,
            "conversationId": "chan_01jd3k7w8pf2qs5hm0r4c9x6ty", "unreadCount": 3,
        })
    );
    assert!(!String::from_utf8_lossy(&pushed.body).contains("Bob"));
    assert_eq!(pushed.header("ttl"), Some("86400"));
    assert_eq!(pushed.header("urgency"), Some("normal"));
    assert_eq!(pushed.header("topic"), Some(TOPIC));
    let (key, claims) = pushed.vapid();
    let server_says = server.anonymous().query("{ server { webPushPublicKey features } }").await.data("server");
    assert_eq!(server_says["webPushPublicKey"], key);
    assert!(server_says["features"].as_array().unwrap().contains(&json!("PUSH")));
    assert_eq!(claims["aud"], format!("https://localhost:{}", service.port));
    assert_eq!(claims["sub"], "https://localhost:8080");
    let left = claims["exp"].as_i64().unwrap() - server.clock.now().timestamp();
    assert!(left > 0 && left <= 24 * 60 * 60, "{left}");

    let dismissal = Content::Dismissal { ids: vec![ID.to_owned()], unread_count: 2 };
    assert_eq!(push(&server, &alice, &dismissal).await, Outcome::Delivered);
    let pushed = service.next().await;
    assert_eq!(browser.read(&pushed), json!({ "dismiss": [ID], "unreadCount": 2 }));
    // What was not delivered yet is replaced by it.
    assert_eq!((pushed.header("topic"), pushed.header("urgency")), (Some(TOPIC), Some("low")));
}

#[tokio::test]
async fn what_a_service_answers_decides_what_becomes_of_a_push() {
    let mut service = PushService::start().await;
    let server = TestServer::start_with(service.allowed()).await;
    let alice = server.register("alice").await;
    let browser = service.browser();
    subscribe(&alice, &browser).await.data("registerPushDevice");
    let after = |wait: &str| [("retry-after", wait.to_owned())];
    for (status, headers, expected) in [
        (200, &[][..], Outcome::Delivered),
        (404, &[], Outcome::Gone),
        (410, &[], Outcome::Gone),
        (413, &[], Outcome::Refused),
        (400, &[], Outcome::Refused),
        (403, &[], Outcome::Refused),
        (500, &[], Outcome::Later(None)),
        (429, &[], Outcome::Later(None)),
        (429, &after("90"), Outcome::Later(Some(TimeDelta::seconds(90)))),
        (503, &after("99999999999"), Outcome::Later(Some(TimeDelta::days(1)))),
        (503, &after("soon"), Outcome::Later(None)),
        (307, &[("location", format!("https://localhost:{}/elsewhere", service.port))], Outcome::Refused),
        (301, &[("location", "http://169.254.169.254/".to_owned())], Outcome::Refused),
    ] {
        service.answer(&browser, status, headers);
        assert_eq!(push(&server, &alice, &notice()).await, expected, "{status}");
        browser.read(&service.next().await);
        // Nobody follows a redirect.
        assert!(service.is_empty(), "{status}");
    }
}

#[tokio::test]
async fn nobody_sends_the_server_to_where_it_may_not_go() {
    let service = PushService::start().await;
    // The operator trusts the authority, and allows another host: what is missing is the leave to go to this one.
    let authority = service.authority.clone();
    let server = TestServer::start_with(|config| {
        config.requests.exempt = [("push.lan".to_owned(), 443)].into_iter().collect();
        config.requests.authorities = vec![authority];
    })
    .await;
    let alice = server.register("alice").await;
    let refused = subscribe(&alice, &service.browser()).await;
    assert_eq!(refused.wrong_fields(), ["input.token BAD_FORMAT"]);
    // A name may lead anywhere, which is seen only when it is asked.
    subscribe(&alice, &Browser::at("https://localhost")).await.data("registerPushDevice");
    assert_eq!(push(&server, &alice, &notice()).await, Outcome::Refused);
    // One that was registered while it was allowed.
    let (endpoint, id) = (service.browser().endpoint, devices_of(&alice).await.remove(0));
    let (_, id) = chinwag::id::decode(id.as_str().unwrap()).unwrap();
    server.database.execute(&format!("UPDATE push_devices SET address = '{endpoint}' WHERE id = '{id}'")).await;
    assert_eq!(push(&server, &alice, &notice()).await, Outcome::Refused);
    assert!(service.is_empty());
}

#[tokio::test]
async fn a_service_that_cannot_prove_its_name_is_told_nothing() {
    let service = PushService::start().await;
    let allowed = service.allowed();
    let server = TestServer::start_with(|config| {
        allowed(config);
        config.requests.authorities.clear();
    })
    .await;
    let alice = server.register("alice").await;
    subscribe(&alice, &service.browser()).await.data("registerPushDevice");
    assert_eq!(push(&server, &alice, &notice()).await, Outcome::Later(None));
    assert!(service.is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_an_answer() {
    use axum::body::Body;
    use futures_util::stream;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let endless = || async {
        Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024]))))
    };
    tokio::spawn(axum::serve(listener, Router::new().route("/", post(endless))).into_future());
    let server = TestServer::start().await;
    let asked = server.app.outgoing.post_to_own(&url, Vec::new(), Vec::new());
    let answer = tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap().unwrap();
    assert_eq!((answer.status, answer.text.len()), (200, 4096));
}

#[tokio::test]
async fn a_webhook_carries_pushes_to_apple_and_google_and_can_prove_who_asks() {
    let secret = b"a secret of the operator".to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/push", listener.local_addr().unwrap());
    let (tell, mut inbox) = mpsc::unbounded_channel();
    let take = post(move |headers: HeaderMap, body: String| {
        let tell = tell.clone();
        async move { tell.send((headers, body)).unwrap() }
    });
    tokio::spawn(axum::serve(listener, Router::new().route("/push", take)).into_future());
    let webhook = PushWebhook { url, secret: secret.clone() };
    let server = TestServer::start_with(|config| config.push.webhook = Some(webhook)).await;
    let alice = server.register("alice").await;
    register(&alice, json!({ "platform": "FCM", "token": "a-token:of_Firebase" })).await.data("registerPushDevice");
    let mut ids = Vec::new();
    for _ in 0..2 {
        assert_eq!(push(&server, &alice, &notice()).await, Outcome::Delivered);
        let (headers, body) = inbox.recv().await.unwrap();
        let header = |name: &str| headers[name].to_str().unwrap();
        let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
        mac.update(signed.as_bytes());
        let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
        mac.verify_slice(&STANDARD.decode(signature).unwrap()).unwrap();
        let age = server.clock.now().timestamp() - header("webhook-timestamp").parse::<i64>().unwrap();
        assert!((0..60).contains(&age), "{age}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["type"], "push");
        assert_eq!((&body["data"]["platform"], &body["data"]["token"]), (&json!("FCM"), &json!("a-token:of_Firebase")));
        assert_eq!(body["data"]["payload"]["title"], "Bob mentioned you");
        ids.push(header("webhook-id").to_owned());
    }
    assert_eq!(ids[0], ids[1], "the same push again is told by its id");
}
