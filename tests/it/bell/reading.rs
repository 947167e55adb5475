//! Read here, dismissed there.

use chinwag::jobs::Job;
use chinwag::notifications::Expire;
use serde_json::{Value, json};

use super::{CLEAR, READ, READ_THREAD, at, bell, kinds, mark, page, react, read, reply};
use crate::harness::{Actor, TestServer};

#[tokio::test]
async fn reading_a_conversation_reads_what_is_about_it_up_to_there() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (channel, other) =
        (alice.private_channel("lounge", &[&bob]).await, alice.private_channel("other", &[&bob]).await);
    mark(&bob, json!({ "until": "2999-01-01T00:00:00Z" })).await;
    let first = alice.say(&channel, &at(&bob)).await;
    alice.say(&channel, &at(&bob)).await;
    alice.say(&other, &at(&bob)).await;
    let answer = bob.ask(READ, json!({ "id": channel, "seq": first["seq"] })).await.data("markConversationRead");
    assert_eq!(answer["unread"]["notificationCount"], 2);
    assert_eq!(kinds(&bob).await, "MENTION MENTION (MENTION) (ADDED) (ADDED)");
    read(&bob, &channel).await;
    assert_eq!(kinds(&bob).await, "MENTION (MENTION) (MENTION) (ADDED) (ADDED)");
    // Whoever writes has read.
    bob.say(&other, "Hi").await;
    assert_eq!(kinds(&bob).await, "(MENTION) (MENTION) (MENTION) (ADDED) (ADDED)");
    // A reaction is read by whoever reads on from when it came.
    let said = alice.say(&channel, "Done").await;
    react(&bob, &said, "👍").await;
    alice.ask(READ, json!({ "id": channel, "seq": said["seq"] })).await.data("markConversationRead");
    assert_eq!(kinds(&alice).await, "REACTION");
    read(&alice, &channel).await;
    assert_eq!(kinds(&alice).await, "(REACTION)");
    // What becomes unread again has been heard of.
    let unread =
        "mutation($id: ID!) { markConversationUnread(input: { messageId: $id }) { unread { notificationCount } } }";
    let answer = bob.ask(unread, json!({ "id": first["id"] })).await.data("markConversationUnread");
    assert_eq!(answer["unread"]["notificationCount"], 0);
}

#[tokio::test]
async fn what_is_in_a_thread_is_read_there() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    mark(&bob, json!({ "conversationId": channel })).await;
    let root = alice.say(&channel, "root").await;
    reply(&alice, &channel, &root, &at(&bob)).await;
    alice.say(&channel, &at(&bob)).await;
    read(&bob, &channel).await;
    assert_eq!(kinds(&bob).await, "(MENTION) MENTION (ADDED)");
    let answer = bob.ask(READ_THREAD, json!({ "id": root["id"] })).await.data("markThreadRead");
    assert_eq!(answer["unread"]["notificationCount"], 0);
    alice.say(&channel, &at(&bob)).await;
    reply(&alice, &channel, &root, "plain").await;
    reply(&bob, &channel, &root, "who writes there has read there").await;
    assert_eq!(kinds(&bob).await, "(THREAD_REPLY) MENTION (MENTION) (MENTION) (ADDED)");
}

#[tokio::test]
async fn the_bell_is_read_in_three_ways() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (one, two) = (alice.direct_with(&[&bob]).await, alice.private_channel("lounge", &[]).await);
    alice.add(&two, &[&bob], "MEMBER").await;
    for content in ["1", "2", "3"] {
        alice.say(&one, content).await;
    }
    alice.say(&two, &at(&bob)).await;
    let all = bell(&bob).await;
    let id = |place: usize| all[place]["id"].clone();
    // By their ids; what is read already, or somebody else's, counts nothing.
    let nobody = chinwag::id::NotificationId(uuid::Uuid::new_v4()).to_string();
    let marked = mark(&bob, json!({ "notificationIds": [id(3), id(1), nobody, id(3)] })).await;
    assert_eq!((&marked["markedCount"], &marked["unread"]["notificationCount"]), (&json!(2), &json!(3)));
    let shown: Vec<_> = marked["notifications"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(shown, [id(3), id(1), id(3)]);
    assert!(marked["notifications"][0]["readAt"].is_string());
    assert_eq!(mark(&bob, json!({ "notificationIds": [id(3)] })).await["markedCount"], 0);
    let of_bob = mark(&alice, json!({ "notificationIds": [id(0)] })).await;
    assert_eq!((&of_bob["markedCount"], &of_bob["notifications"]), (&json!(0), &json!([])));
    // By the conversation.
    assert_eq!(mark(&bob, json!({ "conversationId": two })).await["markedCount"], 2);
    assert_eq!(kinds(&bob).await, "(MENTION) (DIRECT_MESSAGE) DIRECT_MESSAGE (DIRECT_MESSAGE) (ADDED)");
    // By time.
    let until = all[4]["createdAt"].clone();
    assert_eq!(mark(&bob, json!({ "until": until })).await["markedCount"], 0);
    assert_eq!(mark(&bob, json!({ "until": all[0]["createdAt"] })).await["markedCount"], 1);
    assert_eq!(page(&bob, json!({ "filter": { "isRead": false } })).await["totalCount"], 0);
}

