//! Many who are shown the same: by one execution, and each with what is theirs alone.

use chinwag::accounts::authenticate;
use chinwag::context::{Origin, Scope};
use chinwag::conversations::{Followed, Reference, follow, in_sight};
use chinwag::subscription::{Delivery, Sharing};
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use serde_json::{Value, json};

use crate::harness::{Actor, Ended, Socket, Stream, TestServer, sdl};
use crate::toy::Toy;

/// Some who follow a channel, with what keeps them connected.
async fn followers(people: &[Actor], query: &str, variables: &Value) -> Vec<(Socket, Stream)> {
    let joining = people.iter().map(async |person| {
        let mut socket = person.socket().await;
        let mut log = socket.run(query, variables.clone());
        log.batch().await;
        (socket, log)
    });
    join_all(joining).await
}

async fn people(server: &TestServer, names: &[&str]) -> Vec<Actor> {
    join_all(names.iter().map(|name| server.register(name))).await
}

/// Waits for the delivery that says that nothing waits beyond a position.
async fn caught_up(log: &mut Stream, seq: &Value) {
    let mut batch = log.batch().await;
    while &batch["seq"] != seq || batch["isCaughtUp"] != true {
        assert_eq!(batch["hasGap"], false);
        batch = log.batch().await;
    }
}

const ROWS: &str = "subscription($id: ID!, $after: Int) { conversationEvents(conversationId: $id, after: $after) {
    seq isCaughtUp hasGap events { __typename seq actor { username }
        ... on MessageSentEvent { message { content author { username displayName } replyTo { content } } } } } }";

#[tokio::test]
async fn a_message_costs_as_many_statements_for_twelve_as_for_one() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let variables = json!({ "id": channel });
    let say = async |logs: &mut [(Socket, Stream)]| {
        let (statements, _) = server
            .statements(async {
                let said = alice.say(&channel, "for all").await;
                for (_, log) in logs {
                    caught_up(log, &said["seq"]).await;
                }
            })
            .await;
        statements
    };
    let mut one = followers(std::slice::from_ref(&alice), ROWS, &variables).await;
    // The first message finds the group still looking whether it has missed one.
    say(&mut one).await;
    let for_one = say(&mut one).await;
    let mut twelve = one;
    twelve.extend(followers(&vec![alice.clone(); 11], ROWS, &variables).await);
    let for_twelve = say(&mut twelve).await;
    assert_eq!(for_one, for_twelve);
    // They resumed at different places, which makes no difference any more.
    let resumed = followers(&vec![alice.clone(); 4], ROWS, &json!({ "id": channel, "after": 3 })).await;
    twelve.extend(resumed);
    assert_eq!(say(&mut twelve).await, for_one);
}

#[tokio::test]
async fn everybody_is_shown_the_same_bytes_and_everything_once() {
    let server = TestServer::start().await;
    let names = people(&server, &["alice", "bob", "carol", "dan"]).await;
    let channel = names[0].public_channel("Anywhere").await;
    let mut logs = followers(&names, ROWS, &json!({ "id": channel })).await;
    for number in 0..30 {
        names[0].say(&channel, &number.to_string()).await;
    }
    let mut heard = Vec::new();
    for (_, log) in &mut logs {
        heard.push(log.events_until(31).await);
    }
    assert!(heard.iter().all(|events| events == &heard[0]));
    let seqs: Vec<_> = heard[0].iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (2..=31).collect::<Vec<_>>());
    assert_eq!(heard[0][7]["message"]["content"], "7");
}

#[tokio::test]
async fn what_depends_on_who_looks_is_each_ones_own() {
    let server = TestServer::start().await;
    let names = people(&server, &["alice", "bob", "carol"]).await;
    let channel = names[0].public_channel("Anywhere").await;
    let block = "mutation($id: ID!) { blockUser(input: { userId: $id }) { user { id } } }";
    let alice_id = names[0].query("{ viewer { user { id } } }").await.data("viewer")["user"]["id"].clone();
    names[1].ask(block, json!({ "id": alice_id })).await.data("blockUser");
    let query = "subscription($id: ID!) { conversationEvents(conversationId: $id) { seq hasGap events {
        ... on MessageSentEvent { actor { viewerHasBlocked } } } } }";
    let mut logs = followers(&names, query, &json!({ "id": channel })).await;
    names[0].say(&channel, "who blocks me?").await;
    let mut seen = Vec::new();
    for (_, log) in &mut logs {
        seen.push(log.events_until(2).await[0]["actor"]["viewerHasBlocked"].clone());
    }
    assert_eq!(seen, [false, true, false]);
}

