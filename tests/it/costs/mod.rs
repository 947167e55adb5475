//! What a client's operations cost: so many SQL statements, however much they show.

mod world;

use serde_json::{Value, json};

use crate::harness::Actor;
use world::World;

/// A page of few, and of many.
const SIZES: [usize; 2] = [2, 50];

#[tokio::test]
async fn reading_costs_the_same_statements_however_much_is_read() {
    for size in SIZES {
        let world = World::of(size).await;
        let World { bob, channel, root, .. } = &world;
        let head = world.head;
        let reads = [
            ("Boot", json!({}), "/viewer/sidebar", 0),
            ("Inbox", json!({ "first": size }), "/viewer/conversations/nodes", 0),
            ("Channels", json!({ "first": size }), "/channels/nodes", 0),
            ("People", json!({ "first": size }), "/users/nodes", 0),
            ("OpenConversation", json!({ "id": channel, "last": size }), "/conversation/messages/edges", 0),
            ("JumpTo", json!({ "id": channel, "anchor": { "seq": head - 4 } }), "/conversation/messagesAround/edges", 0),
            ("JumpTo", json!({ "id": channel, "anchor": { "firstUnread": true } }), "/conversation/messagesAround/edges", 0),
            ("JumpTo", json!({ "id": channel, "anchor": { "messageId": root } }), "/conversation/messagesAround/edges", 0),
            ("ThreadView", json!({ "messageId": root, "last": size }), "/message/thread/replies/edges", 0),
            ("Members", json!({ "id": channel, "first": size }), "/conversation/members/nodes", 0),
            ("CatchUp", json!({ "id": channel, "after": head - size as i64, "first": size }), "/conversation/events/events", 0),
        ];
        for (name, variables, list, _) in reads {
            let mut counts = Vec::new();
            for _ in 0..5 {
                let (statements, data) = world.costs(bob, name, variables.clone()).await;
                counts.push(statements.len());
                if counts.len() == 5 {
                    let rows = data.pointer(list).unwrap_or_else(|| panic!("{data}")).as_array().unwrap().len();
                    println!("== {name} {variables}: {rows} rows, {counts:?}");
                    for sql in statements {
                        println!("      {}", &sql.chars().take(1500).collect::<String>());
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn writing_costs_the_same_statements_however_much_there_is() {
    for size in SIZES {
        let world = World::of(size).await;
        let World { server, alice, bob, channel, root, .. } = &world;
        let carol = server.register("carol").await;
        let people: Vec<String> = (1..=size).map(|n| format!("person-{n}")).collect();
        let _ = people;
        let said = bob.say(channel, "Hi").await["id"].clone();
        let seat = world.seat_of(bob).await;
        let newcomers = world.newcomers(size).await;
        let writes = [
            ("Send", bob, json!({ "conversationId": channel, "clientKey": "key-0001", "content": "Hello" })),
            ("Send", bob, json!({ "conversationId": channel, "clientKey": "key-0001", "content": "Hello" })),
            ("Send", bob, json!({ "conversationId": channel, "clientKey": "key-0002", "content": "Hello", "replyToId": root, "threadRootId": root })),
            ("Send", alice, json!({ "conversationId": channel, "clientKey": "key-0003", "content": format!("<@{}> <@everyone> {}", bob.id, world.mentions(size.min(40)).await) })),
            ("Edit", bob, json!({ "messageId": said, "content": "Hello" })),
            ("Edit", bob, json!({ "messageId": said, "content": format!("Hello <@{}>", alice.id) })),
            ("Delete", bob, json!({ "messageId": said })),
            ("MarkRead", bob, json!({ "conversationId": channel })),
            ("MarkRead", bob, json!({ "conversationId": channel, "seq": 4 })),
            ("Keep", bob, json!({ "conversationId": channel, "isFavorite": true })),
            ("Type", bob, json!({ "conversationId": channel })),
            ("Join", &carol, json!({ "channelId": channel })),
            ("Leave", &carol, json!({ "conversationId": channel })),
            ("Add", alice, json!({ "conversationId": channel, "userIds": newcomers })),
            ("ChangeRole", alice, json!({ "memberId": seat, "role": "MODERATOR" })),
            ("Update", alice, json!({ "channelId": channel, "topic": "Something" })),
            ("Archive", alice, json!({ "channelId": channel })),
            ("Create", alice, json!({ "name": "New", "clientKey": "key-0001", "memberIds": newcomers })),
            ("Remove", alice, json!({ "memberId": seat, "reason": "Spam" })),
            ("Rename", bob, json!({ "displayName": "Robert" })),
            ("Prefer", bob, json!({ "theme": "DARK" })),
            ("SayStatus", bob, json!({ "text": "Away" })),
            ("Block", bob, json!({ "userId": alice.id })),
            ("Unblock", bob, json!({ "userId": alice.id })),
            ("Refresh", bob, json!({ "refreshToken": bob.refresh_token })),
            ("SignOut", bob, json!({})),
        ];
        for (name, who, mut input) in writes {
            let variables = match name { "SignOut" => json!({}), _ => json!({ "input": input.take() }) };
            let (statements, _) = world.costs(who, name, variables.clone()).await;
            println!("== {size} {name} {}: {}", variables.to_string().chars().take(100).collect::<String>(), statements.len());
            for sql in statements {
                println!("      {}", sql.chars().take(250).collect::<String>().replace('\n', " "));
            }
        }
    }
}
