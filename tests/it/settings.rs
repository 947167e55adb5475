//! A channel's settings, and whether it is open.

use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer};

const UPDATE: &str = "mutation($input: UpdateChannelInput!) { updateChannel(input: $input) {
    channel { id name slug topic visibility postingRole version updatedAt seq } } }";
const ARCHIVE: &str = "mutation($id: ID!) { archiveChannel(input: { channelId: $id }) {
    channel { archivedAt version seq } } }";
const UNARCHIVE: &str = "mutation($id: ID!) { unarchiveChannel(input: { channelId: $id }) {
    channel { archivedAt version seq } } }";
const SEND: &str = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { seq } } }";

async fn update(by: &Actor, channel: &str, changes: Value) -> Answer {
    let mut input = json!({ "channelId": channel });
    input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    by.ask(UPDATE, json!({ "input": input })).await
}

async fn updated(by: &Actor, channel: &str, changes: Value) -> Value {
    update(by, channel, changes).await.data("updateChannel")["channel"].clone()
}

async fn sees(actor: &Actor, channel: &str) -> bool {
    let ask = "query($id: ID!) { conversation(id: $id) { id } }";
    actor.ask(ask, json!({ "id": channel })).await.data("conversation") != json!(null)
}

fn reason(answer: &Answer) -> &Value {
    assert_eq!(answer.code(), "FAILED_PRECONDITION");
    &answer.0["errors"][0]["extensions"]["reason"]
}

#[tokio::test]
async fn what_is_absent_stays_and_what_is_null_is_cleared() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Planing").await;
    let mut socket = alice.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    server.clock.advance(chrono::TimeDelta::minutes(1));
    let after = updated(&alice, &channel, json!({ "name": " Planning ", "topic": "What next?" })).await;
    for (field, value) in [
        ("name", json!("Planning")),
        ("topic", json!("What next?")),
        // Who has the old address finds it still.
        ("slug", json!("planing")),
        ("visibility", json!("PUBLIC")),
        ("postingRole", json!("GUEST")),
        ("version", json!(2)),
        ("seq", json!(2)),
    ] {
        assert_eq!(after[field], value, "{field}");
    }
    assert_eq!(
        log.batch().await["events"],
        json!([{
            "__typename": "ConversationUpdatedEvent", "seq": 2, "actor": { "id": alice.id, "username": "alice" },
            "changedFields": ["name", "topic"], "conversation": { "id": channel, "version": 2, "name": "Planning" },
        }])
    );
    // What is so already is no change, whatever stands beside it.
    let before = server.database.contents().await;
    for same in [
        json!({}),
        json!({ "name": "Planning", "slug": "planing", "topic": "What next?", "expectedVersion": 2 }),
        json!({ "visibility": "PUBLIC", "postingRole": "GUEST", "exposesHistory": true }),
    ] {
        assert_eq!(updated(&alice, &channel, same).await, after);
    }
    assert_eq!(server.database.contents().await, before);
    let cleared = updated(&alice, &channel, json!({ "topic": null, "slug": "planning" })).await;
    assert_eq!(
        (&cleared["topic"], &cleared["slug"], &cleared["version"]),
        (&json!(null), &json!("planning"), &json!(3))
    );
    assert_ne!(cleared["updatedAt"], json!(null));
    assert_eq!(log.batch().await["events"][0]["changedFields"], json!(["slug", "topic"]));
    // An empty one is none.
    assert_eq!(updated(&alice, &channel, json!({ "topic": "" })).await["version"], 3);
}

