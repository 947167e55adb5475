//! Blocks, and what follows from them.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer, usernames};

const BLOCK: &str =
    "mutation($id: ID!) { blockUser(input: { userId: $id }) { user { id username viewerHasBlocked } } }";
const UNBLOCK: &str =
    "mutation($id: ID!) { unblockUser(input: { userId: $id }) { user { id username viewerHasBlocked } } }";
const BLOCKED: &str = "query($first: Int, $after: String, $last: Int, $before: String) { viewer {
    blockedUsers(first: $first, after: $after, last: $last, before: $before) {
        nodes { username viewerHasBlocked } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
const CREATE: &str =
    "mutation($input: CreateChannelInput!) { createChannel(input: $input) { channel { id memberCount } } }";
const ADD: &str = "mutation($input: AddConversationMembersInput!) { addConversationMembers(input: $input) {
    members { user { username } } rejected { userId reason } } }";

async fn block(by: &Actor, whom: &Actor) -> Value {
    by.ask(BLOCK, json!({ "id": whom.id })).await.data("blockUser")["user"].clone()
}

async fn unblock(by: &Actor, whom: &Actor) -> Value {
    by.ask(UNBLOCK, json!({ "id": whom.id })).await.data("unblockUser")["user"].clone()
}

async fn page(of: &Actor, variables: Value) -> Value {
    of.ask(BLOCKED, variables).await.data("viewer")["blockedUsers"].clone()
}

async fn blocked(of: &Actor) -> Vec<String> {
    usernames(&page(of, json!({})).await)
}

async fn has_blocked(viewer: &Actor, whom: &Actor) -> bool {
    let ask = "query($id: ID!) { node(id: $id) { ... on User { viewerHasBlocked } } }";
    viewer.ask(ask, json!({ "id": whom.id })).await.data("node")["viewerHasBlocked"].as_bool().unwrap()
}

async fn add(by: &Actor, channel: &str, people: &[&Actor]) -> Value {
    let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
    let input = json!({ "conversationId": channel, "userIds": ids });
    by.ask(ADD, json!({ "input": input })).await.data("addConversationMembers")
}

async fn found(by: &Actor, with: &[&Actor]) -> Answer {
    let ids: Vec<_> = with.iter().map(|person| &person.id).collect();
    by.ask(CREATE, json!({ "input": { "name": "Ours", "visibility": "PRIVATE", "memberIds": ids } })).await
}

#[tokio::test]
async fn a_block_is_known_to_the_one_who_made_it_alone() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    assert!(!has_blocked(&alice, &bob).await);
    assert_eq!(block(&alice, &bob).await["viewerHasBlocked"], true);
    assert!(has_blocked(&alice, &bob).await);
    assert!(!has_blocked(&bob, &alice).await);
    assert!(!has_blocked(&alice, &alice).await);
    assert_eq!((blocked(&alice).await, blocked(&bob).await), (vec!["bob".to_owned()], vec![]));
    assert_eq!(unblock(&alice, &bob).await["viewerHasBlocked"], false);
    assert!(!has_blocked(&alice, &bob).await);
    assert!(blocked(&alice).await.is_empty());
}

#[tokio::test]
async fn blocking_twice_and_unblocking_nobody_change_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    unblock(&alice, &bob).await;
    let answers = join_all((0..4).map(|_| block(&alice, &bob))).await;
    assert!(answers.iter().all(|user| user["viewerHasBlocked"] == true));
    let before = server.database.contents().await;
    server.clock.advance(chrono::TimeDelta::minutes(5));
    block(&alice, &bob).await;
    assert_eq!(server.database.contents().await, before);
    // Each has their own.
    block(&bob, &alice).await;
    unblock(&alice, &bob).await;
    assert!(has_blocked(&bob, &alice).await);
    assert_eq!(server.database.count("SELECT count(*) FROM blocks").await, 1);
}

#[tokio::test]
async fn nobody_blocks_themselves_or_who_is_not_there() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    server.database.execute("UPDATE users SET deleted_at = now() WHERE username = 'bob'").await;
    let before = server.database.contents().await;
    assert_eq!(alice.ask(BLOCK, json!({ "id": alice.id })).await.wrong_fields(), ["input.userId NOT_ALLOWED"]);
    for nobody in ["user_00000000000000000000000001", &bob.id] {
        assert_eq!(alice.ask(BLOCK, json!({ "id": nobody })).await.code(), "NOT_FOUND");
        assert_eq!(alice.ask(UNBLOCK, json!({ "id": nobody })).await.code(), "NOT_FOUND");
    }
    assert_eq!(server.database.contents().await, before);
}

#[tokio::test]
async fn blocked_people_are_listed_newest_first_in_pages_both_ways() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let people = join_all(["bob", "carol", "dave", "erin", "frank"].map(|name| server.register(name))).await;
    for (number, person) in people.iter().enumerate() {
        // The last two at the same moment: in the order of their ids.
        if number < 4 {
            server.clock.advance(chrono::TimeDelta::seconds(1));
        }
        block(&alice, person).await;
    }
    server
        .database
        .execute(
            "UPDATE blocks SET created_at = (SELECT max(created_at) FROM blocks)
        WHERE created_at > (SELECT max(created_at) FROM blocks) - interval '500 ms'",
        )
        .await;
    // Others' blocks are none of these.
    block(&people[0], &alice).await;
    block(&people[0], &people[1]).await;
    let all = blocked(&alice).await;
    assert_eq!(all.len(), 5);
    assert_eq!(all[2..], ["dave", "carol", "bob"]);
    let (mut forward, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = page(&alice, json!({ "first": 1, "after": after })).await;
        forward.extend(usernames(&page));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(forward, all);
    let last = page(&alice, json!({ "last": 2 })).await;
    assert_eq!(usernames(&last), all[3..]);
    let middle = page(&alice, json!({ "last": 2, "before": last["pageInfo"]["startCursor"] })).await;
    assert_eq!((usernames(&middle).as_slice(), &middle["pageInfo"]["hasPreviousPage"]), (&all[1..3], &json!(true)));
    // Undoing one in the middle of paging loses and doubles nobody.
    unblock(&alice, &people[1]).await;
    let rest = page(&alice, json!({ "after": middle["pageInfo"]["startCursor"] })).await;
    assert_eq!(usernames(&rest), ["dave", "bob"]);
    // Who is gone needs no block.
    server.database.execute("UPDATE users SET deleted_at = now() WHERE username = 'dave'").await;
    assert_eq!(blocked(&alice).await[2..], ["bob"]);
}

