//! What is unread, held against the rule's own words while several people do all they can at once: "Messages of others
//! outside of threads after the read position, deleted ones left out. Writing outside of a thread reads up to that
//! message; joining, again too, reads all." The model knows the log and what was marked, and counts by looking at it.

use std::collections::HashMap;

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

const ROUNDS: usize = 20;
/// What each of them does at once in a round, as if on several devices.
const DEEDS: usize = 3;

#[tokio::test]
async fn what_is_unread_is_what_the_rule_says_whatever_people_do_at_once() {
    let seed: u64 = rand::random();
    // Shown if it fails. It decides what people do, not who is faster.
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let server = TestServer::start().await;
    let mut people = Vec::new();
    for name in ["alice", "bob", "carol", "dave", "erin"] {
        people.push(server.register(name).await);
    }
    let everybody: Vec<&Actor> = people[1..].iter().collect();
    let (open, closed) =
        (people[0].public_channel("open").await, people[0].private_channel("closed", &everybody).await);
    people[1].join(&open).await;
    let mut rooms = [Room::new(open, true), Room::new(closed, false)];
    // Alice owns both and never leaves; Bob deletes what others write.
    let moderates = json!({ "conversationId": rooms[1].id, "userIds": [people[1].id], "role": "MODERATOR" });
    let removed = json!({ "memberId": people[0].seat_of(&rooms[1].id, &people[1]).await });
    people[0].ask(&mutation("removeConversationMember", "memberId"), json!({ "input": removed })).await;
    people[0].ask(&mutation("addConversationMembers", "conversation { id }"), json!({ "input": moderates })).await;
    for room in &mut rooms {
        room.hear(&people[0]).await;
    }

    let (mut done, mut most, mut dead) = (HashMap::<&str, usize>::new(), 0, 0);
    for _ in 0..ROUNDS {
        let deeds: Vec<_> = people
            .iter()
            .flat_map(|person| (0..DEEDS).map(move |_| person))
            .map(|person| (person, Deed::any(&mut chance, person, &people, &rooms)))
            .collect();
        let answers = join_all(deeds.iter().map(|(person, deed)| deed.run(person))).await;
        for ((person, deed), answer) in deeds.iter().zip(&answers) {
            if deed.succeeded(answer) {
                *done.entry(deed.name).or_default() += 1;
                rooms[deed.room].note(person, deed, answer);
            }
        }
        for room in &mut rooms {
            room.hear(&people[0]).await;
        }
        let shown = join_all(people.iter().map(|person| Shown::to(person, &rooms))).await;
        for (person, mut shown) in people.iter().zip(shown) {
            let expected = rooms.iter().filter(|room| room.is_member(person)).map(|room| room.state_of(person));
            let mut expected: Vec<Value> = expected.collect();
            expected.sort_by_key(|state| state["conversation"]["id"].to_string());
            shown.sidebar.sort_by_key(|state| state["conversation"]["id"].to_string());
            assert_eq!(shown.sidebar, expected, "left: what {} sees", person.name);
            let unread = expected.iter().filter(|state| state["unreadCount"] != 0);
            let unread: Vec<_> =
                unread.map(|state| (state["conversation"].clone(), state["firstUnreadMessage"].clone())).collect();
            assert_eq!(shown.badge, unread.len(), "{}", person.name);
            assert_eq!(shown.inbox.len(), unread.len(), "{}", person.name);
            for (conversation, first) in unread {
                assert!(shown.inbox.contains(&conversation), "{}", person.name);
                assert_eq!(shown.opens_at[conversation["id"].as_str().unwrap()], first, "{}", person.name);
            }
            let counts = expected.iter().map(|state| state["unreadCount"].as_u64().unwrap());
            most = most.max(counts.max().unwrap_or_default());
        }
        dead = rooms.iter().map(|room| room.messages.iter().filter(|message| message.is_deleted).count()).sum();
    }
    // All of it has happened, or the test would prove nothing.
    assert!(DEED_NAMES.iter().all(|name| done.contains_key(name)), "{done:?}");
    assert!(most > 2 && dead > 5, "at most {most} unread, {dead} deleted");
}

// The model.

/// A conversation as its log tells it.
struct Room {
    id: String,
    is_open: bool,
    seq: i64,
    messages: Vec<Message>,
    /// Where somebody's position was moved to, by name: by joining, by writing, by marking.
    moves: HashMap<String, Vec<i64>>,
    /// The seats that hold, by name.
    seats: HashMap<String, String>,
}

struct Message {
    id: String,
    seq: i64,
    author: String,
    is_in_thread: bool,
    is_deleted: bool,
}