/// The people of a status are those whose presence the viewer sees, which is said of no field but is so.
#[tokio::test]
async fn what_turns_out_to_depend_on_who_looks_is_executed_for_each() {
    let server = TestServer::start().await;
    let names = people(&server, &["alice", "bob", "carol"]).await;
    let channel = names[0].public_channel("Anywhere").await;
    names[1].join(&channel).await;
    let query = "subscription($id: ID!) { conversationEvents(conversationId: $id) { seq hasGap events {
        ... on MessageSentEvent { message { conversation { ... on Channel {
            members(filter: { statuses: [ONLINE] }) { nodes { id } } } } } } } } }";
    let mut logs = followers(&names, query, &json!({ "id": channel })).await;
    for seq in 3..=4 {
        names[0].say(&channel, "who is here?").await;
        let mut seen = Vec::new();
        for (_, log) in &mut logs {
            let events = log.events_until(seq).await;
            seen.push(events[0]["message"]["conversation"]["members"]["nodes"].as_array().unwrap().len());
        }
        // Carol shares nothing with anybody.
        assert_eq!(seen, [2, 2, 0]);
    }
}

#[tokio::test]
async fn variables_that_make_a_difference_are_no_ones_but_their_own() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let query = "subscription($id: ID!, $with: Boolean!, $size: Int = 1) { conversationEvents(conversationId: $id) { seq hasGap events {
        ... on MessageSentEvent { message { content @include(if: $with) conversation {
            messages(last: $size) { nodes { seq } } } } } } } }";
    let mut logs = Vec::new();
    for (with, size) in [(true, 1), (false, 1), (true, 2)] {
        let variables = json!({ "id": channel, "with": with, "size": size });
        logs.extend(followers(std::slice::from_ref(&alice), query, &variables).await);
    }
    alice.say(&channel, "one").await;
    for (_, log) in &mut logs {
        log.events_until(2).await;
    }
    alice.say(&channel, "two").await;
    let mut shown = Vec::new();
    for (_, log) in &mut logs {
        let message = log.events_until(3).await[0]["message"].clone();
        let page = message["conversation"]["messages"]["nodes"].as_array().unwrap().len();
        shown.push((message.get("content").is_some(), page));
    }
    assert_eq!(shown, [(true, 1), (false, 1), (true, 2)]);
}

/// A position given to `after` is what it is shown by too: it is not left out of what tells the two apart.
#[tokio::test]
async fn a_position_that_is_used_twice_makes_a_difference() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let query =
        "subscription($id: ID!, $at: Int!) { conversationEvents(conversationId: $id, after: $at) { seq hasGap events {
        ... on MessageSentEvent { message { conversation { events(after: $at, first: 1) { events { seq } } } } } } } }";
    for content in ["one", "two"] {
        alice.say(&channel, content).await;
    }
    let mut logs = Vec::new();
    for at in [1, 2] {
        let mut socket = alice.socket().await;
        let mut log = socket.run(query, json!({ "id": channel, "at": at }));
        log.events_until(3).await;
        logs.push((socket, log, at));
    }
    alice.say(&channel, "three").await;
    for (_, log, at) in &mut logs {
        let events = log.events_until(4).await;
        assert_eq!(events[0]["message"]["conversation"]["events"]["events"], json!([{ "seq": *at + 1 }]));
    }
}