#[tokio::test]
async fn a_page_of_people_costs_the_same_statements_however_long_it_is() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    server
        .database
        .execute(
            "INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
             SELECT gen_random_uuid(), 'user' || n, 'User ' || n, 'USER', true, 1, now(), now()
             FROM generate_series(1, 60) AS n;
             INSERT INTO blocks SELECT a.id, u.id, now() FROM users a, users u
             WHERE a.username = 'alice' AND u.username LIKE 'user%' AND u.username <> 'user1'",
        )
        .await;
    let directory = "query($first: Int) { users(first: $first) { nodes { viewerHasBlocked } } }";
    let own = "query($first: Int) { viewer { blockedUsers(first: $first) { nodes { viewerHasBlocked } } } }";
    for first in [2, 50] {
        // Alice and the first user are not blocked by her.
        for (ask, page, expected) in
            [(directory, "/data/users/nodes", first - 2), (own, "/data/viewer/blockedUsers/nodes", first)]
        {
            let (statements, answer) = server.statements(alice.ask(ask, json!({ "first": first }))).await;
            // The page, and who of it is blocked.
            assert_eq!(statements.len(), 2, "{statements:#?}");
            let nodes = answer.0.pointer(page).unwrap().as_array().unwrap().clone();
            let blocked = nodes.iter().filter(|node| node["viewerHasBlocked"] == true).count();
            assert_eq!((nodes.len(), blocked), (first, expected), "{page}");
        }
    }
}

// What follows.

#[tokio::test]
async fn whoever_stands_in_a_block_with_the_one_who_adds_is_not_added() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (carol, dave) = (server.register("carol").await, server.register("dave").await);
    let channel = alice.private_channel("Ours", &[]).await;
    block(&alice, &bob).await;
    block(&carol, &alice).await;
    // Whoever of the two has blocked. A block between others is none of hers.
    block(&bob, &dave).await;
    let added = add(&alice, &channel, &[&bob, &carol, &dave]).await;
    assert_eq!(added["members"], json!([{ "user": { "username": "dave" } }]));
    assert_eq!(
        added["rejected"],
        json!([{ "userId": bob.id, "reason": "NOT_ALLOWED" }, { "userId": carol.id, "reason": "NOT_ALLOWED" }])
    );
    unblock(&alice, &bob).await;
    assert_eq!(add(&alice, &channel, &[&bob]).await["rejected"], json!([]));
    // Who is in already stays, and comes back as a member.
    block(&bob, &alice).await;
    let again = add(&alice, &channel, &[&bob]).await;
    assert_eq!(again, json!({ "members": [{ "user": { "username": "bob" } }], "rejected": [] }));
}

#[tokio::test]
async fn whoever_stands_in_a_block_with_the_founder_is_as_unknown_as_nobody() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (carol, dave) = (server.register("carol").await, server.register("dave").await);
    block(&alice, &bob).await;
    block(&carol, &alice).await;
    let before = server.database.contents().await;
    let refused = found(&alice, &[&dave, &bob, &carol]).await;
    assert_eq!(refused.wrong_fields(), ["input.memberIds.1 UNKNOWN_ID", "input.memberIds.2 UNKNOWN_ID"]);
    assert_eq!(server.database.contents().await, before);
    // A third person brings them together.
    assert_eq!(found(&dave, &[&alice, &bob, &carol]).await.data("createChannel")["channel"]["memberCount"], 4);
}

#[tokio::test]
async fn a_mention_does_not_call_whoever_has_blocked_its_author() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let carol = server.register("carol").await;
    let channel = alice.private_channel("Ours", &[&bob, &carol]).await;
    block(&bob, &alice).await;
    let called = async || {
        let rows = server
            .database
            .rows("SELECT u.username FROM mentions m JOIN users u ON u.id = m.user_id ORDER BY m.seq, u.username");
        rows.await.into_iter().map(|mut row| row.remove(0)).collect::<Vec<_>>()
    };
    let both = format!("<@{}> and <@{}>", bob.id, carol.id);
    let message = alice.say(&channel, &both).await;
    // What was written stays as it was written.
    assert_eq!(message["content"], both);
    assert_eq!(called().await, ["carol"]);
    let edit = "mutation($id: ID!, $content: String!) { editMessage(input: { messageId: $id, content: $content }) {
        message { content } } }";
    let again = format!("<@{}>!", bob.id);
    alice.ask(edit, json!({ "id": message["id"], "content": again })).await.data("editMessage");
    assert!(called().await.is_empty());
    // Others call him, and she is called by him: the block is his.
    carol.say(&channel, &again).await;
    bob.say(&channel, &format!("<@{}>", alice.id)).await;
    assert_eq!(called().await, ["bob", "alice"]);
    unblock(&bob, &alice).await;
    let last = format!("<@{}>?", bob.id);
    alice.ask(edit, json!({ "id": message["id"], "content": last })).await.data("editMessage");
    assert_eq!(called().await, ["bob", "bob", "alice"]);
}
