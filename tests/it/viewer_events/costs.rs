//! What it costs that many are told: as many statements as for few.

use futures_util::future::join_all;
use serde_json::json;

use super::client::{Client, boot, listen_query};
use crate::harness::{Actor, Socket, Stream, TestServer};

/// The statements from a message until each of these has heard of it.
async fn of_a_message(server: &TestServer, says: &Actor, channel: &str, clients: &mut [Client]) -> Vec<String> {
    // What was told a moment ago would be told a second later, and not at the same time to all.
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    let work = async {
        says.say(channel, "for all").await;
        join_all(clients.iter_mut().map(Client::next)).await;
    };
    server.statements(work).await.0
}

#[tokio::test]
async fn a_message_costs_as_many_statements_for_many_who_listen_as_for_few() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let names: Vec<String> = (0..24).map(|number| format!("listener{number}")).collect();
    let people = join_all(names.iter().map(|name| server.register(name))).await;
    for person in &people {
        person.join(&channel).await;
    }
    let mut clients = Vec::new();
    for person in &people[..2] {
        clients.push(Client::start(person).await);
    }
    join_all(clients.iter_mut().map(Client::catch_up)).await;
    of_a_message(&server, &alice, &channel, &mut clients).await;
    let for_two = of_a_message(&server, &alice, &channel, &mut clients).await;
    for person in &people[2..] {
        clients.push(Client::start(person).await);
    }
    join_all(clients[2..].iter_mut().map(Client::catch_up)).await;
    of_a_message(&server, &alice, &channel, &mut clients).await;
    let for_all = of_a_message(&server, &alice, &channel, &mut clients).await;
    assert!(
        for_all.len() <= for_two.len(),
        "{} for two: {for_two:#?}\n{} for all: {for_all:#?}",
        for_two.len(),
        for_all.len()
    );
}

/// After a restart everybody comes back at once.
#[tokio::test]
async fn many_who_come_back_at_once_are_looked_for_together() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let (_, cursor) = boot(&alice).await;
    alice.say(&channel, "meanwhile").await;
    let mut sockets = join_all((0..12).map(|_| alice.socket())).await;
    let come_back = async |sockets: &mut [Socket]| {
        let work = async {
            let mut streams: Vec<Stream> =
                sockets.iter_mut().map(|socket| socket.run(&listen_query(), json!({ "after": cursor }))).collect();
            join_all(streams.iter_mut().map(Stream::next)).await;
        };
        server.statements(work).await.0.len()
    };
    let one = come_back(&mut sockets[..1]).await;
    let twelve = come_back(&mut sockets).await;
    assert!(twelve < 5 * one, "{one} for one, {twelve} for twelve");
}

const OWN: &str = "subscription { viewerEvents { events { __typename
    ... on InboxChangedEvent { conversation { lastMessage { content viewerReactions }
        ... on DirectConversation { participants { user { presence { status } } } } } }
    ... on GroupChangedEvent { group { name viewerPermissions { canUpdate } viewerMember { role }
        categories { name } } } } } }";

/// What each sees in their own way, of people and of groups.
#[tokio::test]
async fn what_is_each_ones_own_costs_as_many_statements_for_many_as_for_few() {
    let server = TestServer::start().await;
    let names: Vec<String> = (0..10).map(|number| format!("listener{number}")).collect();
    let people = join_all(names.iter().map(|name| server.register(name))).await;
    let (alice, others) = people.split_first().unwrap();
    let direct = alice.direct_with(&others.iter().collect::<Vec<_>>()).await;
    let create = "mutation { createGroup(input: { name: \"Gardeners\" }) { group { id } } }";
    let group = alice.query(create).await.data("createGroup")["group"]["id"].clone();
    for person in others {
        let join = "mutation($id: ID!) { joinGroup(input: { groupId: $id }) { group { id } } }";
        person.ask(join, json!({ "id": group })).await.data("joinGroup");
    }
    let head =
        "mutation($id: ID!) { createChannelCategory(input: { groupId: $id, name: \"Old\" }) { category { id } } }";
    alice.ask(head, json!({ "id": group })).await.data("createChannelCategory");
    let rename =
        "mutation($id: ID!, $name: String) { updateGroup(input: { groupId: $id, name: $name }) { group { id } } }";
    let mut sockets = join_all(others.iter().map(Actor::socket)).await;
    // Of each of the two, what it costs until these have heard of it.
    let costs = async |streams: &mut [Stream], words: &str| {
        let mut costs = Vec::new();
        for kind in ["InboxChangedEvent", "GroupChangedEvent"] {
            tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
            let work = async {
                match kind {
                    "InboxChangedEvent" => drop(alice.say(&direct, words).await),
                    _ => drop(alice.ask(rename, json!({ "id": group, "name": words })).await.data("updateGroup")),
                }
                let hear = async |stream: &mut Stream| {
                    while !stream.next().await["viewerEvents"]["events"].to_string().contains(words) {}
                };
                join_all(streams.iter_mut().map(hear)).await;
            };
            costs.push(server.statements(work).await.0.len());
        }
        costs
    };
    let (mut streams, mut of_each) = (Vec::new(), Vec::new());
    for count in [2, sockets.len()] {
        for socket in &mut sockets[streams.len()..count] {
            streams.push(socket.run(OWN, json!({})));
            streams.last_mut().unwrap().next().await;
        }
        costs(&mut streams, &format!("{count} before")).await;
        of_each.push(costs(&mut streams, &format!("{count} now")).await);
    }
    let (for_two, for_all) = (&of_each[0], &of_each[1]);
    assert!(for_all.iter().zip(for_two).all(|(all, two)| all <= two), "{for_two:?} for two, {for_all:?} for all");
}
