//! Reacting to messages.

use std::collections::HashMap;

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer};

const ADD: &str = "mutation($id: ID!, $emoji: String!) { addReaction(input: { messageId: $id, emoji: $emoji }) {
    seq message { id viewerReactions reactions { emoji count } } } }";
const REMOVE: &str = "mutation($id: ID!, $emoji: String!) { removeReaction(input: { messageId: $id, emoji: $emoji }) {
    seq message { id viewerReactions reactions { emoji count } } } }";
const SHOWN: &str = "query($id: ID!) { message(id: $id) { viewerReactions reactions { emoji count } } }";
const REACTORS: &str =
    "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { message(id: $id) { reactions { emoji
    reactors(first: $first, after: $after, last: $last, before: $before) {
        edges { cursor reactedAt node { username } } nodes { username }
        pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } } }";
const DELETE: &str = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) {
    message { viewerReactions reactions { emoji } } } }";

async fn add(who: &Actor, message: &Value, emoji: &str) -> Answer {
    who.ask(ADD, json!({ "id": message["id"], "emoji": emoji })).await
}

async fn remove(who: &Actor, message: &Value, emoji: &str) -> Answer {
    who.ask(REMOVE, json!({ "id": message["id"], "emoji": emoji })).await
}

/// The emoji with their counts, and those of the one who asks.
async fn shown(to: &Actor, message: &Value) -> (Vec<(String, i64)>, Vec<String>) {
    let message = to.ask(SHOWN, json!({ "id": message["id"] })).await.data("message");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let groups = message["reactions"].as_array().unwrap().iter();
    let groups = groups.map(|group| (text(&group["emoji"]), group["count"].as_i64().unwrap()));
    (groups.collect(), message["viewerReactions"].as_array().unwrap().iter().map(text).collect())
}

fn counts(of: &[(&str, i64)]) -> Vec<(String, i64)> {
    of.iter().map(|(emoji, count)| ((*emoji).to_owned(), *count)).collect()
}

#[tokio::test]
async fn people_react_in_the_order_of_first_use_and_take_it_back() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let message = alice.say(&channel, "Lunch?").await;
    let mut socket = alice.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;

    let added = add(&bob, &message, "🍕").await.data("addReaction");
    assert_eq!(added["message"]["reactions"], json!([{ "emoji": "🍕", "count": 1 }]));
    assert_eq!(added["message"]["viewerReactions"], json!(["🍕"]));
    let batch = log.batch().await;
    assert_eq!(batch["seq"], added["seq"]);
    let event = &batch["events"][0];
    assert_eq!((&event["__typename"], &event["emoji"]), (&json!("ReactionAddedEvent"), &json!("🍕")));
    assert_eq!((&event["actor"]["username"], &event["message"]["id"]), (&json!("bob"), &message["id"]));
    assert_eq!(event["message"]["reactions"], json!([{ "emoji": "🍕", "count": 1 }]));

    add(&alice, &message, "👍").await.data("addReaction");
    add(&alice, &message, "🍕").await.data("addReaction");
    assert_eq!(shown(&bob, &message).await, (counts(&[("🍕", 2), ("👍", 1)]), vec!["🍕".into()]));
    assert_eq!(shown(&alice, &message).await.1, ["👍", "🍕"]);

    // Whoever used it first may go: it has been there for longest.
    let removed = remove(&bob, &message, "🍕").await.data("removeReaction");
    assert_eq!(removed["message"]["reactions"], json!([{ "emoji": "🍕", "count": 1 }, { "emoji": "👍", "count": 1 }]));
    assert_eq!(removed["message"]["viewerReactions"], json!([]));
    let events = log.events_until(removed["seq"].as_i64().unwrap()).await;
    let event = events.last().unwrap();
    assert_eq!((&event["__typename"], &event["emoji"]), (&json!("ReactionRemovedEvent"), &json!("🍕")));
    assert_eq!((&event["actor"]["username"], &event["user"]["username"]), (&json!("bob"), &json!("bob")));
    // What nobody uses any more begins anew.
    remove(&alice, &message, "🍕").await.data("removeReaction");
    add(&bob, &message, "🍕").await.data("addReaction");
    assert_eq!(shown(&bob, &message).await.0, counts(&[("👍", 1), ("🍕", 1)]));
}

