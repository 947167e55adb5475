//! The stream of what concerns somebody: it misses nothing, and it converges.

mod catching_up;
pub mod client;
mod costs;
mod groups;
mod looking;
mod resuming;
mod threads;

use client::Client;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Actor, Ended, TestServer};

const REMOVE: &str = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
const READ: &str = "mutation($id: ID!) { markConversationRead(input: { conversationId: $id }) { viewerState { id } } }";
const MUTE: &str = "mutation($id: ID!, $until: DateTime) {
    updateConversationViewerState(input: { conversationId: $id, mutedUntil: $until }) { viewerState { id } } }";
const RENAME: &str = "mutation($name: String!) { updateProfile(input: { displayName: $name }) { user { id } } }";
const EDIT: &str = "mutation($id: ID!, $content: String!) {
    editMessage(input: { messageId: $id, content: $content }) { message { id } } }";
const DELETE: &str = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }";

async fn remove(by: &Actor, conversation: &str, whom: &Actor) {
    let seat = by.seat_of(conversation, whom).await;
    by.ask(REMOVE, json!({ "id": seat })).await.data("removeConversationMember");
}

async fn mark_read(who: &Actor, conversation: &str) {
    who.ask(READ, json!({ "id": conversation })).await.data("markConversationRead");
}

#[tokio::test]
async fn it_begins_with_a_delivery_at_once() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.public_channel("Anywhere").await;
    for after in [None, Some(client::boot(&alice).await.1)] {
        let mut socket = alice.socket().await;
        let mut stream = socket.run(&client::listen_query(), json!({ "after": after }));
        let batch = stream.next().await["viewerEvents"].clone();
        assert_eq!((&batch["isCaughtUp"], &batch["hasGap"]), (&json!(true), &json!(false)));
        // While a transaction runs somewhere, what came after it is told again to those who resume.
        assert!(after.is_some() || batch["events"] == json!([]), "{batch}");
    }
}

#[tokio::test]
async fn what_changes_in_a_conversation_reaches_its_members() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let mut client = Client::start(&bob).await;
    client.catch_up().await;
    let message = alice.say(&channel, "Hi").await["id"].clone();
    let event = client.until("InboxChangedEvent").await;
    assert_eq!(event["conversation"]["lastMessage"]["content"], "Hi");
    assert_eq!(
        (&event["conversation"]["viewerState"]["unreadCount"], &event["unread"]["conversationCount"]),
        (&json!(1), &json!(1))
    );
    // Each of these changes what is kept.
    let steps: [(&Actor, &str, Value); 5] = [
        (&alice, EDIT, json!({ "id": message, "content": "Hello" })),
        (&bob, READ, json!({ "id": channel })),
        (&bob, MUTE, json!({ "id": channel, "until": "2999-01-01T00:00:00Z" })),
        (&alice, DELETE, json!({ "id": message })),
        (&bob, RENAME, json!({ "name": "Robert" })),
    ];
    for (who, mutation, variables) in steps {
        let before = client.kept.clone();
        assert!(who.ask(mutation, variables).await.0.get("errors").is_none(), "{mutation}");
        client.converge(&bob).await;
        assert_ne!(client.kept, before, "{mutation}");
    }
    bob.prefer(json!({ "theme": "DARK" })).await;
    client.converge(&bob).await;
    assert_eq!(client.kept.me["preferences"]["theme"], "DARK");
}

#[tokio::test]
async fn whoever_comes_and_goes_hears_of_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let public = alice.public_channel("Anywhere").await;
    let mut client = Client::start(&bob).await;
    client.catch_up().await;
    bob.join(&public).await;
    assert_eq!(client.until("ConversationAddedEvent").await["conversation"]["id"], public);
    // Also where they still see it.
    bob.leave(&public).await;
    client.converge(&bob).await;
    let private = alice.private_channel("Room", &[&bob]).await;
    client.converge(&bob).await;
    assert_eq!(client.kept.rows.keys().collect::<Vec<_>>(), [&private]);
    remove(&alice, &private, &bob).await;
    let gone = client.until("ConversationRemovedEvent").await;
    assert_eq!((&gone["conversationId"], &gone["reason"]), (&json!(private), &json!("REMOVED")));
    // What happens there is no business of theirs any more.
    alice.say(&private, "among us").await;
    alice.say(&public, "in public").await;
    client.hears_nothing().await;
    alice.add(&private, &[&bob], "MEMBER").await;
    client.converge(&bob).await;
}

