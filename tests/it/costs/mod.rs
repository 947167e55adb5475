//! What a client's operations cost: so many SQL statements, however much they show.

mod world;

use serde_json::json;

use world::World;

/// A page of few, and of many.
const SIZES: [usize; 2] = [2, 50];

/// At most as many as stand here: where look-ups of one kind come from two depths of a document at the same moment, they
/// are one statement, else two.
#[tokio::test]
async fn reading_costs_the_same_statements_however_much_is_read() {
    for size in SIZES {
        let world = World::of(size).await;
        let World { bob, channel, root, .. } = &world;
        let head = world.head;
        let (_, booted) = world.costs(bob, "Boot", json!({})).await;
        let sidebar = booted["viewer"]["sidebar"].as_array().unwrap().iter();
        let positions: Vec<_> = sidebar
            .map(|state| json!({ "conversationId": state["conversation"]["id"], "after": 0 }))
            .take(size)
            .collect();
        // Everything has changed since.
        world.server.database.execute("UPDATE conversations SET version = version").await;
        let mine = json!({ "after": booted["viewer"]["eventsCursor"], "first": size });
        let reads = [
            ("Boot", json!({}), "/viewer/sidebar", 14),
            ("Mine", mine, "/viewer/events/events", 7),
            ("Offline", json!({ "positions": positions, "first": 1 }), "/conversationEventsSince", 10),
            ("Inbox", json!({ "first": size }), "/viewer/conversations/nodes", 4),
            ("Channels", json!({ "first": size }), "/channels/nodes", 3),
            ("People", json!({ "first": size }), "/users/nodes", 3),
            ("OpenConversation", json!({ "id": channel, "last": size }), "/conversation/messages/edges", 18),
            (
                "JumpTo",
                json!({ "id": channel, "anchor": { "seq": head - 4 } }),
                "/conversation/messagesAround/edges",
                15,
            ),
            (
                "JumpTo",
                json!({ "id": channel, "anchor": { "firstUnread": true } }),
                "/conversation/messagesAround/edges",
                15,
            ),
            (
                "JumpTo",
                json!({ "id": channel, "anchor": { "messageId": root } }),
                "/conversation/messagesAround/edges",
                15,
            ),
            ("ThreadView", json!({ "messageId": root, "last": size }), "/message/thread/replies/edges", 19),
            ("Threads", json!({ "id": channel, "first": size }), "/conversation/threads/nodes", 15),
            ("Followed", json!({ "first": size }), "/viewer/threads/nodes", 15),
            ("Mentions", json!({ "first": size }), "/viewer/mentions/edges", 11),
            ("Bell", json!({ "first": size }), "/viewer/notifications/edges", 9),
            ("Members", json!({ "id": channel, "first": size }), "/conversation/members/nodes", 5),
            (
                "CatchUp",
                json!({ "id": channel, "after": head - size as i64, "first": size }),
                "/conversation/events/events",
                9,
            ),
        ];
        for (name, variables, list, most) in reads {
            let (statements, data) = world.costs(bob, name, variables.clone()).await;
            let rows = data.pointer(list).unwrap_or_else(|| panic!("{data}")).as_array().unwrap().len();
            assert!(rows >= size / 2, "{name} {variables} shows {rows}");
            assert!(statements.len() <= most, "{name} {variables} costs {}: {statements:#?}", statements.len());
        }
    }
}