#[tokio::test]
async fn doing_it_again_changes_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let message = alice.say(&channel, "Hi").await;
    let first = add(&bob, &message, "❤").await.data("addReaction");
    let before = server.database.contents().await;
    // With and without the selector it is the same one.
    for emoji in ["❤", "❤\u{fe0f}", " ❤ "] {
        assert_eq!(add(&bob, &message, emoji).await.data("addReaction"), first, "{emoji:?}");
    }
    assert_eq!(first["message"]["reactions"][0]["emoji"], "❤\u{fe0f}");
    // Of others, and of other emoji, there is nothing to take back.
    let removed = remove(&bob, &message, "👍").await.data("removeReaction");
    assert_eq!((&removed["seq"], &removed["message"]), (&first["seq"], &first["message"]));
    remove(&alice, &message, "❤").await.data("removeReaction");
    assert_eq!(server.database.contents().await, before);
    remove(&bob, &message, "❤").await.data("removeReaction");
    assert_eq!(shown(&bob, &message).await, (vec![], vec![]));
    assert_eq!(server.database.count("SELECT count(*) FROM reactions").await, 0);
}

#[tokio::test]
async fn a_message_has_fifty_different_emoji_and_no_more() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let message = alice.say(&channel, "Hi").await;
    let faces: Vec<&str> = emojis::iter().map(emojis::Emoji::as_str).take(60).collect();
    // Of those who come at once, as many as there is room for.
    let answers = join_all(faces.iter().map(|face| add(&bob, &message, face))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.0.get("errors").is_some()).collect();
    assert_eq!(refused.len(), 10);
    for answer in refused {
        assert_eq!(answer.code(), "FAILED_PRECONDITION");
        assert_eq!(answer.0["errors"][0]["extensions"]["reason"], "TOO_MANY");
    }
    let (groups, own) = shown(&bob, &message).await;
    assert_eq!((groups.len(), own.len()), (50, 50));
    // In the order in which they came.
    assert_eq!(groups.iter().map(|(emoji, _)| emoji.clone()).collect::<Vec<_>>(), own);
    let another = faces.iter().find(|face| !own.iter().any(|own| own == *face)).unwrap();
    let before = server.database.contents().await;
    assert_eq!(add(&alice, &message, another).await.code(), "FAILED_PRECONDITION");
    assert_eq!(server.database.contents().await, before);
    // One that is there is open to all; where one has gone, there is room.
    add(&alice, &message, &own[7]).await.data("addReaction");
    remove(&bob, &message, &own[3]).await.data("removeReaction");
    add(&alice, &message, another).await.data("addReaction");
    let (groups, _) = shown(&alice, &message).await;
    assert_eq!((groups.len(), groups[6].clone()), (50, (own[7].clone(), 2)));
    assert_eq!(groups.last().unwrap(), &((*another).to_owned(), 1));
    // The others of the conversation have their own fifty.
    let other = alice.say(&channel, "Hi").await;
    add(&alice, &other, another).await.data("addReaction");
}

#[tokio::test]
async fn those_who_reacted_are_listed_in_pages_first_one_first() {
    let server = TestServer::start().await;
    let names = ["alice", "bob", "carol", "dave", "erin"];
    let mut people = Vec::new();
    for name in names {
        people.push(server.register(name).await);
    }
    let channel = people[0].public_channel("Anywhere").await;
    for person in &people[1..] {
        person.join(&channel).await;
    }
    let message = people[0].say(&channel, "Hi").await;
    for person in people.iter().rev() {
        add(person, &message, "👍").await.data("addReaction");
        add(person, &message, "🎉").await.data("addReaction");
        // Times stand still, or run backwards: the order stays.
        server.clock.advance(chrono::TimeDelta::minutes(-1));
    }
    let page = async |emoji: usize, arguments: Value| {
        let mut variables = arguments;
        variables["id"] = message["id"].clone();
        let answer = people[0].ask(REACTORS, variables).await;
        answer.data("message")["reactions"][emoji]["reactors"].clone()
    };
    let named = |page: &Value| {
        let edges = page["edges"].as_array().unwrap().iter();
        let names: Vec<_> = edges.map(|edge| edge["node"]["username"].as_str().unwrap().to_owned()).collect();
        assert_eq!(page["nodes"].as_array().unwrap().len(), names.len());
        names.join(" ")
    };
    let all = page(1, json!({})).await;
    assert_eq!(named(&all), "erin dave carol bob alice");
    assert!(all["edges"].as_array().unwrap().iter().all(|edge| edge["reactedAt"].is_string()));
    let first = page(0, json!({ "first": 2 })).await;
    assert_eq!(named(&first), "erin dave");
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let last = page(0, json!({ "last": 2 })).await;
    assert_eq!((named(&last), &last["pageInfo"]["hasPreviousPage"]), ("bob alice".to_owned(), &json!(true)));
    // A cursor goes on in its own list alone: here are two.
    let cursor = first["pageInfo"]["endCursor"].clone();
    let mixed = people[0].ask(REACTORS, json!({ "id": message["id"], "after": cursor })).await;
    assert_eq!(mixed.wrong_fields(), ["after BAD_FORMAT"]);
    for person in &people {
        remove(person, &message, "🎉").await.data("removeReaction");
    }
    let next = page(0, json!({ "first": 2, "after": cursor })).await;
    assert_eq!((named(&next), &next["pageInfo"]["hasNextPage"]), ("carol bob".to_owned(), &json!(true)));
    let between = json!({ "last": 9, "after": cursor, "before": last["pageInfo"]["endCursor"] });
    assert_eq!(named(&page(0, between).await), "carol bob");
    // Who has left has reacted all the same.
    people[4].leave(&channel).await;
    assert_eq!(named(&page(0, json!({ "first": 1 })).await), "erin");
}