#[tokio::test]
async fn whoever_leaves_a_group_hears_no_more_of_its_channels() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = alice.query("mutation { createGroup(input: { name: \"Gardeners\" }) { group { id } } }").await;
    let group = group.data("createGroup")["group"]["id"].clone();
    let join = "mutation($id: ID!) { joinGroup(input: { groupId: $id }) { group { id } } }";
    bob.ask(join, json!({ "id": group })).await.data("joinGroup");
    let private = json!({ "groupId": group, "name": "Room", "visibility": "PRIVATE", "memberIds": [bob.id] });
    let (private, public) = (alice.create_channel(private).await, json!({ "groupId": group, "name": "Anywhere" }));
    let public = alice.create_channel(public).await;
    bob.join(&public).await;
    let mut client = Client::start(&bob).await;
    client.catch_up().await;
    let leave = "mutation($id: ID!) { leaveGroup(input: { groupId: $id }) { groupId } }";
    bob.ask(leave, json!({ "id": group })).await.data("leaveGroup");
    client.converge(&bob).await;
    assert_eq!(client.kept.rows.len(), 0);
    alice.say(&private, "among us").await;
    alice.say(&public, "among gardeners").await;
    client.hears_nothing().await;
}

#[tokio::test]
async fn strangers_hear_nothing() {
    let server = TestServer::start().await;
    let (alice, bob, mallory) =
        (server.register("alice").await, server.register("bob").await, server.register("mallory").await);
    let (public, private) = (alice.public_channel("Anywhere").await, alice.private_channel("Room", &[&bob]).await);
    server.database.settle().await;
    let mut client = Client::start(&mallory).await;
    client.catch_up().await;
    alice.say(&public, "Hi").await;
    alice.say(&private, "Hi").await;
    mark_read(&bob, &private).await;
    remove(&alice, &private, &bob).await;
    bob.prefer(json!({ "theme": "DARK" })).await;
    bob.query("mutation { logout { sessionId } }").await.data("logout");
    client.hears_nothing().await;
    // And afterwards neither.
    let (_, cursor) = (client.stream, client.cursor);
    let mut resumed = Client::resume(&mallory, client.kept, cursor).await;
    resumed.catch_up().await;
    assert!(resumed.heard.iter().all(|kind| kind == "ViewerChangedEvent"), "{:?}", resumed.heard);
}

#[tokio::test]
async fn changes_within_a_second_come_as_one() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let mut client = Client::start(&bob).await;
    client.catch_up().await;
    for number in 0..20 {
        alice.say(&channel, &number.to_string()).await;
    }
    client.converge(&bob).await;
    assert_eq!(client.kept.rows[&channel]["lastMessage"]["content"], "19");
    assert!(client.heard.len() < 8, "{:?}", client.heard);
}

#[tokio::test]
async fn what_one_device_does_the_others_see() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    let elsewhere = bob.at(other.address);
    let (mut here, mut there) = (Client::start(&bob).await, Client::start(&elsewhere).await);
    for client in [&mut here, &mut there] {
        client.catch_up().await;
    }
    alice.say(&channel, "Hi").await;
    for client in [&mut here, &mut there] {
        client.converge(&bob).await;
        assert_eq!(client.kept.unread["conversationCount"], 1);
    }
    mark_read(&elsewhere, &channel).await;
    for client in [&mut here, &mut there] {
        client.converge(&bob).await;
        assert_eq!(client.kept.unread["conversationCount"], 0);
    }
    bob.prefer(json!({ "theme": "DARK" })).await;
    there.converge(&bob).await;
}