impl Room {
    fn new(id: String, is_open: bool) -> Self {
        Self { id, is_open, seq: 0, messages: Vec::new(), moves: HashMap::new(), seats: HashMap::new() }
    }

    /// Reads on in the log, up to its end.
    async fn hear(&mut self, reader: &Actor) {
        loop {
            let found = reader.ask(LOG, json!({ "id": self.id, "after": self.seq })).await.data("conversation");
            let batch = &found["events"];
            assert_eq!(batch["hasGap"], false);
            for event in batch["events"].as_array().unwrap() {
                self.apply(event);
            }
            self.seq = batch["seq"].as_i64().unwrap();
            if self.seq == found["seq"].as_i64().unwrap() {
                return;
            }
        }
    }

    fn apply(&mut self, event: &Value) {
        let name = |value: &Value| value["username"].as_str().unwrap().to_owned();
        let seq = event["seq"].as_i64().unwrap();
        match event["__typename"].as_str().unwrap() {
            "MessageSentEvent" => {
                let (message, is_in_thread) = (&event["message"], event["timelineEdge"].is_null());
                let (id, author) = (text(&message["id"]), name(&message["author"]));
                if !is_in_thread {
                    self.moves.entry(author.clone()).or_default().push(seq);
                }
                self.messages.push(Message { id, seq, author, is_in_thread, is_deleted: false });
            }
            "MessagesDeletedEvent" => {
                let deleted = &event["messages"][0]["id"];
                self.messages.iter_mut().find(|message| *deleted == *message.id).unwrap().is_deleted = true;
            }
            "MemberJoinedEvent" => {
                self.moves.entry(name(&event["user"])).or_default().push(seq);
                // Null where it has ended since, as the log goes on to say.
                self.seats.insert(name(&event["user"]), event["member"]["id"].as_str().unwrap_or_default().to_owned());
            }
            "MemberLeftEvent" => drop(self.seats.remove(&name(&event["user"]))),
            other => panic!("{other}"),
        }
    }

    /// Keeps what somebody marked. Of a position up to which the log was known it is that very one; further on, it is
    /// what the answer said, which is no earlier than what was known.
    fn note(&mut self, person: &Actor, deed: &Deed, answer: &Value) {
        let Some(marked) = deed.marks else { return };
        let now = answer["data"]["markConversationRead"]["viewerState"]["lastReadSeq"].as_i64().unwrap();
        assert!(now >= marked.min(self.seq), "{} is at {now} after {deed:?}", person.name);
        self.moves.entry(person.name.clone()).or_default().push(if marked <= self.seq { marked } else { now });
    }

    fn is_member(&self, person: &Actor) -> bool {
        self.seats.contains_key(&person.name)
    }

    /// Positions move forward only.
    fn position(&self, person: &Actor) -> i64 {
        self.moves[&person.name].iter().copied().max().unwrap()
    }

    fn state_of(&self, person: &Actor) -> Value {
        let position = self.position(person);
        let unread = self.messages.iter().filter(|message| {
            message.author != person.name && !message.is_in_thread && message.seq > position && !message.is_deleted
        });
        let unread: Vec<&Message> = unread.collect();
        json!({
            "conversation": { "id": self.id },
            "member": { "id": self.seats[&person.name] },
            "lastReadSeq": position,
            "unreadCount": unread.len(),
            "firstUnreadMessage": unread.first().map(|message| json!({ "id": message.id })),
        })
    }
}

// What people do.

#[derive(Debug)]
struct Deed {
    name: &'static str,
    room: usize,
    ask: String,
    input: Value,
    /// The position that is marked.
    marks: Option<i64>,
}

const DEED_NAMES: [&str; 11] = [
    "send",
    "reply",
    "delete",
    "mark all",
    "mark a position",
    "mark beyond the head",
    "mark a message",
    "leave",
    "join",
    "remove",
    "add",
];