#[tokio::test]
async fn of_two_who_change_the_same_version_one_is_told_of_the_other() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Ours", &[]).await;
    alice.add(&channel, &[&bob], "ADMIN").await;
    for version in 1..=5 {
        let change = |by, name: &str| {
            let changes = json!({ "name": format!("{name} {version}"), "expectedVersion": version });
            let channel = channel.clone();
            async move { update(by, &channel, changes).await }
        };
        let (one, other) = futures_util::future::join(change(&alice, "Alice's"), change(&bob, "Bob's")).await;
        let (winner, loser) = if one.0.get("errors").is_none() { (one, other) } else { (other, one) };
        assert_eq!(winner.data("updateChannel")["channel"]["version"], version + 1);
        assert_eq!(loser.code(), "VERSION_CONFLICT");
        assert_eq!(loser.0["errors"][0]["extensions"]["currentVersion"], version + 1);
    }
    // Whoever names none overwrites what is there.
    assert_eq!(updated(&alice, &channel, json!({ "name": "Whatever" })).await["version"], 7);
}

#[tokio::test]
async fn only_its_owner_makes_a_channel_public_and_says_that_its_history_is_shown() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Plans for May", &[]).await;
    alice.add(&channel, &[&bob], "ADMIN").await;
    alice.say(&channel, "a secret").await;
    let open = json!({ "visibility": "PUBLIC" });
    let expose = json!({ "visibility": "PUBLIC", "exposesHistory": true });
    assert_eq!(update(&bob, &channel, expose.clone()).await.code(), "FORBIDDEN");
    let before = server.database.contents().await;
    assert_eq!(reason(&update(&alice, &channel, open.clone()).await), "HISTORY");
    assert_eq!(server.database.contents().await, before);
    assert!(!sees(&carol, &channel).await);
    let opened = updated(&alice, &channel, expose).await;
    assert_eq!((&opened["visibility"], &opened["slug"]), (&json!("PUBLIC"), &json!("plans-for-may")));
    assert!(sees(&carol, &channel).await);
    carol.join(&channel).await;
    // Closed again by an admin, for all but members.
    let dave = server.register("dave").await;
    assert!(sees(&dave, &channel).await);
    let closed = updated(&bob, &channel, json!({ "visibility": "PRIVATE" })).await;
    assert_eq!(closed["slug"], json!(null));
    assert!(sees(&carol, &channel).await);
    assert!(!sees(&dave, &channel).await);
    // Where nothing was written, nothing is exposed.
    let empty = alice.private_channel("Empty", &[]).await;
    assert_eq!(updated(&alice, &empty, open).await["slug"], "empty");
}

#[tokio::test]
async fn what_is_public_has_one_address_and_what_is_private_has_none() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let one = alice.create_channel(json!({ "name": "One" })).await;
    let two = alice.create_channel(json!({ "name": "Two" })).await;
    assert_eq!(update(&alice, &two, json!({ "slug": "one" })).await.code(), "CONFLICT");
    assert_eq!(updated(&alice, &two, json!({ "slug": "two-2" })).await["slug"], "two-2");
    let private = json!({ "visibility": "PRIVATE" });
    assert_eq!(updated(&alice, &one, private.clone()).await["slug"], json!(null));
    assert_eq!(update(&alice, &one, json!({ "slug": "one" })).await.wrong_fields(), ["input.slug NOT_ALLOWED"]);
    // None is what it has.
    assert_eq!(updated(&alice, &one, json!({ "slug": null })).await["version"], 2);
    // Its address was let go with it; back in public it gets another one, or the one that it asks for.
    assert_eq!(updated(&alice, &two, json!({ "slug": "one" })).await["slug"], "one");
    assert_eq!(updated(&alice, &one, json!({ "visibility": "PUBLIC" })).await["slug"], "one-2");
    updated(&alice, &one, private).await;
    let chosen = json!({ "visibility": "PUBLIC", "slug": "one" });
    assert_eq!(update(&alice, &one, chosen).await.code(), "CONFLICT");
    let chosen = json!({ "visibility": "PUBLIC", "slug": "first", "name": "First" });
    assert_eq!(updated(&alice, &one, chosen).await["slug"], "first");
}