/// Those who come later would otherwise be shown a position that is long past.
#[tokio::test]
async fn a_page_within_an_event_is_at_least_as_late_as_the_event() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let query = "subscription($id: ID!) { conversationEvents(conversationId: $id) { seq hasGap events {
        ... on MessageSentEvent { message { conversation { messages(last: 1) { seq } } } } } } }";
    let mut logs = followers(&[alice.clone(), alice.clone()], query, &json!({ "id": channel })).await;
    for seq in 2..=4 {
        alice.say(&channel, "later").await;
        for (_, log) in &mut logs {
            let page = log.events_until(seq).await[0]["message"]["conversation"]["messages"]["seq"].clone();
            assert!(page.as_i64().unwrap() >= seq, "{page} at {seq}");
        }
    }
}

/// What was told before the end waits for one who is slow, and would be shown to them as it is now.
#[tokio::test]
async fn a_slow_reader_is_shown_nothing_once_it_has_turned_private() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let channel = alice.public_channel("Anywhere").await;
    let mut logs = Vec::new();
    for actor in [&alice, &mallory] {
        let viewer = authenticate(&server.app, actor.token.as_ref().unwrap()).unwrap();
        let origin = Origin { address: None, is_local: false };
        let scope = Scope::new(server.app.clone(), Some(viewer), "test".to_owned(), origin);
        let reference = Reference::parse(&channel).unwrap();
        let sight = in_sight(&scope, &viewer, reference).await.ok().unwrap().unwrap();
        let mut log = follow(&server.app, viewer, sight, None, Sharing::default()).boxed();
        next_seq(&mut log).await;
        logs.push(log);
    }
    alice.say(&channel, "for everybody").await;
    assert_eq!(next_seq(&mut logs[0]).await, Some(2));
    change(&alice, &channel, "updateChannel(input: { channelId: $id, visibility: PRIVATE })").await;
    assert_eq!(next_seq(&mut logs[0]).await, Some(3));
    assert_eq!(next_seq(&mut logs[1]).await, None);
}

/// Of what is to be shown to this one alone.
async fn next_seq(log: &mut BoxStream<'_, chinwag::error::Result<Delivery>>) -> Option<i32> {
    match log.next().await?.ok().unwrap() {
        Delivery::Event(event) => Some(event.downcast_ref::<Followed>().unwrap().batch.seq),
        Delivery::Shown(_) => panic!("nobody shares this"),
    }
}