#[tokio::test]
async fn a_deleted_message_has_no_reactions_and_gets_none() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let message = alice.say(&channel, "Hi").await;
    let kept = alice.say(&channel, "Hi").await;
    for message in [&message, &kept] {
        add(&bob, message, "👍").await.data("addReaction");
    }
    let deleted = alice.ask(DELETE, json!({ "id": message["id"] })).await.data("deleteMessage");
    assert_eq!(deleted["message"], json!({ "viewerReactions": [], "reactions": [] }));
    assert_eq!(shown(&bob, &message).await, (vec![], vec![]));
    assert_eq!(shown(&bob, &kept).await.0, counts(&[("👍", 1)]));
    // A replay shows what is left of it.
    let mut socket = bob.socket().await;
    let events = socket.follow(&channel, Some(message["seq"].as_i64().unwrap())).events_until(6).await;
    let event = events.iter().find(|event| event["__typename"] == "ReactionAddedEvent").unwrap();
    assert_eq!((&event["message"]["id"], &event["message"]["reactions"]), (&message["id"], &json!([])));
    let before = server.database.contents().await;
    let refused = add(&bob, &message, "👍").await;
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "DELETED");
    remove(&bob, &message, "👍").await.data("removeReaction");
    assert_eq!(server.database.contents().await, before);
    assert_eq!(server.database.count("SELECT count(*) FROM reactions").await, 1);
}

#[tokio::test]
async fn nobody_reacts_where_they_do_not_write() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    let message = alice.say(&channel, "Hi").await;
    // A reader of a public channel sees what they cannot do.
    assert_eq!(add(&bob, &message, "👍").await.code(), "FORBIDDEN");
    bob.join(&channel).await;
    add(&bob, &message, "👍").await.data("addReaction");
    bob.leave(&channel).await;
    for answer in [add(&bob, &message, "🎉").await, remove(&bob, &message, "👍").await] {
        assert_eq!(answer.code(), "FORBIDDEN");
    }
    assert_eq!(shown(&bob, &message).await, (counts(&[("👍", 1)]), vec!["👍".into()]));
    let close = format!("mutation {{ archiveChannel(input: {{ channelId: {channel:?} }}) {{ channel {{ id }} }} }}");
    alice.query(&close).await.data("archiveChannel");
    for answer in [add(&alice, &message, "👍").await, remove(&alice, &message, "👍").await] {
        assert_eq!(answer.code(), "ARCHIVED");
    }
}

