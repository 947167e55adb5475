//! Mails to those who are away: what is still unread, several in one, and no more of them than anybody wants.

use chrono::{TimeDelta, Timelike};
use serde_json::{Value, json};

use crate::harness::{Actor, MailServer, TestServer};

/// Two people with proven addresses, and what takes their mails.
struct World {
    server: TestServer,
    mails: MailServer,
    alice: Actor,
    /// A conversation of the two.
    direct: String,
}

impl World {
    async fn new() -> Self {
        let mails = MailServer::start().await;
        let url = mails.url();
        let server = TestServer::start_with(|config| {
            config.mail.smtp_url = Some(url);
            config.mail.from = Some("chat@example.org".into());
            config.http.public_url = "https://chat.example.org".into();
        })
        .await;
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        for person in [&alice, &bob] {
            person.prove_address(&mails).await;
        }
        server.database.until("SELECT count(*) FROM jobs WHERE kind = 'mail'", "0").await;
        mails.forget();
        let direct = bob.direct_with(&[&alice]).await;
        Self { server, mails, alice, direct }
    }

    async fn bob_writes(&self, content: &str) -> Value {
        // His token is good for a quarter of an hour.
        Actor::log_in(self.server.address, "bob").await.say(&self.direct, content).await
    }

    async fn alice_again(&self) -> Actor {
        Actor::log_in(self.server.address, "alice").await
    }

    /// Lets time pass, and waits until all that is due by then has been done.
    async fn pass(&self, minutes: i64) {
        let database = &self.server.database;
        database.until("SELECT count(*) FROM jobs WHERE kind = 'digests.look' AND lease IS NULL", "1").await;
        self.server.clock.advance(TimeDelta::minutes(minutes));
        let now = self.server.clock.now();
        database.until(&format!("SELECT min(due_at) > '{now}' FROM jobs WHERE kind = 'digests.look'"), "t").await;
        let due = format!(
            "SELECT count(*) FROM jobs WHERE kind IN ('digests.look', 'digests.mail', 'mail')
             AND (lease IS NOT NULL OR due_at <= '{now}')"
        );
        database.until(&due, "0").await;
    }

    fn count(&self) -> usize {
        self.mails.taken().len()
    }
}

#[tokio::test]
async fn who_is_away_is_mailed_what_waits_in_one_mail_and_never_twice() {
    let world = World::new().await;
    world.bob_writes("Are you <b>there</b>?").await;
    world.bob_writes("It is about the cake").await;
    world.pass(5).await;
    assert_eq!(world.count(), 0, "she may come back");
    world.pass(6).await;
    let mail = world.mails.mail(1).await;
    assert_eq!(mail.to, ["alice@example.org"]);
    assert_eq!(mail.read().subject(), Some("2 notifications"));
    let (text, html) = (mail.text(), mail.html());
    assert_eq!(text.matches("bob wrote to you").count(), 2, "{text}");
    assert!(text.contains("> Are you <b>there</b>?") && text.contains("> It is about the cake"), "{text}");
    assert!(text.contains("https://chat.example.org\n"), "{text}");
    assert!(html.contains("&lt;b&gt;there") && !html.contains("<b>"), "{html}");
    assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));

    world.pass(5).await;
    world.pass(120).await;
    assert_eq!(world.count(), 1, "it is still unread, and she knows");
    world.bob_writes("And the candles").await;
    world.pass(12).await;
    let second = world.mails.mail(2).await;
    assert_eq!(second.read().subject(), Some("bob wrote to you"));
    assert!(second.text().contains("candles") && !second.text().contains("cake"), "{}", second.text());
    assert_ne!(second.header("Message-ID"), mail.header("Message-ID"));
}

#[tokio::test]
async fn mails_to_one_person_are_an_hour_apart() {
    let world = World::new().await;
    world.bob_writes("one").await;
    world.pass(12).await;
    world.bob_writes("two").await;
    world.pass(12).await;
    world.bob_writes("three").await;
    world.pass(30).await;
    assert_eq!(world.count(), 1);
    world.pass(20).await;
    let text = world.mails.mail(2).await.text();
    assert!(text.contains("two") && text.contains("three") && !text.contains("one"), "{text}");
    assert_eq!(world.count(), 2);
}

#[tokio::test]
async fn what_was_read_meanwhile_is_not_mailed() {
    let world = World::new().await;
    let said = world.bob_writes("seen").await;
    let read = "mutation ($input: MarkConversationReadInput!) { markConversationRead(input: $input) { viewerState { unreadCount } } }";
    let input = json!({ "conversationId": world.direct, "seq": said["seq"] });
    world.alice.ask(read, json!({ "input": input })).await.data("markConversationRead");
    world.bob_writes("not seen").await;
    world.pass(12).await;
    let mail = world.mails.mail(1).await;
    assert!(mail.text().contains("not seen") && !mail.text().contains("> seen"), "{}", mail.text());
}

#[tokio::test]
async fn an_address_that_nobody_has_proven_gets_nothing() {
    let world = World::new().await;
    world
        .server
        .database
        .execute("UPDATE accounts SET email_verified_at = NULL WHERE email = 'alice@example.org'")
        .await;
    world.bob_writes("Are you there?").await;
    world.pass(12).await;
    assert_eq!(world.count(), 0);
    // Nor the one who comes to it between the look and the mail.
    world.server.database.execute("UPDATE accounts SET email_verified_at = created_at").await;
    world.bob_writes("Now?").await;
    world.pass(12).await;
    assert_eq!(world.mails.mail(1).await.to, ["alice@example.org"]);
}