/// Nobody would hear why nothing comes.
#[tokio::test]
async fn what_always_takes_too_long_is_not_tried_for_ever() {
    let toy = Toy::start().await;
    let mut socket = toy.anonymous().await;
    socket.run("a", "subscription { lasts }").await;
    let answer = socket.next().await;
    assert_eq!((&answer["type"], &answer["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("TIMEOUT")));
}

#[tokio::test]
async fn who_is_removed_hears_that_as_the_last_and_the_others_go_on() {
    let server = TestServer::start().await;
    let names = people(&server, &["alice", "bob", "carol", "mallory"]).await;
    let members: Vec<_> = names[1..].iter().collect();
    let channel = names[0].private_channel("Secret", &members).await;
    let mut logs = followers(&names, ROWS, &json!({ "id": channel })).await;
    names[0].say(&channel, "for four").await;
    let seat = names[0].seat_of(&channel, &names[3]).await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    names[0].ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    let last = names[0].say(&channel, "for three").await["seq"].as_i64().unwrap();
    let (_socket, mut mallory) = logs.pop().unwrap();
    let events = mallory.events_until(last - 1).await;
    assert_eq!(events.last().unwrap()["__typename"], "MemberLeftEvent");
    assert_eq!(mallory.end().await, Ended::Complete);
    for (_, log) in &mut logs {
        let events = log.events_until(last).await;
        assert_eq!(events.last().unwrap()["message"]["content"], "for three");
    }
}

/// However they come together, each hears all of it in order and once: those who come while others write, from wherever
/// they were, and those who turn away and come back.
#[tokio::test]
async fn those_who_come_while_others_write_miss_nothing() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let writer = if writer % 2 == 0 { alice.clone() } else { alice.at(other.address) };
            let channel = channel.clone();
            tokio::spawn(async move {
                for number in 0..40 {
                    writer.say(&channel, &number.to_string()).await;
                }
            })
        })
        .collect();
    let last = 161;
    let readers = (0..12).map(|reader| {
        let (alice, channel) = (if reader % 3 == 0 { alice.at(other.address) } else { alice.clone() }, channel.clone());
        async move {
            let mut position = 1;
            while position < last {
                let mut socket = alice.socket().await;
                let mut log = socket.run(ROWS, json!({ "id": channel, "after": position }));
                // Some stay to the end, others come again after a few deliveries.
                for _ in 0..if reader < 4 { usize::MAX } else { reader } {
                    let batch = log.batch().await;
                    assert_eq!(batch["hasGap"], false);
                    for event in batch["events"].as_array().unwrap() {
                        position += 1;
                        assert_eq!(event["seq"], position);
                    }
                    assert_eq!(batch["seq"], position);
                    if position == last {
                        break;
                    }
                }
            }
        }
    });
    join_all(readers).await;
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn a_delivery_says_at_last_that_nothing_further_waits() {
    let server = TestServer::start().await;
    let names = people(&server, &["alice", "bob"]).await;
    let channel = names[0].public_channel("Anywhere").await;
    let mut logs = followers(&names, ROWS, &json!({ "id": channel })).await;
    join_all((0..50).map(|number| {
        let (alice, channel) = (names[0].clone(), channel.clone());
        async move { alice.say(&channel, &number.to_string()).await }
    }))
    .await;
    for (_, log) in &mut logs {
        caught_up(log, &json!(51)).await;
    }
}

#[tokio::test]
async fn signals_are_shared_but_not_with_whom_they_are_about_or_hidden_from() {
    let server = TestServer::start().await;
    let names = people(&server, &["alice", "bob", "carol", "dan"]).await;
    let members: Vec<_> = names[1..].iter().collect();
    let channel = names[0].private_channel("Here", &members).await;
    let block = "mutation($id: ID!) { blockUser(input: { userId: $id }) { user { id } } }";
    let alice_id = names[0].query("{ viewer { user { id } } }").await.data("viewer")["user"]["id"].clone();
    names[3].ask(block, json!({ "id": alice_id })).await.data("blockUser");
    let query = "subscription($id: ID!) { conversationSignals(conversationId: $id) { signals { user { username } } } }";
    let mut sockets = join_all(names.iter().map(Actor::socket)).await;
    let mut heard: Vec<_> = sockets.iter_mut().map(|socket| socket.run(query, json!({ "id": channel }))).collect();
    for stream in &mut heard {
        assert_eq!(stream.next().await["conversationSignals"]["signals"], json!([]));
    }
    let typing = "mutation($id: ID!) { setTyping(input: { conversationId: $id, isTyping: true }) { expiresAt } }";
    for writer in [&names[0], &names[1]] {
        writer.ask(typing, json!({ "id": channel })).await.data("setTyping");
    }
    let mut told = Vec::new();
    for (stream, count) in heard.iter_mut().zip([1, 1, 2, 1]) {
        let mut names = Vec::new();
        while names.len() < count {
            let signals = stream.next().await["conversationSignals"]["signals"].clone();
            let signals = signals.as_array().unwrap().iter();
            names.extend(signals.map(|signal| signal["user"]["username"].as_str().unwrap().to_owned()));
        }
        told.push(names.join(" "));
    }
    assert_eq!(told, ["bob", "alice", "alice bob", "bob"]);
}

/// Whatever no mark says depends on who asks can be shown to all at once: as many statements for eight as for one, but
/// that look-ups from two depths of a document are sometimes one statement and sometimes two.
#[tokio::test]
async fn what_is_not_marked_needs_nobody_who_asks() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for event in sdl::implementors("ConversationEvent") {
        let all = everything(&event, &mut vec![event.clone()]);
        let query = format!(
            "subscription($id: ID!) {{ conversationEvents(conversationId: $id) {{
                seq hasGap events {{ __typename ... on {event} {all} }} }} }}"
        );
        let mut costs = Vec::new();
        for count in [1, 8] {
            let channel = alice.public_channel(&format!("{event} for {count}")).await;
            let mut logs = followers(&vec![alice.clone(); count], &query, &json!({ "id": channel })).await;
            let mut shown = Vec::new();
            let mut cost = 0;
            for (at, happens) in HAPPENS.into_iter().enumerate() {
                let (statements, ()) = server
                    .statements(async {
                        happens(&alice, &bob, &channel).await;
                        for (_, log) in &mut logs {
                            let events = log.events_until(at as i64 + 2).await;
                            shown.push(events[0]["__typename"].as_str().unwrap().to_owned());
                        }
                    })
                    .await;
                // The first finds the group still looking whether it has missed one.
                cost += if at == 0 { 0 } else { statements.len() };
            }
            assert!(shown.contains(&event), "{event} does not happen here");
            costs.push(cost);
        }
        assert!(
            costs[1] < costs[0] + 6,
            "{costs:?} {event}: something below it asks who looks, and no mark says so: {all}"
        );
    }
}