#[tokio::test]
async fn who_blocks_somebody_sees_on_every_device_what_they_may_do_no_more() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    alice.direct_with(&[&bob]).await;
    server.database.settle().await;
    let (mut client, mut blocked) = (Client::start(&alice).await, Client::start(&bob).await);
    client.catch_up().await;
    blocked.catch_up().await;
    for is_blocked in [true, false] {
        let (kept, cursor) = (client.kept.clone(), client.cursor.clone());
        if is_blocked {
            alice.block(&bob).await
        } else {
            alice.unblock(&bob).await
        }
        client.converge(&alice).await;
        assert_ne!(client.kept, kept);
        let mut resumed = Client::resume(&alice, kept, cursor).await;
        resumed.converge(&alice).await;
    }
    // The other one finds out when they try.
    blocked.hears_nothing().await;
}

#[tokio::test]
async fn a_session_that_ends_is_told_of_and_its_own_stream_completes() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let again = Actor::log_in(server.address, "alice").await;
    let (mut ending, mut other) = (Client::start(&again).await, Client::start(&alice).await);
    ending.catch_up().await;
    other.catch_up().await;
    let ended = again.query("mutation { logout { sessionId } }").await.data("logout")["sessionId"].clone();
    let last = ending.until("SessionRevokedEvent").await;
    assert_eq!((&last["sessionId"], &last["isCurrent"]), (&ended, &json!(true)));
    assert_eq!(ending.stream.end().await, Ended::Complete);
    assert_eq!(ending.socket.closed().await, 4401);
    let heard = other.until("SessionRevokedEvent").await;
    assert_eq!((&heard["sessionId"], &heard["isCurrent"]), (&ended, &json!(false)));
}

/// Several people at two servers, who do whatever comes to their minds, one after the other and at once.
#[tokio::test]
async fn whatever_happens_everybody_ends_up_with_what_there_is() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let mut people = join_all(["alice", "bob", "carol", "dan"].map(|name| server.register(name))).await;
    people[1] = people[1].at(other.address);
    people[3] = people[3].at(other.address);
    let mut channels = vec![people[0].public_channel("Anywhere").await];
    channels.push(people[0].private_channel("Room", &[&people[1], &people[2], &people[3]]).await);
    channels.push(people[2].public_channel("Elsewhere").await);
    let mut clients = Vec::new();
    for person in &people {
        clients.push(Client::start(person).await);
    }
    let mut random = Random(7);
    for _ in 0..12 {
        let deeds: Vec<_> = (0..6).map(|_| (random.below(4), random.below(3), random.below(10))).collect();
        join_all(deeds.iter().map(|&(who, place, deed)| act(&people, who, &channels[place], deed))).await;
    }
    for (client, person) in clients.iter_mut().zip(&people) {
        client.converge(person).await;
    }
}

/// Does something; it may be refused.
async fn act(people: &[Actor], who: usize, channel: &str, deed: usize) {
    let (me, whom) = (&people[who], &people[(who + 1) % people.len()]);
    let key = uuid::Uuid::new_v4().to_string();
    let (mutation, variables) = match deed {
        0..=2 => (
            "mutation($id: ID!, $key: String!) { sendMessage(input: { conversationId: $id, clientKey: $key, content: \"Hi\" }) { isReplay } }",
            json!({ "id": channel, "key": key }),
        ),
        3 => (READ, json!({ "id": channel })),
        4 => (
            "mutation($id: ID!) { joinChannel(input: { channelId: $id }) { channel { id } } }",
            json!({ "id": channel }),
        ),
        5 => (
            "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) { conversationId } }",
            json!({ "id": channel }),
        ),
        6 => (
            "mutation($id: ID!, $whom: ID!) { addConversationMembers(input: { conversationId: $id, userIds: [$whom] }) { members { id } } }",
            json!({ "id": channel, "whom": whom.id }),
        ),
        7 => (
            "mutation($id: ID!) { updateConversationViewerState(input: { conversationId: $id, isFavorite: true }) { viewerState { id } } }",
            json!({ "id": channel }),
        ),
        8 => (
            "mutation($id: ID!, $topic: String) { updateChannel(input: { channelId: $id, topic: $topic }) { channel { id } } }",
            json!({ "id": channel, "topic": key }),
        ),
        _ => (RENAME, json!({ "name": key })),
    };
    me.ask(mutation, variables).await;
}

/// The same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit) as usize
    }
}
