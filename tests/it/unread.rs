//! What is unread, held against the rule's own words while several people do all they can at once: "Messages of others
//! outside of threads after the read position, deleted ones left out. Writing outside of a thread reads up to that
//! message; joining, again too, reads all." And of mentions: "Unread messages that mention the viewer, everyone or here,
//! one's own and deleted ones left out, threads included: one in a thread is read by the thread's position." The model
//! knows the log and what was marked, and counts by looking at it. What one did at once may have been done in any order, so
//! it knows where a position may be, and goes on from where it is.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

/// At least; and until all that there is to try has happened.
const ROUNDS: usize = 24;
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
    let (mut most_mentions, mut most_threads, mut certain) = (0, 0, 0);
    for round in 0.. {
        let has_all_happened = DEED_NAMES.iter().all(|name| done.contains_key(name))
            && (most > 2 && dead > 5 && most_mentions > 1 && most_threads > 1 && certain > 20);
        if round >= ROUNDS && has_all_happened {
            break;
        }
        assert!(
            round < 10 * ROUNDS,
            "{done:?}; at most {most} unread, {dead} deleted, {most_mentions} mentions, {most_threads} threads; \
             {certain} of those who follow were certain"
        );
        let deeds: Vec<_> = people
            .iter()
            .flat_map(|person| (0..DEEDS).map(move |_| person))
            .map(|person| (person, Deed::any(&mut chance, person, &people, &rooms)))
            .collect();
        let seats: Vec<_> = rooms.iter().map(|room| room.seats.clone()).collect();
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
        for ((person, deed), answer) in deeds.iter().zip(&answers) {
            if deed.succeeded(answer) {
                rooms[deed.room].note_following(person, deed, &people, &seats[deed.room]);
            }
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
            // Mentions.
            let here: Vec<&Room> = rooms.iter().filter(|room| room.is_member(person)).collect();
            let calling: BTreeSet<String> = here.iter().flat_map(|room| room.unread_mentions(person)).collect();
            assert_eq!(shown.mentions, calling, "left: what {} is shown", person.name);
            assert_eq!(shown.mention_count, calling.len(), "{}", person.name);
            most_mentions = most_mentions.max(calling.len());
            // Threads. Where somebody did both at once, whichever was last holds.
            for room in rooms.iter_mut().filter(|room| room.is_member(person)) {
                certain += room.settle_following(person, &shown.threads);
            }
            let here = rooms.iter().filter(|room| room.is_member(person));
            let followed: HashMap<String, Value> = here.flat_map(|room| room.followed(person)).collect();
            assert_eq!(shown.threads, followed, "left: the threads that {} is shown", person.name);
            let unread = followed.values().filter(|state| state["unreadCount"] != 0).count();
            assert_eq!(shown.thread_count, unread, "{}", person.name);
            most_threads = most_threads.max(unread);
        }
        dead = rooms.iter().map(|room| room.messages.iter().filter(|message| message.is_deleted).count()).sum();
    }
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
    /// From when to when somebody was a member, by name.
    stays: HashMap<String, Vec<(i64, i64)>>,
    /// Where somebody's position in a thread was moved to, by name and root.
    moves_in_threads: HashMap<(String, i64), Vec<i64>>,
    /// Whether somebody follows a thread, by name and root.
    follows: HashMap<(String, i64), bool>,
    /// What has happened to that since it was last looked at: `None` for what may or may not have.
    causes: HashMap<(String, i64), Vec<Option<bool>>>,
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
    root: Option<i64>,
    is_deleted: bool,
    /// As it is now, and since when it is so.
    content: String,
    said_at: i64,
}