#[tokio::test]
async fn two_of_one_name_that_are_made_public_at_once_get_an_address_each() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for number in 1..=5 {
        let name = format!("Room {number}");
        let channels = [alice.private_channel(&name, &[]).await, alice.private_channel(&name, &[]).await];
        let both = channels.iter().map(|channel| updated(&alice, channel, json!({ "visibility": "PUBLIC" })));
        let mut slugs: Vec<_> = futures_util::future::join_all(both).await.iter().map(|c| c["slug"].clone()).collect();
        slugs.sort_by_key(Value::to_string);
        assert_eq!(slugs, [format!("room-{number}"), format!("room-{number}-2")]);
    }
}

#[tokio::test]
async fn nobody_sets_who_may_write_above_their_own_role_or_lowers_what_is_above_it() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("News", &[&carol]).await;
    alice.add(&channel, &[&bob], "ADMIN").await;
    let post = |by: &Actor| {
        let (by, input) =
            (by.clone(), json!({ "conversationId": channel, "clientKey": uuid::Uuid::new_v4(), "content": "!" }));
        async move { by.ask(SEND, json!({ "input": input })).await.0.get("errors").is_none() }
    };
    assert!(post(&carol).await);
    assert_eq!(update(&bob, &channel, json!({ "postingRole": "OWNER" })).await.code(), "FORBIDDEN");
    assert_eq!(updated(&bob, &channel, json!({ "postingRole": "ADMIN" })).await["postingRole"], "ADMIN");
    assert!(!post(&carol).await && post(&bob).await);
    updated(&alice, &channel, json!({ "postingRole": "OWNER" })).await;
    assert!(!post(&bob).await && post(&alice).await);
    assert_eq!(update(&bob, &channel, json!({ "postingRole": "ADMIN" })).await.code(), "FORBIDDEN");
    // All else is theirs to change, with the form as it was shown.
    assert_eq!(updated(&bob, &channel, json!({ "name": "Old", "postingRole": "OWNER" })).await["name"], "Old");
}

#[tokio::test]
async fn what_is_archived_is_read_and_left_and_no_more() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Old").await;
    bob.join(&channel).await;
    let said = bob.say(&channel, "Once").await;
    let mut socket = bob.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    let archived = alice.ask(ARCHIVE, json!({ "id": channel })).await.data("archiveChannel")["channel"].clone();
    assert_ne!(archived["archivedAt"], json!(null));
    // What a form that is open shows has not changed.
    assert_eq!((&archived["version"], &archived["seq"]), (&json!(1), &json!(4)));
    let before = server.database.contents().await;
    let again = alice.ask(ARCHIVE, json!({ "id": channel })).await.data("archiveChannel")["channel"].clone();
    assert_eq!(again, archived);
    assert_eq!(server.database.contents().await, before);
    assert_eq!(
        log.batch().await["events"],
        json!([{
            "__typename": "ConversationArchivedEvent", "seq": 4, "actor": { "id": alice.id, "username": "alice" },
            "conversation": { "id": channel, "archivedAt": archived["archivedAt"] },
        }])
    );
    let seat = alice.seat_of(&channel, &bob).await;
    let user = server.register("carol").await.id;
    for ask in [
        format!(
            "sendMessage(input: {{ conversationId: \"{channel}\", clientKey: \"12345678\", content: \"!\" }}) {{ isReplay }}"
        ),
        format!("editMessage(input: {{ messageId: {}, content: \"!\" }}) {{ message {{ id }} }}", said["id"]),
        format!("updateChannel(input: {{ channelId: \"{channel}\", name: \"New\" }}) {{ channel {{ id }} }}"),
        format!(
            "addConversationMembers(input: {{ conversationId: \"{channel}\", userIds: [\"{user}\"] }}) {{ members {{ id }} }}"
        ),
        format!("updateConversationMember(input: {{ memberId: \"{seat}\", role: GUEST }}) {{ member {{ id }} }}"),
        format!("transferConversationOwnership(input: {{ memberId: \"{seat}\" }}) {{ owner {{ id }} }}"),
    ] {
        let who = if ask.starts_with("editMessage") { &bob } else { &alice };
        assert_eq!(who.query(&format!("mutation {{ {ask} }}")).await.code(), "ARCHIVED", "{ask}");
    }
    assert_eq!(
        server
            .register("dave")
            .await
            .ask(
                "mutation($id: ID!) { joinChannel(input: { channelId: $id }) { channel { id } } }",
                json!({ "id": channel })
            )
            .await
            .code(),
        "ARCHIVED"
    );
    let delete = format!("mutation {{ deleteMessage(input: {{ messageId: {} }}) {{ seq }} }}", said["id"]);
    bob.query(&delete).await.data("deleteMessage");
    bob.leave(&channel).await;
    let list = "query($is: Boolean!) { channels(filter: { isArchived: $is }) { nodes { id } } }";
    assert_eq!(alice.ask(list, json!({ "is": true })).await.data("channels")["nodes"][0]["id"], channel);
    assert_eq!(alice.ask(list, json!({ "is": false })).await.data("channels")["nodes"], json!([]));
    for _ in 0..2 {
        let opened = alice.ask(UNARCHIVE, json!({ "id": channel })).await.data("unarchiveChannel");
        assert_eq!((&opened["channel"]["archivedAt"], &opened["channel"]["seq"]), (&json!(null), &json!(7)));
    }
    alice.say(&channel, "Again").await;
    let audit =
        "SELECT action, subject_id FROM audit_entries WHERE action LIKE 'conversation.%archive' ORDER BY at, id";
    let channel = channel.as_str();
    let rows = server.database.rows(audit).await;
    assert_eq!(rows, [["conversation.archive", channel], ["conversation.unarchive", channel]]);
}