#[tokio::test]
async fn what_is_deleted_stays_deleted() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let one = alice.direct_with(&[&bob]).await;
    for content in ["1", "2", "3"] {
        alice.say(&one, content).await;
    }
    let all = bell(&bob).await;
    let id = |place: usize| all[place]["id"].clone();
    let clear = async |who: &Actor, ids: Value| {
        let answer = who.ask(CLEAR, json!({ "ids": ids })).await.data("deleteNotifications");
        (answer["notificationIds"].clone(), answer["unread"]["notificationCount"].clone())
    };
    // Nobody's but one's own.
    assert_eq!(clear(&alice, json!([id(0)])).await, (json!([]), json!(0)));
    assert_eq!(clear(&bob, json!([id(0), id(2)])).await, (json!([id(0), id(2)]), json!(1)));
    assert_eq!(clear(&bob, json!([id(2)])).await, (json!([id(2)]), json!(1)));
    assert_eq!(bell(&bob).await.len(), 1);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(bob.ask(node, json!({ "id": id(0) })).await.data("node"), json!(null));
    assert_eq!(bob.ask(node, json!({ "id": id(1) })).await.data("node")["id"], id(1));
    assert_eq!(alice.ask(node, json!({ "id": id(1) })).await.data("node"), json!(null));
    assert_eq!(mark(&bob, json!({ "notificationIds": [id(0)] })).await["markedCount"], 0);
}

#[tokio::test]
async fn the_list_is_paged_both_ways_and_filtered() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (one, two) = (alice.direct_with(&[&bob]).await, alice.private_channel("lounge", &[]).await);
    alice.add(&two, &[&bob], "MEMBER").await;
    for content in ["1", "2", "3", "4"] {
        alice.say(&one, content).await;
    }
    let bodies = |page: &Value| {
        let nodes = page["nodes"].as_array().unwrap().iter();
        nodes.map(|one| one["body"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join("")
    };
    let first = page(&bob, json!({ "first": 2 })).await;
    assert_eq!((bodies(&first).as_str(), &first["totalCount"]), ("43", &json!(5)));
    assert_eq!(
        (&first["pageInfo"]["hasNextPage"], &first["pageInfo"]["hasPreviousPage"]),
        (&json!(true), &json!(false))
    );
    let next = page(&bob, json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(bodies(&next), "21");
    let back = page(&bob, json!({ "last": 1, "before": next["pageInfo"]["startCursor"] })).await;
    assert_eq!((bodies(&back).as_str(), &back["pageInfo"]["hasPreviousPage"]), ("3", &json!(true)));
    let last = page(&bob, json!({ "last": 2 })).await;
    assert_eq!((bodies(&last).as_str(), &last["pageInfo"]["hasNextPage"]), ("1", &json!(false)));
    mark(&bob, json!({ "conversationId": two })).await;
    for (filter, count) in [
        (json!({ "isRead": true }), 1),
        (json!({ "isRead": false }), 4),
        (json!({ "kinds": ["ADDED", "MENTION"] }), 1),
        (json!({ "kinds": [] }), 0),
        (json!({ "isUrgent": false }), 5),
        (json!({ "conversationId": one }), 4),
        (json!({ "conversationId": two, "isRead": false }), 0),
    ] {
        let found = page(&bob, json!({ "filter": filter })).await;
        assert_eq!(
            (found["nodes"].as_array().unwrap().len(), &found["totalCount"]),
            (count, &json!(count)),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn what_is_old_is_forgotten() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let one = alice.direct_with(&[&bob]).await;
    alice.say(&one, "old").await;
    server.database.execute("UPDATE notifications SET created_at = created_at - interval '91 days'").await;
    alice.say(&one, "new").await;
    Expire::default().run(&server.app).await.unwrap();
    assert_eq!(bell(&bob).await.len(), 1);
}