#[tokio::test]
async fn whatever_people_do_at_once_the_counts_are_those_of_the_log() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let server = TestServer::start().await;
    let mut people = Vec::new();
    for name in ["alice", "bob", "carol", "dave"] {
        people.push(server.register(name).await);
    }
    let channel = people[0].public_channel("Anywhere").await;
    for person in &people[1..] {
        person.join(&channel).await;
    }
    let messages = [people[0].say(&channel, "one").await, people[1].say(&channel, "two").await];
    let before = messages[1]["seq"].as_i64().unwrap();
    let faces = ["👍", "🎉", "❤\u{fe0f}"];
    for _ in 0..6 {
        let deeds: Vec<_> = (0..24)
            .map(|_| {
                let person = people.choose(&mut chance).unwrap();
                let ask = if chance.random_bool(0.6) { ADD } else { REMOVE };
                let (message, face) = (messages.choose(&mut chance).unwrap(), faces.choose(&mut chance).unwrap());
                person.ask(ask, json!({ "id": message["id"], "emoji": face }))
            })
            .collect();
        for answer in join_all(deeds).await {
            assert!(answer.0.get("errors").is_none(), "{}", answer.0);
        }
    }
    // The log as it tells it: never twice the same, nothing taken back that was not there.
    let head = people[0].say(&channel, "the end").await["seq"].as_i64().unwrap();
    let mut socket = people[0].socket().await;
    let mut told = HashMap::<String, Vec<(String, Vec<String>)>>::new();
    for event in socket.follow(&channel, Some(before)).events_until(head - 1).await {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        if event["__typename"] == "MessageSentEvent" {
            continue;
        }
        let groups = told.entry(text(&event["message"]["id"])).or_default();
        let (who, emoji) = (text(&event["actor"]["username"]), text(&event["emoji"]));
        let group = groups.iter().position(|group| group.0 == emoji);
        match (event["__typename"].as_str().unwrap(), group) {
            ("ReactionAddedEvent", None) => groups.push((emoji, vec![who])),
            ("ReactionAddedEvent", Some(group)) => {
                assert!(!groups[group].1.contains(&who), "{event}");
                groups[group].1.push(who);
            }
            ("ReactionRemovedEvent", Some(group)) => {
                let place = groups[group].1.iter().position(|name| *name == who).unwrap_or_else(|| panic!("{event}"));
                groups[group].1.remove(place);
                groups.retain(|group| !group.1.is_empty());
            }
            _ => panic!("{event}"),
        }
    }
    for message in &messages {
        let groups = &told[message["id"].as_str().unwrap()];
        let expected: Vec<_> = groups.iter().map(|(emoji, who)| (emoji.clone(), who.len() as i64)).collect();
        let found = people[0].ask(REACTORS, json!({ "id": message["id"], "first": 9 })).await.data("message");
        assert_eq!(shown(&people[0], message).await.0, expected);
        for (group, (emoji, who)) in found["reactions"].as_array().unwrap().iter().zip(groups) {
            assert_eq!(group["emoji"], **emoji);
            let nodes = group["reactors"]["nodes"].as_array().unwrap().iter();
            assert_eq!(nodes.map(|node| node["username"].as_str().unwrap()).collect::<Vec<_>>(), *who);
        }
    }
}

#[tokio::test]
async fn a_page_with_all_that_people_add_costs_the_same_statements_however_long_it_is() {
    let server = TestServer::start().await;
    let people = [server.register("alice").await, server.register("bob").await];
    let channel = people[0].public_channel("Anywhere").await;
    people[1].join(&channel).await;
    for number in 0..50 {
        let message = people[0].say(&channel, "Hi").await;
        for (person, emoji) in [(&people[0], "👍"), (&people[1], "👍"), (&people[1], "🎉")] {
            add(person, &message, emoji).await.data("addReaction");
        }
        if number % 5 == 4 {
            let pin =
                format!("mutation {{ pinMessage(input: {{ messageId: {} }}) {{ message {{ id }} }} }}", message["id"]);
            people[0].query(&pin).await.data("pinMessage");
        }
    }
    let query =
        "query($id: ID!, $last: Int!) { conversation(id: $id) { messages(last: $last) { nodes { id viewerReactions
        viewerPermissions { canEdit canDelete canPin canReact canReply }
        reactions { emoji count reactors(first: 2) { edges { reactedAt node { id } } } }
        pin { pinnedAt pinnedBy { username } } } } } }";
    // Sight, the conversation, the page; the viewer's reactions, where the authors stand, the pins, all reactions; who
    // pinned, who reacted, and those of them who were not looked up yet.
    for last in [2, 50] {
        let ask = people[1].ask(query, json!({ "id": channel, "last": last }));
        let (statements, answer) = server.statements(ask).await;
        let messages = answer.data("conversation")["messages"]["nodes"].as_array().unwrap().clone();
        assert_eq!(messages.len(), last);
        for message in messages {
            assert_eq!(message["viewerReactions"], json!(["👍", "🎉"]));
            assert_eq!(message["reactions"][0]["reactors"]["edges"].as_array().unwrap().len(), 2);
        }
        assert!(statements.len() <= 10, "{statements:#?}");
    }
}