type Happens = for<'a> fn(&'a Actor, &'a Actor, &'a str) -> BoxFuture<'a, ()>;

/// One event of each kind.
const HAPPENS: [Happens; 14] = [
    |alice, _, channel| alice.say(channel, "first").map(drop).boxed(),
    |alice, _, channel| alice.say(channel, "second").map(drop).boxed(),
    |alice, _, channel| change_last(alice, channel, "addReaction(input: { messageId: $id, emoji: \"👍\" })").boxed(),
    |alice, _, channel| change_last(alice, channel, "removeReaction(input: { messageId: $id, emoji: \"👍\" })").boxed(),
    |alice, _, channel| change_last(alice, channel, "pinMessage(input: { messageId: $id })").boxed(),
    |alice, _, channel| change_last(alice, channel, "unpinMessage(input: { messageId: $id })").boxed(),
    |alice, _, channel| {
        change_last(alice, channel, "editMessage(input: { messageId: $id, content: \"edited\" })").boxed()
    },
    |alice, _, channel| change_last(alice, channel, "deleteMessage(input: { messageId: $id })").boxed(),
    |_, bob, channel| bob.join(channel).boxed(),
    |alice, bob, channel| promote(alice, bob, channel).boxed(),
    |_, bob, channel| bob.leave(channel).boxed(),
    |alice, _, channel| change(alice, channel, "updateChannel(input: { channelId: $id, topic: \"other\" })").boxed(),
    |alice, _, channel| change(alice, channel, "archiveChannel(input: { channelId: $id })").boxed(),
    |alice, _, channel| change(alice, channel, "unarchiveChannel(input: { channelId: $id })").boxed(),
];

async fn change(alice: &Actor, id: &str, mutation: &str) {
    let mutation = format!("mutation($id: ID!) {{ done: {mutation} {{ __typename }} }}");
    alice.ask(&mutation, json!({ "id": id })).await.data("done");
}

async fn change_last(alice: &Actor, channel: &str, mutation: &str) {
    let query = "query($id: ID!) { conversation(id: $id) { lastMessage { id } } }";
    let found = alice.ask(query, json!({ "id": channel })).await.data("conversation");
    change(alice, found["lastMessage"]["id"].as_str().unwrap(), mutation).await;
}

async fn promote(alice: &Actor, bob: &Actor, channel: &str) {
    let seat = alice.seat_of(channel, bob).await;
    change(alice, &seat, "updateConversationMember(input: { memberId: $id, role: ADMIN })").await;
}

/// A selection of all that is not marked and takes no argument that must be given, each type once on the way down.
fn everything(object: &str, above: &mut Vec<String>) -> String {
    let mut selected = vec!["__typename".to_owned()];
    for field in sdl::fields(object) {
        if field.is_per_viewer || field.arguments.iter().any(|argument| argument.is_required) {
            continue;
        }
        let objects = sdl::objects_of(&field.kind);
        if objects.is_empty() {
            selected.push(field.name);
            continue;
        }
        let mut parts = Vec::new();
        for object in objects {
            if !above.contains(&object) && above.len() < 4 {
                above.push(object.clone());
                parts.push(format!("... on {object} {}", everything(&object, above)));
                above.pop();
            }
        }
        if !parts.is_empty() {
            selected.push(format!("{} {{ {} }}", field.name, parts.join(" ")));
        }
    }
    format!("{{ {} }}", selected.join(" "))
}