#[tokio::test]
async fn writing_costs_the_same_statements_however_much_there_is() {
    for size in SIZES {
        let world = World::of(size).await;
        let World { server, alice, bob, channel, root, .. } = &world;
        let carol = server.register("carol").await;
        let said = bob.say(channel, "Hi").await["id"].clone();
        let bell = bob.query("{ viewer { notifications(first: 100) { nodes { id } } } }").await.data("viewer");
        let ids = bell["notifications"]["nodes"].as_array().unwrap().iter().map(|one| &one["id"]).take(size);
        let ids: Vec<_> = ids.collect();
        let seat = world.seat_of(bob).await;
        let newcomers = world.newcomers(size).await;
        let many = format!("<@{}> <@everyone> {}", bob.id, world.mentions(size.min(40)).await);
        let send =
            |key: &str, content: &str| json!({ "conversationId": channel, "clientKey": key, "content": content });
        let reply = json!({ "conversationId": channel, "clientKey": "key-0002", "content": "Hello", "replyToId": root,
            "threadRootId": root });
        let writes = [
            ("Send", bob, send("key-0001", "Hello"), 10),
            // Again: what was sent is found.
            ("Send", bob, send("key-0001", "Hello"), 6),
            ("Send", bob, reply, 16),
            ("Send", alice, send("key-0003", &many), 17),
            ("Edit", bob, json!({ "messageId": said, "content": "Hello" }), 11),
            ("Edit", bob, json!({ "messageId": said, "content": format!("Hello <@{}>", alice.id) }), 18),
            ("Delete", bob, json!({ "messageId": said }), 18),
            ("MarkRead", bob, json!({ "conversationId": channel }), 7),
            ("MarkRead", bob, json!({ "conversationId": channel, "seq": 4 }), 8),
            ("Follow", bob, json!({ "messageId": root }), 6),
            ("Unfollow", bob, json!({ "messageId": root }), 6),
            ("MarkThread", bob, json!({ "messageId": root }), 11),
            ("MarkUnread", bob, json!({ "messageId": root }), 9),
            ("Keep", bob, json!({ "conversationId": channel, "isFavorite": true }), 4),
            ("Type", bob, json!({ "conversationId": channel }), 2),
            ("Join", &carol, json!({ "channelId": channel }), 10),
            ("Leave", &carol, json!({ "conversationId": channel }), 8),
            ("Add", alice, json!({ "conversationId": channel, "userIds": newcomers }), 14),
            ("ChangeRole", alice, json!({ "memberId": seat, "role": "MODERATOR" }), 13),
            ("Update", alice, json!({ "channelId": channel, "topic": "Something" }), 10),
            ("Archive", alice, json!({ "channelId": channel }), 11),
            ("Create", alice, json!({ "name": "New", "clientKey": "key-0001", "memberIds": newcomers }), 20),
            ("OpenDirect", bob, json!({ "userIds": newcomers.iter().take(9).collect::<Vec<_>>() }), 15),
            // Again: what was opened is found.
            ("OpenDirect", bob, json!({ "userIds": newcomers.iter().take(9).collect::<Vec<_>>() }), 11),
            ("Remove", alice, json!({ "memberId": seat, "reason": "Spam" }), 11),
            ("MarkBell", bob, json!({ "until": "2999-01-01T00:00:00Z" }), 3),
            ("MarkBell", bob, json!({ "notificationIds": ids }), 11),
            ("ClearBell", bob, json!({ "notificationIds": ids }), 4),
            // With a look at what those are called who run the server.
            ("Rename", bob, json!({ "displayName": "Robert" }), 3),
            ("Prefer", bob, json!({ "theme": "DARK" }), 2),
            ("SayStatus", bob, json!({ "text": "Away" }), 3),
            ("Block", bob, json!({ "userId": alice.id }), 4),
            ("Unblock", bob, json!({ "userId": alice.id }), 4),
            ("Refresh", bob, json!({ "refreshToken": bob.refresh_token }), 2),
        ];
        for (name, who, input, most) in writes {
            let (statements, _) = world.costs(who, name, json!({ "input": input })).await;
            assert!(statements.len() <= most, "{name} costs {}: {statements:#?}", statements.len());
        }
        let (statements, _) = world.costs(bob, "SignOut", json!({})).await;
        // The session, and its devices.
        assert_eq!(statements.len(), 2, "{statements:#?}");
    }
}
