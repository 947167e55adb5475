//! What is pushed to whom.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{devices_of, subscribe};
use crate::harness::{Actor, Browser, PushService, TestServer};

/// Alice, who has a browser, and bob, who writes to her.
struct Two {
    service: PushService,
    server: TestServer,
    alice: Actor,
    bob: Actor,
    browser: Browser,
    direct: String,
}

impl Two {
    async fn start() -> Self {
        let service = PushService::start().await;
        let server = TestServer::start_with(service.allowed()).await;
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let browser = service.browser();
        subscribe(&alice, &browser).await.data("registerPushDevice");
        let direct = bob.direct_with(&[&alice]).await;
        Self { service, server, alice, bob, browser, direct }
    }

    async fn say(&self, content: &str) -> Value {
        self.bob.say(&self.direct, content).await
    }

    /// What alice's browser is told next.
    async fn next(&mut self) -> Value {
        let pushed = self.service.next().await;
        self.browser.read(&pushed)
    }

    /// Whether nothing is told, once all is done that there is to do at this moment.
    async fn is_silent(&self) -> bool {
        self.rest().await;
        self.service.is_empty()
    }

    /// Waits until nothing is left to do at this moment.
    async fn rest(&self) {
        let now = self.server.clock.now();
        let busy = format!(
            "SELECT count(*) FROM jobs WHERE died_at IS NULL AND kind LIKE 'push%'
                 AND (lease IS NOT NULL OR due_at <= '{now}')"
        );
        self.server.database.until(&busy, "0").await;
    }

    async fn read(&self) {
        let read = "mutation($id: ID!) { markConversationRead(input: { conversationId: $id }) { viewerState { id } } }";
        self.alice.ask(read, json!({ "id": self.direct })).await.data("markConversationRead");
    }
}

#[tokio::test]
async fn what_came_is_pushed_and_taken_back_where_it_was_read_elsewhere() {
    let mut two = Two::start().await;
    two.say("Hi **Alice**").await;
    let shown = two.next().await;
    assert_eq!((&shown["kind"], &shown["title"]), (&json!("DIRECT_MESSAGE"), &json!("bob wrote to you")));
    assert_eq!((&shown["body"], &shown["unreadCount"]), (&json!("Hi Alice"), &json!(1)));
    assert_eq!((&shown["conversationId"], &shown["isUrgent"]), (&json!(two.direct), &json!(false)));
    let bell = two.alice.query("{ viewer { notifications(first: 1) { nodes { id } } } }").await.data("viewer");
    assert_eq!(bell["notifications"]["nodes"][0]["id"], shown["id"]);
    two.say("Are you there?").await;
    let second = two.next().await;
    assert_eq!((&second["body"], &second["unreadCount"]), (&json!("Are you there?"), &json!(2)));

    two.read().await;
    let mut taken_back = two.next().await;
    taken_back["dismiss"].as_array_mut().unwrap().sort_by_key(|id| *id == second["id"]);
    assert_eq!(taken_back, json!({ "dismiss": [shown["id"], second["id"]], "unreadCount": 0 }));
    // Once, and what was never pushed is not taken back.
    two.read().await;
    assert!(two.is_silent().await);
    assert_eq!(two.server.database.count("SELECT count(*) FROM pushes").await, 0);
    // What a moderator or its author deletes is taken back, too.
    let message = two.say("Forget it").await;
    let third = two.next().await;
    let delete = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }";
    two.bob.ask(delete, json!({ "id": message["id"] })).await.data("deleteMessage");
    assert_eq!(two.next().await["dismiss"], json!([third["id"]]));
}

#[tokio::test]
async fn each_device_is_told_and_nobody_elses() {
    let mut two = Two::start().await;
    let (second, bobs) = (two.service.browser(), two.service.browser());
    let elsewhere = Actor::log_in(two.server.address, "alice").await;
    subscribe(&elsewhere, &second).await.data("registerPushDevice");
    subscribe(&two.bob, &bobs).await.data("registerPushDevice");
    two.say("Hi").await;
    let mut told = vec![two.service.next().await.path, two.service.next().await.path];
    told.sort();
    let mut wanted = vec![two.browser.path.clone(), second.path.clone()];
    wanted.sort();
    assert_eq!(told, wanted);
    // A session that ended is told nothing more, nor is a device that was registered after it came.
    elsewhere.query("mutation { logout { sessionId } }").await.data("logout");
    two.server.clock.advance(TimeDelta::seconds(1));
    let late = two.service.browser();
    subscribe(&two.alice, &late).await.data("registerPushDevice");
    two.alice.ask(UNREGISTER, json!({ "id": devices_of(&two.alice).await[1] })).await.data("unregisterPushDevice");
    two.say("Still there?").await;
    let pushed = two.service.next().await;
    assert_eq!(late.read(&pushed)["body"], "Still there?");
    assert!(two.is_silent().await);
}

