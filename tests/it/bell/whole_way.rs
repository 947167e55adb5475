//! Each cause, all the way: live in the app, to a browser of somebody who has closed it, and by mail to whoever stays away.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::{FOLLOW, ROLE, at, bell, keep, quote, react, reply};
use crate::harness::{Actor, Browser, MailServer, PushService, TestServer};
use crate::push::subscribe;
use crate::viewer_events::client::Client;

/// Who hears of what: each is named after what happens to them, and only that.
const CAUSES: [(&str, &str); 8] = [
    ("mention", "bob mentioned you in #lounge"),
    ("reply", "bob replied to you in #lounge"),
    ("thread_reply", "bob replied in a thread in #lounge"),
    ("direct_message", "bob wrote to you"),
    ("reaction", "bob reacted 🎉 to your message in #lounge"),
    ("added", "bob added you to #cellar"),
    ("role_changed", "bob made you a moderator of #lounge"),
    // The last one: they are told of whatever is written from then on.
    ("message", "bob wrote in #lounge"),
];

/// Bob does to somebody what they are named after.
async fn happen(bob: &Actor, lounge: &str, whom: &Actor) {
    match whom.name.as_str() {
        "mention" => drop(bob.say(lounge, &at(whom)).await),
        "reply" => drop(quote(bob, lounge, &whom.say(lounge, "Lunch?").await, "Yes").await),
        "thread_reply" => {
            let root = whom.say(lounge, "Dinner?").await;
            whom.ask(FOLLOW, json!({ "id": root["id"] })).await.data("followThread");
            reply(bob, lounge, &root, "No").await;
        }
        "direct_message" => drop(bob.say(&bob.direct_with(&[whom]).await, "Hi").await),
        "message" => {
            keep(whom, lounge, json!({ "notificationLevel": "ALL" })).await;
            bob.say(lounge, "Hello").await;
        }
        "reaction" => react(bob, &whom.say(lounge, "Done").await, "🎉").await,
        "added" => drop(bob.private_channel("cellar", &[whom]).await),
        "role_changed" => {
            let seat = bob.seat_of(lounge, whom).await;
            bob.ask(ROLE, json!({ "id": seat, "role": "MODERATOR" })).await.data("updateConversationMember");
        }
        cause => unreachable!("{cause}"),
    }
}

#[tokio::test]
async fn whatever_happens_reaches_people_live_and_by_push_and_by_mail() {
    let (mut service, mails) = (PushService::start().await, MailServer::start().await);
    let (allowed, url) = (service.allowed(), mails.url());
    let server = TestServer::start_with(|config| {
        allowed(config);
        config.mail.smtp_url = Some(url);
        config.mail.from = Some("chat@example.org".into());
        config.http.public_url = "https://chat.example.org".into();
    })
    .await;
    let bob = server.register("bob").await;
    let lounge = bob.public_channel("lounge").await;
    let people: Vec<(Actor, Browser, Client)> = join_all(CAUSES.map(async |(name, _)| {
        let (person, browser) = (server.register(name).await, service.browser());
        person.join(&lounge).await;
        subscribe(&person, &browser).await.data("registerPushDevice");
        let client = Client::start(&person).await;
        (person, browser, client)
    }))
    .await;
    for (person, ..) in &people {
        person.prove_address(&mails).await;
    }
    server.database.until("SELECT count(*) FROM jobs WHERE kind = 'mail'", "0").await;
    mails.forget();
    for (person, ..) in &people {
        happen(&bob, &lounge, person).await;
    }

    // Live, and nobody is told of anything else.
    let mut told = BTreeMap::new();
    for ((person, browser, mut client), (name, title)) in people.into_iter().zip(CAUSES) {
        client.until("NotificationAddedEvent").await;
        client.converge(&person).await;
        let rung = bell(&person).await;
        let words: Vec<_> =
            rung.iter().map(|one| (one["kind"].as_str().unwrap(), one["title"].as_str().unwrap())).collect();
        assert_eq!(words, [(name.to_uppercase().as_str(), title)]);
        assert!(client.kept.bell.contains_key(rung[0]["id"].as_str().unwrap()), "{name}");
        told.insert(browser.path.clone(), (browser, rung[0]["id"].clone(), title));
    }

    // Whoever was here has had time to read it in the app. By now their sockets are closed.
    assert!(service.is_empty());
    server.clock.advance(TimeDelta::minutes(2));
    for _ in CAUSES {
        let pushed = service.next().await;
        let (browser, id, title) = told.remove(&pushed.path).expect("each is told once");
        let shown = browser.read(&pushed);
        assert_eq!((&shown["id"], &shown["title"]), (&id, &json!(title)));
    }

    // Nor have they come back.
    let look = "SELECT count(*) FROM jobs WHERE kind = 'digests.look' AND lease IS NULL";
    for _ in 0..2 {
        server.database.until(look, "1").await;
        server.clock.advance(TimeDelta::minutes(6));
    }
    mails.mail(CAUSES.len()).await;
    let mails: HashMap<_, _> = mails.taken().into_iter().map(|mail| (mail.to[0].clone(), mail)).collect();
    for (name, title) in CAUSES {
        let mail = &mails[&format!("{name}@example.org")];
        assert!(mail.text().contains(title), "{name}: {}", mail.text());
    }
}