#[tokio::test]
async fn who_is_here_is_mailed_when_they_have_left() {
    let world = World::new().await;
    let socket = world.alice.socket().await;
    world.bob_writes("Are you there?").await;
    world.pass(12).await;
    world.pass(12).await;
    assert_eq!(world.count(), 0);
    drop(socket);
    let presences = &world.server.app.realtime.presences;
    crate::toy::until(|| presences.departing().is_empty()).await;
    // Half a minute until she has left, then until she cannot be at another server.
    for _ in 0..4 {
        world.pass(6).await;
    }
    assert_eq!(world.count(), 1);
}

#[tokio::test]
async fn preferences_say_whether_and_how_much_is_mailed() {
    let world = World::new().await;
    world.alice.prefer(json!({ "notifications": { "showsPreviews": false } })).await;
    world.bob_writes("a secret").await;
    world.pass(12).await;
    let mail = world.mails.mail(1).await;
    assert!(mail.text().contains("bob wrote to you"), "{}", mail.text());
    assert!(!String::from_utf8_lossy(&mail.bytes).contains("secret"));

    world.alice_again().await.prefer(json!({ "notifications": { "isEmailEnabled": false } })).await;
    world.bob_writes("more").await;
    world.pass(90).await;
    world.pass(12).await;
    assert_eq!(world.count(), 1);
}

#[tokio::test]
async fn quiet_hours_hold_back_what_is_not_urgent() {
    let world = World::new().await;
    let hours = |from: i64, to: i64| {
        let time = |minutes| {
            let at = world.server.clock.now() + TimeDelta::minutes(minutes);
            format!("{:02}:{:02}", at.hour(), at.minute())
        };
        json!({ "start": time(from), "end": time(to) })
    };
    let quiet = json!({ "quietHours": hours(-5, 300), "urgentWords": ["fire"] });
    world.alice.prefer(json!({ "notifications": quiet })).await;
    world.bob_writes("how are you").await;
    world.pass(12).await;
    world.pass(12).await;
    assert_eq!(world.count(), 0);
    world.bob_writes("fire in the kitchen").await;
    world.pass(12).await;
    let urgent = world.mails.mail(1).await.text();
    assert!(urgent.contains("fire") && urgent.contains("how are you"), "{urgent}");

    world.bob_writes("it is out").await;
    world.pass(90).await;
    assert_eq!(world.count(), 1);
    world.pass(240).await;
    assert!(world.mails.mail(2).await.text().contains("it is out"));
}

#[tokio::test]
async fn two_servers_send_one_mail() {
    let world = World::new().await;
    let (url, from) = (Some(world.mails.url()), Some("chat@example.org".to_owned()));
    let _another = world.server.another_with(|config| (config.mail.smtp_url, config.mail.from) = (url, from)).await;
    for number in 0..5 {
        world.bob_writes(&format!("message {number}")).await;
    }
    world.pass(12).await;
    world.pass(3).await;
    assert_eq!(world.mails.mail(1).await.read().subject(), Some("5 notifications"));
    assert_eq!(world.count(), 1);
}

// The link in each.

/// Address of the link at this server, as it was mailed.
fn link(world: &World, mail: &crate::harness::Taken) -> String {
    let link = mail.header("List-Unsubscribe").unwrap();
    let path =
        link.trim_matches(['<', '>']).strip_prefix("https://chat.example.org").unwrap_or_else(|| panic!("{link}"));
    format!("{}{path}", world.server.url())
}

async fn wants_mails(world: &World) -> Value {
    let query = "{ viewer { preferences { notifications { isEmailEnabled } } } }";
    world.alice_again().await.query(query).await.data("viewer")["preferences"]["notifications"]["isEmailEnabled"]
        .clone()
}

#[tokio::test]
async fn one_press_of_a_button_puts_an_end_to_mails() {
    let world = World::new().await;
    world.bob_writes("Are you there?").await;
    world.pass(12).await;
    let mail = world.mails.mail(1).await;
    let (link, http) = (link(&world, &mail), reqwest::Client::new());
    assert!(mail.text().contains(link.trim_start_matches(&world.server.url())), "the one in the text is the same");

    // What scans mails follows links.
    let page = http.get(&link).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert!(page.text().await.unwrap().contains("<form method=\"post\">"));
    http.head(&link).send().await.unwrap();
    assert_eq!(wants_mails(&world).await, true);

    let done = http.post(&link).header("content-type", "application/x-www-form-urlencoded");
    let done = done.body("List-Unsubscribe=One-Click").send().await.unwrap();
    assert_eq!(done.status(), 200);
    assert_eq!(wants_mails(&world).await, false);
    assert_eq!(http.post(&link).send().await.unwrap().status(), 200, "again is harmless");

    world.bob_writes("And now?").await;
    world.pass(90).await;
    world.pass(12).await;
    assert_eq!(world.count(), 1);
}

#[tokio::test]
async fn nobody_puts_an_end_to_the_mails_of_others() {
    let world = World::new().await;
    world.bob_writes("Are you there?").await;
    world.pass(12).await;
    let good = link(&world, &world.mails.mail(1).await);
    let (address, token) = good.split_once("token=").unwrap();
    let http = reqwest::Client::new();
    let flipped = |at: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let shorter = &token[..token.len() - 4];
    for wrong in ["", "x", shorter, &flipped(3), &flipped(40), &format!("{token}AAAA"), &"A".repeat(64), "%00"] {
        for method in [reqwest::Method::GET, reqwest::Method::POST] {
            let answer = http.request(method, format!("{address}token={wrong}")).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{wrong}");
        }
    }
    assert_eq!(http.post(address).send().await.unwrap().status(), 404);
    assert_eq!(wants_mails(&world).await, true);
}
