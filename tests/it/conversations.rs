//! Channels and their members.

use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

const CREATE: &str = "mutation($input: CreateChannelInput!) { createChannel(input: $input) {
    isReplay channel { id name slug visibility memberCount createdBy { username } } } }";
const ADD: &str = "mutation($input: AddConversationMembersInput!) { addConversationMembers(input: $input) {
    conversation { memberCount } members { user { username } role addedBy { username } } rejected { userId reason } } }";

async fn create(actor: &Actor, input: Value) -> crate::harness::Answer {
    actor.ask(CREATE, json!({ "input": input })).await
}

#[tokio::test]
async fn a_channel_has_an_address_made_from_its_name() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut slugs = Vec::new();
    for name in ["Release planning", "Release  Planning!", "日", "Ünï"] {
        slugs.push(create(&alice, json!({ "name": name })).await.data("createChannel")["channel"]["slug"].clone());
    }
    assert_eq!(slugs[..2], [json!("release-planning"), json!("release-planning-2")]);
    assert_eq!(slugs[3], "uni");
    assert_eq!(create(&alice, json!({ "name": "x", "slug": "uni" })).await.code(), "CONFLICT");
    let found = alice.query(
        "{ channel(by: { slug: \"release-planning\" }) { name } nothing: channel(by: { slug: \"no\" }) { id } }",
    );
    let found = found.await;
    assert_eq!((found.data("channel"), found.data("nothing")), (json!({ "name": "Release planning" }), json!(null)));
    // What is private has none: a conflict would betray it.
    let private = json!({ "name": "Secret", "visibility": "PRIVATE" });
    assert_eq!(create(&alice, private).await.data("createChannel")["channel"]["slug"], json!(null));
    let private = json!({ "name": "Secret", "slug": "secret", "visibility": "PRIVATE" });
    assert_eq!(create(&alice, private).await.wrong_fields(), ["input.slug NOT_ALLOWED"]);
}

#[tokio::test]
async fn a_creation_sent_again_creates_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let input = json!({ "name": "Once", "clientKey": "a key of mine", "memberIds": [bob.id] });
    let calls = futures_util::future::join_all((0..4).map(|_| create(&alice, input.clone()))).await;
    let channels: Vec<Value> = calls.iter().map(|call| call.data("createChannel")).collect();
    assert_eq!(channels.iter().filter(|payload| payload["isReplay"] == false).count(), 1, "{channels:?}");
    assert!(channels.iter().all(|payload| payload["channel"] == channels[0]["channel"]));
    assert_eq!(channels[0]["channel"]["memberCount"], 2);
    let other = json!({ "name": "Twice", "clientKey": "a key of mine" });
    assert_eq!(create(&alice, other).await.code(), "IDEMPOTENCY_KEY_REUSED");
    // Keys are each one's own.
    create(&bob, json!({ "name": "Bob's", "clientKey": "a key of mine" })).await.data("createChannel");
}

#[tokio::test]
async fn strangers_do_not_see_a_private_channel() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let channel = alice.private_channel("Secret", &[]).await;
    let message = alice.say(&channel, "a secret").await;
    let look = "query($id: ID!, $message: ID!) { conversation(id: $id) { id } node(id: $id) { id }
        channel(by: { id: $id }) { id } message(id: $message) { id } channels { nodes { id } } }";
    let variables = json!({ "id": channel, "message": message["id"] });
    let seen = mallory.ask(look, variables.clone()).await;
    for field in ["conversation", "node", "channel", "message"] {
        assert_eq!(seen.data(field), json!(null), "{field}");
    }
    assert_eq!(seen.data("channels")["nodes"], json!([]));
    // And the set-up means something.
    assert_eq!(alice.ask(look, variables).await.data("message")["id"], message["id"]);
}

