//! Where direct conversations are found again: the inbox, the sidebar, whoever one talks with.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{add, id, leave, people};
use crate::harness::{Actor, TestServer};

fn titles(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap()).collect()
}

async fn inbox(of: &Actor, filter: &str) -> Value {
    let ask = format!("{{ viewer {{ conversations(filter: {{ {filter} }}) {{ nodes {{ id title }} }} }} }}");
    of.query(&ask).await.data("viewer")["conversations"]["nodes"].clone()
}

async fn sidebar(of: &Actor) -> Vec<String> {
    let ask = "{ viewer { sidebar { conversation { title } } } }";
    let rows = of.query(ask).await.data("viewer")["sidebar"].clone();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["conversation"]["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_latest_stands_first_in_the_inbox_and_behind_the_channels_of_the_sidebar() {
    let server = TestServer::start().await;
    let [alice, bob, carol, dave] = people(&server, &["alice", "bob", "carol", "dave"]).await.try_into().ok().unwrap();
    let later = || server.clock.advance(TimeDelta::seconds(1));
    alice.public_channel("Zoo").await;
    let with_bob = alice.direct_with(&[&bob]).await;
    later();
    alice.direct_with(&[&carol]).await;
    later();
    alice.direct_with(&[&dave]).await;
    later();
    alice.public_channel("Aviary").await;
    assert_eq!(titles(&inbox(&alice, "").await), ["Aviary", "dave", "carol", "bob", "Zoo"]);
    assert_eq!(titles(&inbox(&alice, "kinds: [DIRECT]").await), ["dave", "carol", "bob"]);
    assert_eq!(titles(&inbox(&alice, "kinds: [CHANNEL]").await), ["Aviary", "Zoo"]);
    assert_eq!(sidebar(&alice).await, ["Zoo", "Aviary", "dave", "carol", "bob"]);
    later();
    bob.say(&with_bob, "Hello").await;
    assert_eq!(titles(&inbox(&alice, "isUnread: true").await), ["bob"]);
    assert_eq!(titles(&inbox(&alice, "").await)[0], "bob");
    assert_eq!(sidebar(&alice).await, ["Zoo", "Aviary", "bob", "dave", "carol"]);
    // Of others it shows nothing.
    assert_eq!(sidebar(&carol).await, ["alice"]);
    let channels = alice.query("{ channels { nodes { title } } }").await.data("channels");
    assert_eq!(titles(&channels["nodes"]), ["Aviary", "Zoo"]);
}

#[tokio::test]
async fn it_is_found_by_the_one_it_is_with_as_long_as_it_is_theirs_alone() {
    let server = TestServer::start().await;
    let [alice, bob, carol] = people(&server, &["alice", "bob", "carol"]).await.try_into().ok().unwrap();
    let with = async |viewer: &Actor, other: &Actor| {
        let ask = "query($id: ID!) { user(by: { id: $id }) { directConversation { id } } }";
        viewer.ask(ask, json!({ "id": other.id })).await.data("user")["directConversation"].clone()
    };
    for (viewer, other) in [(&alice, &bob), (&bob, &alice), (&alice, &alice)] {
        assert_eq!(with(viewer, other).await, Value::Null);
    }
    let three = alice.direct_with(&[&bob, &carol]).await;
    leave(&carol, &three).await.data("leaveConversation");
    assert_eq!(with(&alice, &bob).await, Value::Null, "two are left of three");
    let (two, notes) = (alice.direct_with(&[&bob]).await, alice.direct_with(&[]).await);
    assert_eq!(with(&alice, &bob).await["id"], two);
    assert_eq!(with(&bob, &alice).await["id"], two);
    assert_eq!(with(&alice, &alice).await["id"], notes);
    // Of others nobody learns it.
    assert_eq!(with(&carol, &bob).await, Value::Null);
    assert_eq!(with(&bob, &bob).await, Value::Null);
    let other = add(&alice, &two, &[&carol]).await.data("addConversationMembers");
    assert_ne!(id(&other["conversation"]), two);
    assert_eq!(with(&alice, &bob).await["id"], two);
    // Not signed in, there is nobody to ask for.
    let ask = format!("{{ user(by: {{ id: {:?} }}) {{ directConversation {{ id }} }} }}", bob.id);
    assert_eq!(server.anonymous().query(&ask).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn lists_cost_the_same_statements_however_long_they_are() {
    let server = TestServer::start().await;
    let mut all = vec![server.register("alice").await];
    for number in 0..14 {
        all.push(server.register(&format!("person-{number:02}")).await);
    }
    let alice = all[0].clone();
    alice.direct_with(&[&all[1]]).await;
    let row =
        "id title ... on DirectConversation { name participants { id role user { username presence { status } } } }";
    let lists = [
        // How they are kept; their people, who those are, and how present.
        (format!("{{ viewer {{ sidebar {{ conversation {{ {row} }} }} }} }}"), "/viewer/sidebar", 4),
        (
            format!("{{ viewer {{ conversations(first: 50) {{ nodes {{ {row} }} }} }} }}"),
            "/viewer/conversations/nodes",
            4,
        ),
        // The page, what there is with whom, what it is if it is in sight, and the same again.
        (
            format!("{{ users(first: 50) {{ nodes {{ directConversation {{ {row} }} }} }} }}"),
            "/users/nodes",
            1 + 1 + 1 + 3,
        ),
    ];
    for count in [1, 14] {
        for other in &all[1..=count] {
            alice.direct_with(&[other]).await;
        }
        if count > 1 {
            alice.direct_with(&all[1..9].iter().collect::<Vec<_>>()).await;
        }
        for (ask, list, expected) in &lists {
            let (statements, answer) = server.statements(alice.query(ask)).await;
            assert!(answer.0.get("errors").is_none(), "{}", answer.0);
            assert!(answer.0["data"].pointer(list).unwrap().as_array().unwrap().len() >= count);
            assert_eq!(statements.len(), *expected, "{count} {list}: {statements:#?}");
        }
    }
}

/// What a client asks for first, for all that somebody is in: it must not be refused as too large.
#[tokio::test]
async fn a_sidebar_with_everybody_in_it_may_be_asked_for() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let ask = "{ server { name } viewer { id user { id } preferences { id } unread { conversationCount } sidebar { id
        conversation { id kind title lastMessage { id excerpt author { id displayName } } viewerState { id unreadCount }
            ... on DirectConversation { participants { id user { id displayName presence { status } } } } } } } }";
    assert_eq!(alice.query(ask).await.data("viewer")["sidebar"], json!([]));
    // But not people of people of people.
    let chain = "{ viewer { conversations(first: 50) { nodes { ... on DirectConversation { participants { user {
        directConversation { participants { user { directConversation { id } } } } } } } } } } }";
    assert_eq!(alice.query(chain).await.code(), "OPERATION_TOO_COMPLEX");
}