const UNREGISTER: &str = "mutation($id: ID!) { unregisterPushDevice(input: { pushDeviceId: $id }) { pushDeviceId } }";

#[tokio::test]
async fn nobody_over_the_shoulder_reads_what_was_written() {
    let mut two = Two::start().await;
    two.alice.prefer(json!({ "notifications": { "showsPreviews": false } })).await;
    two.say("The code is 1234").await;
    let shown = two.next().await;
    assert_eq!((&shown["title"], &shown["body"]), (&json!("bob wrote to you"), &json!(null)));
    assert!(!shown.to_string().contains("1234"));
}

#[tokio::test]
async fn whoever_wants_to_be_left_alone_is_but_for_what_is_urgent() {
    let mut two = Two::start().await;
    two.alice.prefer(json!({ "notifications": { "isPushEnabled": false } })).await;
    two.say("One").await;
    assert!(two.is_silent().await);
    // What was left out stays so.
    let time = |hours| (two.server.clock.now() + TimeDelta::hours(hours)).format("%H:%M").to_string();
    let night = json!({ "start": time(-1), "end": time(1) });
    let quiet = json!({ "isPushEnabled": true, "quietHours": night, "urgentWords": ["fire"] });
    two.alice.prefer(json!({ "notifications": quiet })).await;
    two.say("Two").await;
    assert!(two.is_silent().await);
    two.say("Fire!").await;
    let pushed = two.service.next().await;
    assert_eq!(two.browser.read(&pushed)["body"], "Fire!");
    assert_eq!((two.browser.read(&pushed)["isUrgent"].clone(), pushed.header("urgency")), (json!(true), Some("high")));
    two.server.clock.advance(TimeDelta::hours(2));
    two.alice = Actor::log_in(two.server.address, "alice").await;
    two.bob = Actor::log_in(two.server.address, "bob").await;
    two.say("Good morning").await;
    assert_eq!(two.next().await["body"], "Good morning");
    assert!(two.is_silent().await);
}

#[tokio::test]
async fn what_came_in_quiet_hours_is_not_pushed_later_by_a_service_that_asked_for_time() {
    let mut two = Two::start().await;
    two.service.answer(&two.browser, 429, &[("retry-after", "600".to_owned())]);
    two.say("One").await;
    two.next().await;
    two.rest().await;
    two.server.clock.advance(TimeDelta::minutes(2));
    let time = |minutes| (two.server.clock.now() + TimeDelta::minutes(minutes)).format("%H:%M").to_string();
    two.alice.prefer(json!({ "notifications": { "quietHours": { "start": time(0), "end": time(5) } } })).await;
    two.say("Two").await;
    two.rest().await;
    two.service.answer(&two.browser, 201, &[]);
    two.server.clock.advance(TimeDelta::minutes(9));
    assert_eq!(two.next().await["body"], "One");
    assert!(two.is_silent().await);
}

#[tokio::test]
async fn whoever_is_here_has_a_minute_to_read_it_in_the_app() {
    let mut two = Two::start().await;
    two.alice.prefer(json!({ "notifications": { "urgentWords": ["fire"] } })).await;
    let _socket = two.alice.socket().await;
    two.say("One").await;
    assert!(two.is_silent().await);
    two.read().await;
    two.server.clock.advance(TimeDelta::minutes(2));
    assert!(two.is_silent().await);

    two.say("Two").await;
    assert!(two.is_silent().await);
    two.say("Fire!").await;
    assert_eq!(two.next().await["body"], "Fire!", "what is urgent does not wait");
    assert!(two.is_silent().await);
    two.server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(two.next().await["body"], "Two", "she may not have looked");
}