impl Room {
    fn new(id: String, is_open: bool) -> Self {
        let (messages, positions, moves, seats, stays) = Default::default();
        let (moves_in_threads, follows, causes) = Default::default();
        Self { id, is_open, seq: 0, messages, positions, moves, seats, stays, moves_in_threads, follows, causes }
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
                let root = message["threadRoot"]["seq"].as_i64();
                assert_eq!(root.is_some(), is_in_thread);
                match root {
                    Some(root) => self.moves_in_threads.entry((author.clone(), root)).or_default().push(seq),
                    None => self.moves.entry(author.clone()).or_default().push(Move::To(seq)),
                }
                let content = message["content"].as_str().unwrap_or_default().to_owned();
                self.messages.push(Message { id, seq, author, root, is_deleted: false, content, said_at: seq });
            }
            "MessageEditedEvent" => {
                let edited = &event["message"];
                let message = self.messages.iter_mut().find(|message| edited["id"] == *message.id).unwrap();
                message.content = edited["content"].as_str().unwrap_or_default().to_owned();
                message.said_at = seq;
            }
            "MessagesDeletedEvent" => {
                let deleted = &event["messages"][0]["id"];
                self.messages.iter_mut().find(|message| *deleted == *message.id).unwrap().is_deleted = true;
            }
            "MemberJoinedEvent" => {
                self.moves.entry(name(&event["user"])).or_default().push(Move::To(seq));
                self.stays.entry(name(&event["user"])).or_default().push((seq, i64::MAX));
                // Null where it has ended since, as the log goes on to say.
                self.seats.insert(name(&event["user"]), event["member"]["id"].as_str().unwrap_or_default().to_owned());
            }
            "MemberLeftEvent" => {
                self.seats.remove(&name(&event["user"]));
                self.stays.get_mut(&name(&event["user"])).unwrap().last_mut().unwrap().1 = seq;
            }
            other => panic!("{other}"),
        }
    }

    /// Keeps what somebody marked. Of a position in a thread up to which the log was known it is that very one; further
    /// on, it is what the answer said, which is no earlier than what was known.
    fn note(&mut self, person: &Actor, deed: &Deed, answer: &Value) {
        let marked = match &deed.marks {
            Marks::Nothing => return,
            Marks::Conversation(moves) => {
                return self.moves.entry(person.name.clone()).or_default().push(moves.clone());
            }
            Marks::Thread(marked) => *marked,
        };
        let now = answer["data"]["markThreadRead"]["thread"]["viewerState"]["lastReadSeq"].as_i64().unwrap();
        // Whoever has left since has no position in threads.
        let Some(root) = deed.root.filter(|_| now != 0) else { return };
        assert!(now >= marked.min(self.seq), "{} is at {now} after {deed:?}", person.name);
        let moved = if marked <= self.seq { marked } else { now };
        self.moves_in_threads.entry((person.name.clone(), root)).or_default().push(moved);
    }

    /// Finds that somebody's position is one to which all that they did may have brought it, and goes on from there.
    fn settle(&mut self, person: &Actor, position: i64) {
        let moves = self.moves.remove(&person.name).unwrap_or_default();
        let from = self.positions.get(&person.name).copied().unwrap_or_default();
        let reached = Move::all(BTreeSet::from([from]), &moves, self.seq);
        assert!(reached.contains(&position), "{} is at {position}, from {from} by {moves:?}", person.name);
        self.positions.insert(person.name.clone(), position);
    }

    /// Keeps what a deed says of who follows its thread. Nothing is certain of those who came or went meanwhile, or who
    /// are named by an edit: they may have been named before.
    fn note_following(&mut self, person: &Actor, deed: &Deed, people: &[Actor], seats: &HashMap<String, String>) {
        let Some(root) = deed.root else { return };
        let stayed = |name: &str| seats.get(name).is_some_and(|seat| self.seats.get(name) == Some(seat));
        let certain = |name: &str, follows| Some(follows).filter(|_| stayed(name));
        let mut causes = Vec::new();
        match deed.name {
            "follow" | "reply" | "reply with a mention" => causes.push((&person.name, certain(&person.name, true))),
            "unfollow" => causes.push((&person.name, certain(&person.name, false))),
            _ => {}
        }
        let content = deed.input["content"].as_str().unwrap_or_default();
        for named in people.iter().filter(|named| content.contains(&named.id)) {
            let is_edit = deed.name == "edit";
            causes.push((&named.name, certain(&named.name, true).filter(|_| !is_edit)));
        }
        let causes: Vec<_> = causes.into_iter().map(|(name, cause)| (name.clone(), cause)).collect();
        for (name, cause) in causes {
            self.causes.entry((name, root)).or_default().push(cause);
        }
    }

    /// Takes from what is shown who follows what, where nothing else says; counts what was certain.
    fn settle_following(&mut self, person: &Actor, shown: &HashMap<String, Value>) -> usize {
        let mut certain = 0;
        let ids: HashMap<i64, String> = self.messages.iter().map(|message| (message.seq, message.id.clone())).collect();
        let own: Vec<_> = self.causes.keys().filter(|(name, _)| *name == person.name).cloned().collect();
        for key in own {
            let causes = self.causes.remove(&key).unwrap();
            let is_certain = causes[0].is_some() && causes.iter().all(|cause| *cause == causes[0]);
            certain += usize::from(is_certain);
            let follows = if is_certain { causes[0].unwrap() } else { shown.contains_key(&ids[&key.1]) };
            self.follows.insert(key, follows);
        }
        certain
    }

    fn was_member(&self, name: &str, seq: i64) -> bool {
        let stays = self.stays.get(name).into_iter().flatten();
        stays.into_iter().any(|(from, to)| *from < seq && seq < *to)
    }

    /// Whether a message of somebody else calls this one, as it was judged when it was said.
    fn calls(&self, message: &Message, person: &Actor) -> bool {
        let sees = self.is_open || self.was_member(&person.name, message.said_at);
        let is_moderator = message.author == "alice" || message.author == "bob" && !self.is_open;
        let calls_all = ["<@everyone>", "<@here>"].iter().any(|word| message.content.contains(word));
        let calls = sees && message.content.contains(&person.id) || is_moderator && calls_all;
        calls && message.author != person.name && !message.is_deleted
    }

    /// Joining has read all threads.
    fn position_in(&self, root: i64, person: &Actor) -> i64 {
        let joined = self.stays[&person.name].last().unwrap().0;
        let moves = self.moves_in_threads.get(&(person.name.clone(), root)).into_iter().flatten();
        moves.copied().max().unwrap_or(0).max(joined)
    }

    fn unread_mentions(&self, person: &Actor) -> Vec<String> {
        let position = |message: &Message| match message.root {
            Some(root) => self.position_in(root, person),
            None => self.positions[&person.name],
        };
        let calling = self.messages.iter().filter(|message| self.calls(message, person));
        calling.filter(|message| message.seq > position(message)).map(|message| message.id.clone()).collect()
    }

    /// The threads that somebody follows, by the message they are under.
    fn followed(&self, person: &Actor) -> Vec<(String, Value)> {
        let own = self.follows.iter().filter(|((name, _), follows)| *name == person.name && **follows);
        let state = |root: i64| {
            let position = self.position_in(root, person);
            let unread = self.messages.iter().filter(|message| message.root == Some(root) && !message.is_deleted);
            let unread = unread.filter(|message| message.seq > position && message.author != person.name).count();
            json!({ "isFollowing": true, "lastReadSeq": position, "unreadCount": unread })
        };
        let id = |root: i64| self.messages.iter().find(|message| message.seq == root).unwrap().id.clone();
        own.map(|((_, root), _)| (id(*root), state(*root))).collect()
    }

    fn is_member(&self, person: &Actor) -> bool {
        self.seats.contains_key(&person.name)
    }

    fn state_of(&self, person: &Actor) -> Value {
        let position = self.positions[&person.name];
        let unread = self.messages.iter().filter(|message| {
            message.author != person.name && message.root.is_none() && message.seq > position && !message.is_deleted
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

/// How a deed moves a position of whoever does it.
#[derive(Debug)]
enum Marks {
    Nothing,
    Conversation(Move),
    /// Up to here.
    Thread(i64),
}

#[derive(Debug)]
struct Deed {
    name: &'static str,
    room: usize,
    ask: String,
    input: Value,
    marks: Marks,
    /// The message whose thread it is in.
    root: Option<i64>,
}

const DEED_NAMES: [&str; 19] = [
    "send with a mention",
    "reply with a mention",
    "edit",
    "follow",
    "unfollow",
    "mark a thread",
    "mark all of a thread",
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
        let roots = room.messages.iter().filter(|message| message.root.is_none()).collect::<Vec<_>>();
        let root = roots.choose(chance);
        // A few have threads, so that much happens in each.
        let thread = roots[..roots.len().min(4)].choose(chance);
        let own = room.messages.iter().filter(|message| message.author == person.name).collect::<Vec<_>>();
        let own = own.choose(chance);
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
        let named = people.choose(chance).unwrap();
        let calling = match chance.random_range(0..4) {
            0 => "<@everyone>".to_owned(),
            1 => format!("<@{}> <@here>", named.id),
            _ => format!("Hi <@{}>", named.id),
        };
        let under = |thread: &Message| json!({ "messageId": thread.id });
        let mut in_thread = None;
        let marks = Marks::Conversation;
        let (name, field, input, marks) = match (chance.random_range(0..164), message, root) {
            (100..116, _, _) => {
                send["content"] = json!(calling);
                ("send with a mention", "sendMessage", send, Marks::Nothing)
            }
            (116..128, _, _) if thread.is_some() => {
                let thread = thread.unwrap();
                in_thread = Some(thread.seq);
                send["content"] = json!(calling);
                send["threadRootId"] = json!(thread.id);
                ("reply with a mention", "sendMessage", send, Marks::Nothing)
            }
            (128..140, _, _) if own.is_some() => {
                let own = own.unwrap();
                in_thread = own.root;
                let content = if chance.random_bool(0.3) { format!("No {key}") } else { calling };
                ("edit", "editMessage", json!({ "messageId": own.id, "content": content }), Marks::Nothing)
            }
            (140..146, _, _) if thread.is_some() => {
                in_thread = thread.map(|thread| thread.seq);
                ("follow", "followThread", under(thread.unwrap()), Marks::Nothing)
            }
            (146..150, _, _) if thread.is_some() => {
                in_thread = thread.map(|thread| thread.seq);
                ("unfollow", "unfollowThread", under(thread.unwrap()), Marks::Nothing)
            }
            (150..158, _, _) if thread.is_some() => {
                in_thread = thread.map(|thread| thread.seq);
                let seq = chance.random_range(0..=room.seq);
                let input = json!({ "messageId": thread.unwrap().id, "seq": seq });
                ("mark a thread", "markThreadRead", input, Marks::Thread(seq))
            }
            (158..164, _, _) if thread.is_some() => {
                in_thread = thread.map(|thread| thread.seq);
                ("mark all of a thread", "markThreadRead", under(thread.unwrap()), Marks::Thread(i64::MAX))
            }
            (0..16, Some(message), _) => {
                ("delete", "deleteMessage", json!({ "messageId": message.id }), Marks::Nothing)
            }
            (16..28, _, Some(_)) => {
                let thread = thread.unwrap();
                in_thread = Some(thread.seq);
                send["threadRootId"] = json!(thread.id);
                ("reply", "sendMessage", send, Marks::Nothing)
            }
            (28..34, _, _) => ("mark all", "markConversationRead", here, marks(Move::ToHead(room.seq))),
            (34..40, _, _) => {
                let seq = chance.random_range(0..=room.seq);
                ("mark a position", "markConversationRead", with("seq", json!(seq)), marks(Move::Forward(seq)))
            }
            (40..44, _, _) => {
                let seq = room.seq + chance.random_range(1..9);
                ("mark beyond the head", "markConversationRead", with("seq", json!(seq)), marks(Move::ToHead(room.seq)))
            }
            (44..52, _, Some(root)) => {
                let moves = marks(Move::Forward(root.seq));
                ("mark a message", "markConversationRead", with("messageId", json!(root.id)), moves)
            }
            (90..98, _, Some(root)) => {
                let moves = marks(Move::Back(root.seq - 1));
                ("mark unread", "markConversationUnread", json!({ "messageId": root.id }), moves)
            }
            (52..64, _, _) if room.is_open && !is_owner && is_in => {
                ("leave", "leaveConversation", here, Marks::Nothing)
            }
            (52..90, _, _) if room.is_open && !is_in => {
                ("join", "joinChannel", json!({ "channelId": room.id }), Marks::Nothing)
            }
            (52..80, _, _) if !room.is_open && is_owner => match room.seats.get(&someone.name) {
                Some(seat) => ("remove", "removeConversationMember", json!({ "memberId": seat }), Marks::Nothing),
                None => ("add", "addConversationMembers", with("userIds", json!([someone.id])), Marks::Nothing),
            },
            _ => ("send", "sendMessage", send, Marks::Nothing),
        };
        let selection = match field {
            "markThreadRead" => "thread { viewerState { lastReadSeq } }",
            _ => "__typename",
        };
        Self { name, room: index, ask: mutation(field, selection), input, marks, root: in_thread }
    }

    async fn run(&self, person: &Actor) -> Value {
        person.ask(&self.ask, json!({ "input": self.input })).await.0
    }

    /// Whoever has lost their seat, or the right, meanwhile is told so; nothing else goes wrong.
    fn succeeded(&self, answer: &Value) -> bool {
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        let was_deleted = self.name == "edit" && code == Some("FAILED_PRECONDITION");
        let is_usual = [None, Some("FORBIDDEN"), Some("NOT_FOUND")].contains(&code);
        assert!(is_usual || was_deleted, "{self:?}: {answer}");
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
    mention_count: usize,
    /// The unread ones.
    mentions: BTreeSet<String>,
    thread_count: usize,
    /// How the threads that are followed are kept, by the message they are under.
    threads: HashMap<String, Value>,
}

impl Shown {
    async fn to(person: &Actor, rooms: &[Room]) -> Self {
        let ids: Vec<_> = rooms.iter().map(|room| &room.id).collect();
        let answer = person.ask(SHOWN, json!({ "ids": ids })).await;
        let (viewer, nodes) = (answer.data("viewer"), answer.data("nodes"));
        let nodes = nodes.as_array().unwrap().iter().filter(|node| !node.is_null());
        let mut sidebar = viewer["sidebar"].as_array().unwrap().clone();
        let counts = sidebar.iter_mut().map(|state| state.as_object_mut().unwrap().remove("mentionCount").unwrap());
        let in_all: u64 = counts.map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(viewer["unread"]["mentionCount"].as_u64(), Some(in_all));
        let list = |name: &str| viewer[name]["nodes"].as_array().unwrap().clone();
        let threads = list("threads").into_iter();
        Self {
            sidebar,
            mention_count: in_all as usize,
            mentions: list("mentions").iter().map(|message| text(&message["id"])).collect(),
            thread_count: viewer["unread"]["threadCount"].as_u64().unwrap() as usize,
            threads: threads.map(|thread| (text(&thread["root"]["id"]), thread["viewerState"].clone())).collect(),
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
    ... on MessageSentEvent { message { id content author { username } threadRoot { seq } } timelineEdge { cursor } }
    ... on MessageEditedEvent { message { id content } }
    ... on MessagesDeletedEvent { messages { id } }
    ... on MemberJoinedEvent { user { username } member { id } }
    ... on MemberLeftEvent { user { username } } } } } }";
const SHOWN: &str = "query($ids: [ID!]!) {
    viewer { unread { conversationCount mentionCount threadCount }
        mentions(filter: { isRead: false }, first: 100) { nodes { id } }
        threads(first: 100) { nodes { root { id } viewerState { isFollowing lastReadSeq unreadCount } } }
        conversations(filter: { isUnread: true }) { nodes { id } }
        sidebar { conversation { id } member { id } lastReadSeq unreadCount mentionCount firstUnreadMessage { id } } }
    nodes(ids: $ids) { id ... on Channel { messagesAround(anchor: { firstUnread: true }, before: 0, after: 0) {
        nodes { id } } } } }";