impl Deed {
    fn any(chance: &mut StdRng, person: &Actor, people: &[Actor], rooms: &[Room]) -> Self {
        let index = chance.random_range(0..rooms.len());
        let room = &rooms[index];
        let (is_owner, is_in) = (person.name == "alice", room.is_member(person));
        let message = room.messages.choose(chance);
        let root = room.messages.iter().filter(|message| !message.is_in_thread).collect::<Vec<_>>();
        let root = root.choose(chance);
        let key = format!("{:032x}", chance.random::<u128>());
        let here = json!({ "conversationId": room.id });
        let with = |name: &str, value: Value| {
            let mut input = here.clone();
            input[name] = value;
            input
        };
        let someone = people[2..].choose(chance).unwrap();
        let mut send = with("clientKey", json!(key));
        send["content"] = json!("Hi");
        let (name, field, input, marks) = match (chance.random_range(0..100), message, root) {
            (0..16, Some(message), _) => ("delete", "deleteMessage", json!({ "messageId": message.id }), None),
            (16..24, _, Some(root)) => {
                send["threadRootId"] = json!(root.id);
                ("reply", "sendMessage", send, None)
            }
            (24..32, _, _) => ("mark all", "markConversationRead", here, Some(i64::MAX)),
            (32..40, _, _) => {
                let seq = chance.random_range(0..=room.seq);
                ("mark a position", "markConversationRead", with("seq", json!(seq)), Some(seq))
            }
            (40..44, _, _) => {
                let seq = room.seq + chance.random_range(1..9);
                ("mark beyond the head", "markConversationRead", with("seq", json!(seq)), Some(i64::MAX))
            }
            (44..52, _, Some(root)) => {
                ("mark a message", "markConversationRead", with("messageId", json!(root.id)), Some(root.seq))
            }
            (52..64, _, _) if room.is_open && !is_owner && is_in => ("leave", "leaveConversation", here, None),
            (52..90, _, _) if room.is_open && !is_in => ("join", "joinChannel", json!({ "channelId": room.id }), None),
            (52..80, _, _) if !room.is_open && is_owner => match room.seats.get(&someone.name) {
                Some(seat) => ("remove", "removeConversationMember", json!({ "memberId": seat }), None),
                None => ("add", "addConversationMembers", with("userIds", json!([someone.id])), None),
            },
            _ => ("send", "sendMessage", send, None),
        };
        let selection = if marks.is_some() { "viewerState { lastReadSeq }" } else { "__typename" };
        Self { name, room: index, ask: mutation(field, selection), input, marks }
    }

    async fn run(&self, person: &Actor) -> Value {
        person.ask(&self.ask, json!({ "input": self.input })).await.0
    }

    /// Whoever has lost their seat, or the right, meanwhile is told so; nothing else goes wrong.
    fn succeeded(&self, answer: &Value) -> bool {
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        assert!([None, Some("FORBIDDEN"), Some("NOT_FOUND")].contains(&code), "{self:?}: {answer}");
        code.is_none()
    }
}

fn mutation(field: &str, selection: &str) -> String {
    let (first, rest) = field.split_at(1);
    let input = format!("{}{rest}Input", first.to_uppercase());
    format!("mutation($input: {input}!) {{ {field}(input: $input) {{ {selection} }} }}")
}

// What people see.

struct Shown {
    sidebar: Vec<Value>,
    inbox: Vec<Value>,
    badge: usize,
    /// The message that a conversation opens at, by its id.
    opens_at: HashMap<String, Value>,
}

impl Shown {
    async fn to(person: &Actor, rooms: &[Room]) -> Self {
        let ids: Vec<_> = rooms.iter().map(|room| &room.id).collect();
        let answer = person.ask(SHOWN, json!({ "ids": ids })).await;
        let (viewer, nodes) = (answer.data("viewer"), answer.data("nodes"));
        let nodes = nodes.as_array().unwrap().iter().filter(|node| !node.is_null());
        Self {
            sidebar: viewer["sidebar"].as_array().unwrap().clone(),
            inbox: viewer["conversations"]["nodes"].as_array().unwrap().clone(),
            badge: viewer["unread"]["conversationCount"].as_u64().unwrap() as usize,
            opens_at: nodes.map(|node| (text(&node["id"]), node["messagesAround"]["nodes"][0].clone())).collect(),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

const LOG: &str =
    "query($id: ID!, $after: Int!) { conversation(id: $id) { seq events(after: $after) { seq hasGap events {
    __typename seq
    ... on MessageSentEvent { message { id author { username } } timelineEdge { cursor } }
    ... on MessagesDeletedEvent { messages { id } }
    ... on MemberJoinedEvent { user { username } member { id } }
    ... on MemberLeftEvent { user { username } } } } } }";
const SHOWN: &str = "query($ids: [ID!]!) {
    viewer { unread { conversationCount } conversations(filter: { isUnread: true }) { nodes { id } }
        sidebar { conversation { id } member { id } lastReadSeq unreadCount firstUnreadMessage { id } } }
    nodes(ids: $ids) { id ... on Channel { messagesAround(anchor: { firstUnread: true }, before: 0, after: 0) {
        nodes { id } } } } }";