#[tokio::test]
async fn those_who_cannot_be_added_come_back_with_the_reason() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Ours", &[&bob]).await;
    let nobody = "user_00000000000000000000000001";
    let input =
        json!({ "conversationId": channel, "userIds": [carol.id, nobody, bob.id, carol.id], "role": "MODERATOR" });
    let added = alice.ask(ADD, json!({ "input": input })).await.data("addConversationMembers");
    assert_eq!(added["conversation"]["memberCount"], 3);
    assert_eq!(
        added["members"],
        json!([
            { "user": { "username": "carol" }, "role": "MODERATOR", "addedBy": { "username": "alice" } },
            { "user": { "username": "bob" }, "role": "MEMBER", "addedBy": { "username": "alice" } },
        ])
    );
    assert_eq!(added["rejected"], json!([{ "userId": nobody, "reason": "NOT_FOUND" }]));
    // Members of a private channel do not add others; strangers do not even find it.
    let input = json!({ "conversationId": channel, "userIds": [nobody] });
    assert_eq!(bob.ask(ADD, json!({ "input": input })).await.code(), "FORBIDDEN");
    let dave = server.register("dave").await;
    assert_eq!(dave.ask(ADD, json!({ "input": input })).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn members_are_listed_by_role_and_then_by_when_they_joined() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut people = Vec::new();
    for name in ["bob", "carol", "dave", "erin"] {
        people.push(server.register(name).await);
    }
    let channel = alice.public_channel("Anywhere").await;
    for person in people.iter().rev() {
        person.join(&channel).await;
    }
    let frank = server.register("frank").await;
    let input = json!({ "conversationId": channel, "userIds": [frank.id], "role": "ADMIN" });
    alice.ask(ADD, json!({ "input": input })).await.data("addConversationMembers");
    let query = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
        members(first: $first, after: $after, last: $last, before: $before) { nodes { user { username } }
            pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } } }";
    let (mut names, mut after) = (Vec::new(), json!(null));
    loop {
        let variables = json!({ "id": channel, "first": 2, "after": after });
        let page = alice.ask(query, variables).await.data("conversation")["members"].clone();
        names.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["user"]["username"].clone()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(names, ["alice", "frank", "erin", "dave", "carol", "bob"]);
    let variables = json!({ "id": channel, "last": 2, "before": after });
    let back = alice.ask(query, variables).await.data("conversation")["members"]["nodes"].clone();
    assert_eq!(back, json!([{ "user": { "username": "dave" } }, { "user": { "username": "carol" } }]));
}

#[tokio::test]
async fn channels_are_listed_by_name_joined_or_not() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for name in ["beta", "Alpha", "ΟΔΟΣ", "İstanbul", "gamma"] {
        alice.public_channel(name).await;
    }
    let hidden = alice.private_channel("a secret", &[]).await;
    let shared = alice.private_channel("delta", &[&bob]).await;
    let names = async |filter: &str| {
        let (mut names, mut after) = (Vec::new(), json!(null));
        loop {
            let query = format!(
                "query($after: String) {{ channels({filter} first: 1, after: $after) {{
                nodes {{ name }} pageInfo {{ endCursor hasNextPage }} }} }}"
            );
            let page = bob.ask(&query, json!({ "after": after })).await.data("channels");
            names
                .extend(page["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned()));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                names.sort();
                return names;
            }
            assert!(names.len() < 10, "a page repeats: {names:?}");
        }
    };
    assert_eq!(names("").await, ["Alpha", "beta", "delta", "gamma", "İstanbul", "ΟΔΟΣ"]);
    assert_eq!(names("filter: { isJoined: true },").await, ["delta"]);
    assert_eq!(names("filter: { visibility: PUBLIC, isJoined: false },").await.len(), 5);
    assert_ne!(hidden, shared);
}

#[tokio::test]
async fn an_owner_does_not_just_leave_and_others_leave_and_come_back_to_a_new_seat() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let leave = "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) { conversationId } }";
    let refused = alice.ask(leave, json!({ "id": channel })).await;
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "OWNER");
    let seat = alice.seat_of(&channel, &bob).await;
    for _ in 0..2 {
        bob.ask(leave, json!({ "id": channel })).await.data("leaveConversation");
    }
    bob.join(&channel).await;
    bob.join(&channel).await;
    assert_ne!(alice.seat_of(&channel, &bob).await, seat);
    assert_eq!(server.database.count("SELECT last_seq::bigint FROM conversations").await, 4);
    let count = alice.ask("query($id: ID!) { conversation(id: $id) { memberCount } }", json!({ "id": channel })).await;
    assert_eq!(count.data("conversation")["memberCount"], 2);
}

#[tokio::test]
async fn nobody_writes_after_their_removal() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let channel = alice.public_channel("Anywhere").await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    let writing = {
        let (mallory, channel) = (mallory.clone(), channel.clone());
        tokio::spawn(async move {
            for number in 0..60 {
                let input =
                    json!({ "conversationId": channel, "clientKey": format!("number {number}"), "content": "!" });
                let send = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { seq } } }";
                mallory.ask(send, json!({ "input": input })).await;
            }
        })
    };
    for _ in 0..8 {
        mallory.join(&channel).await;
        let seat = alice.seat_of(&channel, &mallory).await;
        alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    }
    writing.await.unwrap();
    // Between a departure and the next arrival stands no message.
    let trespassing = "SELECT count(*) FROM (
        SELECT kind, (SELECT e.kind FROM conversation_events e WHERE e.conversation_id = m.conversation_id
            AND e.seq < m.seq AND e.kind IN (10, 11) ORDER BY e.seq DESC LIMIT 1) AS before
        FROM conversation_events m WHERE m.kind = 1) sent WHERE before = 11";
    assert_eq!(server.database.count(trespassing).await, 0);
    let gaps = "SELECT max(seq)::bigint - count(*) FROM conversation_events";
    assert_eq!(server.database.count(gaps).await, 0);
}