#[tokio::test]
async fn a_server_admin_archives_what_they_see() {
    let server = TestServer::start().await;
    let (root, alice) = (server.register("ruth").await, server.register("alice").await);
    let (open, hidden) = (alice.public_channel("Open").await, alice.private_channel("Hidden", &[]).await);
    root.ask(ARCHIVE, json!({ "id": open })).await.data("archiveChannel");
    assert_eq!(root.ask(ARCHIVE, json!({ "id": hidden })).await.code(), "NOT_FOUND");
    let by_root = "SELECT count(*) FROM audit_entries a JOIN users u ON u.id = a.actor_id
        WHERE a.action = 'conversation.archive' AND u.username = 'ruth'";
    assert_eq!(server.database.count(by_root).await, 1);
    root.ask(UNARCHIVE, json!({ "id": open })).await.data("unarchiveChannel");
    alice.say(&open, "Thank you").await;
}

#[tokio::test]
async fn nothing_is_written_after_the_archive() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Busy").await;
    bob.join(&channel).await;
    let writing = (0..4).map(|writer| {
        let (bob, channel) = (bob.clone(), channel.clone());
        tokio::spawn(async move {
            for number in 0..15 {
                let key = format!("{writer} wrote {number}");
                let input = json!({ "conversationId": channel, "clientKey": key, "content": "!" });
                let answer = bob.ask(SEND, json!({ "input": input })).await;
                assert!(answer.0.get("errors").is_none() || answer.code() == "ARCHIVED", "{}", answer.0);
            }
        })
    });
    let writing: Vec<_> = writing.collect();
    for _ in 0..6 {
        alice.ask(ARCHIVE, json!({ "id": channel })).await.data("archiveChannel");
        alice.ask(UNARCHIVE, json!({ "id": channel })).await.data("unarchiveChannel");
    }
    for writer in writing {
        writer.await.unwrap();
    }
    // Between closing and opening stands no message.
    let trespassing = "SELECT count(*) FROM (
        SELECT (SELECT e.kind FROM conversation_events e WHERE e.conversation_id = m.conversation_id
            AND e.seq < m.seq AND e.kind IN (14, 15) ORDER BY e.seq DESC LIMIT 1) AS before
        FROM conversation_events m WHERE m.kind = 1) sent WHERE before = 14";
    assert_eq!(server.database.count(trespassing).await, 0);
    let gaps = "SELECT max(seq)::bigint - count(*) FROM conversation_events";
    assert_eq!(server.database.count(gaps).await, 0);
}
