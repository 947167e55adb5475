//! What is unread, held against the rule's own words while several people do all they can at once: "Messages of others
//! outside of threads after the read position, deleted ones left out. Writing outside of a thread reads up to that
//! message; joining, again too, reads all." The model knows the log and what was marked, and counts by looking at it.
//! What one did at once may have been done in any order, so it knows where a position may be, and goes on from where it
//! is.

use std::collections::{BTreeSet, HashMap};

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
                rooms[deed.room].note(person, deed);
            }
        }
        for room in &mut rooms {
            room.hear(&people[0]).await;
        }
        let shown = join_all(people.iter().map(|person| Shown::to(person, &rooms))).await;
        for (person, mut shown) in people.iter().zip(shown) {
            for state in &shown.sidebar {
                let (id, position) = (state["conversation"]["id"].as_str().unwrap(), &state["lastReadSeq"]);
                let room = rooms.iter_mut().find(|room| room.id == id).unwrap();
                room.settle(person, position.as_i64().unwrap());
            }
            // Whoever is none any more will begin anew.
            rooms.iter_mut().for_each(|room| drop(room.moves.remove(&person.name)));
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
    /// Where somebody's position stood after the round before, by name.
    positions: HashMap<String, i64>,
    /// How it was moved since, in whatever order.
    moves: HashMap<String, Vec<Move>>,
    /// The seats that hold, by name.
    seats: HashMap<String, String>,
}

/// What moves a position.
#[derive(Clone, Debug, PartialEq)]
enum Move {
    /// By joining or writing; these come in the order of the log.
    To(i64),
    /// Marked read up to here.
    Forward(i64),
    /// Marked read up to the head, which was here when it was said or has come further since.
    ToHead(i64),
    /// Marked unread from behind here on.
    Back(i64),
}

impl Move {
    fn from(&self, position: i64, head: i64) -> Vec<i64> {
        match *self {
            Self::To(seq) => vec![seq],
            Self::Forward(to) => vec![position.max(to)],
            Self::ToHead(least) => (least..=head).map(|to| position.max(to)).collect(),
            Self::Back(to) => vec![position.min(to)],
        }
    }

    /// Where one may have come to who did all of these at once.
    fn all(from: BTreeSet<i64>, moves: &[Self], head: i64) -> BTreeSet<i64> {
        if moves.is_empty() {
            return from;
        }
        let mut reached = BTreeSet::new();
        for (at, next) in moves.iter().enumerate() {
            let is_later = |other: &Self| matches!((other, next), (Self::To(other), Self::To(seq)) if other < seq);
            if moves.iter().any(is_later) {
                continue;
            }
            let rest = [&moves[..at], &moves[at + 1..]].concat();
            let there = from.iter().flat_map(|position| next.from(*position, head)).collect();
            reached.extend(Self::all(there, &rest, head));
        }
        reached
    }
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
        Self {
            id,
            is_open,
            seq: 0,
            messages: Vec::new(),
            positions: HashMap::new(),
            moves: HashMap::new(),
            seats: HashMap::new(),
        }
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
                    self.moves.entry(author.clone()).or_default().push(Move::To(seq));
                }
                self.messages.push(Message { id, seq, author, is_in_thread, is_deleted: false });
            }
            "MessagesDeletedEvent" => {
                let deleted = &event["messages"][0]["id"];
                self.messages.iter_mut().find(|message| *deleted == *message.id).unwrap().is_deleted = true;
            }
            "MemberJoinedEvent" => {
                self.moves.entry(name(&event["user"])).or_default().push(Move::To(seq));
                // Null where it has ended since, as the log goes on to say.
                self.seats.insert(name(&event["user"]), event["member"]["id"].as_str().unwrap_or_default().to_owned());
            }
            "MemberLeftEvent" => drop(self.seats.remove(&name(&event["user"]))),
            other => panic!("{other}"),
        }
    }

    /// Keeps what somebody marked.
    fn note(&mut self, person: &Actor, deed: &Deed) {
        if let Some(marks) = &deed.marks {
            self.moves.entry(person.name.clone()).or_default().push(marks.clone());
        }
    }

    /// Finds that somebody's position is one to which all that they did may have brought it, and goes on from there.
    fn settle(&mut self, person: &Actor, position: i64) {
        let moves = self.moves.remove(&person.name).unwrap_or_default();
        let from = self.positions.get(&person.name).copied().unwrap_or_default();
        let reached = Move::all(BTreeSet::from([from]), &moves, self.seq);
        assert!(reached.contains(&position), "{} is at {position}, from {from} by {moves:?}", person.name);
        self.positions.insert(person.name.clone(), position);
    }

    fn is_member(&self, person: &Actor) -> bool {
        self.seats.contains_key(&person.name)
    }

    fn state_of(&self, person: &Actor) -> Value {
        let position = self.positions[&person.name];
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
    /// How it moves the position of whoever does it.
    marks: Option<Move>,
}

const DEED_NAMES: [&str; 12] = [
    "send",
    "reply",
    "delete",
    "mark all",
    "mark a position",
    "mark beyond the head",
    "mark a message",
    "mark unread",
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
            (24..32, _, _) => ("mark all", "markConversationRead", here, Some(Move::ToHead(room.seq))),
            (32..40, _, _) => {
                let seq = chance.random_range(0..=room.seq);
                ("mark a position", "markConversationRead", with("seq", json!(seq)), Some(Move::Forward(seq)))
            }
            (40..44, _, _) => {
                let seq = room.seq + chance.random_range(1..9);
                ("mark beyond the head", "markConversationRead", with("seq", json!(seq)), Some(Move::ToHead(room.seq)))
            }
            (44..52, _, Some(root)) => {
                let marks = Move::Forward(root.seq);
                ("mark a message", "markConversationRead", with("messageId", json!(root.id)), Some(marks))
            }
            (90..98, _, Some(root)) => {
                let marks = Move::Back(root.seq - 1);
                ("mark unread", "markConversationUnread", json!({ "messageId": root.id }), Some(marks))
            }
            (52..64, _, _) if room.is_open && !is_owner && is_in => ("leave", "leaveConversation", here, None),
            (52..90, _, _) if room.is_open && !is_in => ("join", "joinChannel", json!({ "channelId": room.id }), None),
            (52..80, _, _) if !room.is_open && is_owner => match room.seats.get(&someone.name) {
                Some(seat) => ("remove", "removeConversationMember", json!({ "memberId": seat }), None),
                None => ("add", "addConversationMembers", with("userIds", json!([someone.id])), None),
            },
            _ => ("send", "sendMessage", send, None),
        };
        Self { name, room: index, ask: mutation(field, "__typename"), input, marks }
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