#[tokio::test]
async fn what_waits_for_somebody_who_is_here_is_not_looked_at_without_end() {
    let mut two = Two::start().await;
    let _socket = two.alice.socket().await;
    // More than one run takes.
    for number in 0..12 {
        two.say(&number.to_string()).await;
    }
    // Only when the first has waited for its minute.
    let next = "SELECT due_at > now() + interval '20 seconds' FROM jobs WHERE kind = 'push_device'";
    two.server.database.until(next, "t").await;
    assert!(two.is_silent().await);
    two.server.clock.advance(TimeDelta::minutes(1));
    let mut pushed = BTreeSet::new();
    for _ in 0..12 {
        pushed.insert(two.next().await["body"].as_str().unwrap().to_owned());
    }
    assert_eq!(pushed.len(), 12);
    assert!(two.is_silent().await);
}

#[tokio::test]
async fn a_device_that_its_service_does_not_know_is_dropped() {
    for status in [404, 410] {
        let mut two = Two::start().await;
        two.service.answer(&two.browser, status, &[]);
        two.say("Hi").await;
        two.next().await;
        two.rest().await;
        assert!(devices_of(&two.alice).await.is_empty(), "{status}");
        two.say("Hi").await;
        assert!(two.is_silent().await);
    }
}

#[tokio::test]
async fn what_a_service_cannot_take_now_it_gets_later() {
    let mut two = Two::start().await;
    two.service.answer(&two.browser, 429, &[("retry-after", "600".to_owned())]);
    two.say("One").await;
    let first = two.next().await;
    two.rest().await;
    // It asked for time, and gets it whatever comes.
    two.say("Two").await;
    assert!(two.is_silent().await);
    two.service.answer(&two.browser, 503, &[]);
    two.server.clock.advance(TimeDelta::minutes(9));
    assert!(two.is_silent().await);
    two.server.clock.advance(TimeDelta::minutes(2));
    assert_eq!(two.next().await["id"], first["id"]);
    two.rest().await;
    two.service.answer(&two.browser, 201, &[]);
    assert!(two.is_silent().await);
    two.server.clock.advance(TimeDelta::hours(2));
    assert_eq!((two.next().await["body"].clone(), two.next().await["body"].clone()), (json!("One"), json!("Two")));
    assert!(two.is_silent().await);
    assert_eq!(two.server.database.count("SELECT count(*) FROM push_devices WHERE failing_since IS NOT NULL").await, 0);

    // One that has not answered for a week is forgotten.
    two.service.answer(&two.browser, 500, &[]);
    let bob = Actor::log_in(two.server.address, "bob").await;
    bob.say(&two.direct, "Three").await;
    two.next().await;
    two.rest().await;
    two.server.clock.advance(TimeDelta::days(8));
    Actor::log_in(two.server.address, "bob").await.say(&two.direct, "Four").await;
    two.next().await;
    two.rest().await;
    assert_eq!(two.server.database.count("SELECT count(*) FROM push_devices").await, 0);
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again() {
    let mut two = Two::start().await;
    two.service.answer(&two.browser, 413, &[]);
    two.say("One").await;
    two.next().await;
    two.rest().await;
    two.service.answer(&two.browser, 201, &[]);
    two.server.clock.advance(TimeDelta::minutes(5));
    two.say("Two").await;
    assert_eq!(two.next().await["body"], "Two");
    // It was not shown, so it is not taken back.
    let second = two.alice.query("{ viewer { notifications(first: 1) { nodes { id } } } }").await.data("viewer");
    two.read().await;
    assert_eq!(two.next().await["dismiss"], json!([second["notifications"]["nodes"][0]["id"]]));
    assert_eq!(devices_of(&two.alice).await.len(), 1);
}

#[tokio::test]
async fn a_service_that_hangs_holds_up_nobody_else() {
    let mut two = Two::start().await;
    // More of them than jobs run at once that do not wait.
    for name in ["mallory", "oscar"] {
        let mallory = two.server.register(name).await;
        for _ in 0..8 {
            let hangs = two.service.browser();
            two.service.fall_silent(&hangs);
            subscribe(&mallory, &hangs).await.data("registerPushDevice");
        }
        let direct = two.bob.direct_with(&[&mallory]).await;
        two.bob.say(&direct, "Hi").await;
        for _ in 0..8 {
            two.service.next().await;
        }
    }
    let asked = tokio::time::Instant::now();
    two.say("Hi").await;
    assert_eq!(two.next().await["body"], "Hi");
    assert!(asked.elapsed() < std::time::Duration::from_secs(5), "{:?}", asked.elapsed());
}
