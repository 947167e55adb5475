//! Half an hour of a real channel, imported to its middle and then lived again by ten people at once: what followers of
//! the streams know at the end is what fresh queries give.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::process::{Command, Stdio};

use futures_util::future::{join_all, join3};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;

use crate::harness::{Actor, TestServer};
use crate::viewer_events::client::Client;

/// People's own words: `replay/README.md` says whose, and how they may be used.
const LINES: &str = include_str!("replay/ubuntu-2008-07-04.jsonl");
const IMPORTED: usize = 140;
const PEOPLE: usize = 10;
const EMOJI: [&str; 3] = ["👍", "😂", "🐧"];
/// The last thing that is written.
const LAST: &str = "<@everyone> Happy 4th of July ^^";

const MESSAGE: &str =
    "fragment M on Message { id seq content version editedAt deletedAt author { username } replyTo { id }
    threadRoot { id } thread { replyCount lastReply { id } participants { username } } mentions { kind user { id } }
    reactions { emoji count } pin { pinnedAt pinnedBy { username } } }";
const FOLLOW: &str = "subscription($id: ID!, $after: Int!) { conversationEvents(conversationId: $id, after: $after) {
    seq hasGap events { __typename seq
        ... on MessageSentEvent { message { ...Changed } }
        ... on MessageEditedEvent { message { ...Changed } }
        ... on MessagesDeletedEvent { messages { ...Changed } }
        ... on ReactionAddedEvent { message { ...Changed } }
        ... on ReactionRemovedEvent { message { ...Changed } }
        ... on MessagePinnedEvent { message { ...Changed } }
        ... on MessageUnpinnedEvent { message { ...Changed } }
        ... on MemberJoinedEvent { member { ...Seat } }
        ... on MemberLeftEvent { memberId user { id } } } } }
    fragment Changed on Message { ...M above: threadRoot { ...M } }";
const SEAT: &str = "fragment Seat on ConversationMember { id role user { username } }";
const PAGE: &str = "query($id: ID!, $after: String) { conversation(id: $id) {
    seq memberCount members(first: 100) { nodes { ...Seat } } pins(first: 100) { nodes { id } }
    messages(first: 100, after: $after) { seq nodes { ...M } pageInfo { hasNextPage endCursor } } } }";
const REPLIES: &str =
    "query($id: ID!) { node(id: $id) { ... on Message { thread { replies(first: 100) { nodes { ...M } } } } } }";

/// What is known of the channel: messages by position, those in threads too, and seats by their ids.
#[derive(Clone, Debug, Default, PartialEq)]
struct Room {
    messages: BTreeMap<i64, Value>,
    seats: BTreeMap<String, Value>,
}

impl Room {
    /// As queries give it, and the position to follow it from.
    async fn read(actor: &Actor, channel: &str) -> (Self, i64) {
        let (mut room, mut from, mut after) = (Self::default(), None, json!(null));
        loop {
            let variables = json!({ "id": channel, "after": after });
            let page = actor.ask(&format!("{PAGE} {MESSAGE} {SEAT}"), variables).await.data("conversation");
            from = from.or(page["messages"]["seq"].as_i64());
            for message in nodes(&page["messages"]) {
                if !message["thread"].is_null() {
                    let root = json!({ "id": message["id"] });
                    let under = actor.ask(&format!("{REPLIES} {MESSAGE}"), root.clone()).await.data("node");
                    for reply in nodes(&under["thread"]["replies"]) {
                        assert_eq!(reply["threadRoot"], root);
                        room.keep(reply);
                    }
                }
                room.keep(message);
            }
            if page["messages"]["pageInfo"]["hasNextPage"] == false {
                nodes(&page["members"]).iter().for_each(|seat| room.seat(seat));
                return (room, from.unwrap());
            }
            after = page["messages"]["pageInfo"]["endCursor"].clone();
        }
    }

    fn keep(&mut self, message: &Value) {
        self.messages.insert(message["seq"].as_i64().unwrap(), message.clone());
    }

    fn seat(&mut self, seat: &Value) {
        self.seats.insert(text(&seat["id"]).to_owned(), seat.clone());
    }

    /// What is counted is what there is, and each line is there once.
    fn adds_up(&self, lines: usize) {
        assert_eq!(self.messages.len(), lines);
        for message in self.messages.values() {
            let replies = self.messages.values().filter(|reply| reply["threadRoot"]["id"] == message["id"]);
            let replies = replies.filter(|reply| reply["deletedAt"].is_null()).count();
            assert_eq!(message["thread"]["replyCount"].as_u64().unwrap_or(0), replies as u64, "{message}");
        }
    }

    fn fold(&mut self, event: &Value) {
        let messages = event["messages"].as_array().into_iter().flatten().chain(event.get("message"));
        for mut message in messages.cloned() {
            let above = message.as_object_mut().unwrap().remove("above").unwrap();
            self.keep(&message);
            if !above.is_null() {
                self.keep(&above);
            }
        }
        match text(&event["__typename"]) {
            "MemberJoinedEvent" if !event["member"].is_null() => self.seat(&event["member"]),
            "MemberLeftEvent" => drop(self.seats.remove(text(&event["memberId"]))),
            _ => {}
        }
    }
}

/// Somebody who follows the channel, and is cut off every few deliveries.
struct Follower<'a> {
    actor: &'a Actor,
    channel: &'a str,
    cut_after: usize,
    room: Room,
    seq: i64,
    events: Vec<Value>,
}

impl Follower<'_> {
    /// Until the last thing is said.
    async fn follow(mut self) -> Self {
        loop {
            let mut socket = self.actor.socket().await;
            let query = format!("{FOLLOW} {MESSAGE} {SEAT}");
            let mut log = socket.run(&query, json!({ "id": self.channel, "after": self.seq }));
            for _ in 0..self.cut_after {
                let message = log.message().await;
                if message["type"] == "complete" {
                    // So it ends for those who leave; they still see the channel.
                    assert_eq!(self.events.last().unwrap()["user"]["id"], self.actor.id);
                    break;
                }
                assert!(message["payload"].get("errors").is_none(), "{message}");
                self.take(&message["payload"]["data"]["conversationEvents"]);
                let is_last = |message: &Value| message["content"] == LAST;
                if self.room.messages.last_key_value().is_some_and(|(_, message)| is_last(message)) {
                    return self;
                }
            }
        }
    }

    fn take(&mut self, batch: &Value) {
        assert_eq!(batch["hasGap"], false, "{batch}");
        for event in batch["events"].as_array().unwrap() {
            self.seq += 1;
            assert_eq!(event["seq"], self.seq);
            self.room.fold(event);
            self.events.push(event.clone());
        }
        assert_eq!(batch["seq"], self.seq);
    }
}

/// Somebody whose sidebar follows what concerns them, cut off now and then; in the end it is what a fresh query gives.
async fn keep_sidebar(actor: &Actor, is_over: &CancellationToken) {
    let mut client = Client::start(actor).await;
    while !is_over.is_cancelled() {
        tokio::select! {
            _ = client.next() => {}
            () = is_over.cancelled() => {}
        }
        if client.heard.len() > 5 {
            client = Client::resume(actor, client.kept, client.cursor).await;
        }
    }
    client.converge(actor).await;
}

/// A line once it is said.
struct Said {
    id: String,
    root: Option<String>,
    /// Nobody here, for what was imported.
    by: Option<usize>,
}

impl Said {
    fn imported(message: &Value) -> Self {
        let root = message["threadRoot"]["id"].as_str();
        Self { id: text(&message["id"]).to_owned(), root: root.map(str::to_owned), by: None }
    }
}

/// What was written, and who lives it again.
struct Story {
    channel: String,
    people: Vec<Actor>,
    lines: Vec<Value>,
    /// The one of the people who speaks for a nick.
    speakers: HashMap<String, usize>,
    said: Vec<SetOnce<Said>>,
}

impl Story {
    /// The line that a line answers.
    fn answered(&self, line: &Value) -> Option<usize> {
        let answered = line.get("reply_to")?;
        self.lines.iter().position(|line| line["id"] == *answered)
    }

    /// The line whose thread an imported line is in.
    fn root(&self, line: &Value) -> Option<usize> {
        let answered = self.answered(line)?;
        self.root(&self.lines[answered]).or(Some(answered))
    }

    /// Whoever is addressed is mentioned.
    fn words(&self, line: &Value) -> String {
        let words = text(&line["text"]);
        let addressed = words.split_once([':', ',']).and_then(|(nick, rest)| Some((self.speakers.get(nick)?, rest)));
        addressed.map_or(words.to_owned(), |(&whom, rest)| format!("<@{}>{rest}", self.people[whom].id))
    }

    /// Finds what was imported, in the threads that it makes up.
    async fn find_imported(&self) {
        let (room, _) = Room::read(&self.people[0], &self.channel).await;
        let mut messages = room.messages.values();
        let imported: Vec<_> = self.lines[..IMPORTED]
            .iter()
            .map(|line| line.get("text").map(|text| (text, messages.next().unwrap())))
            .collect();
        assert_eq!(messages.next(), None);
        for (at, found) in imported.iter().enumerate() {
            let Some((text, message)) = found else { continue };
            let root = self.root(&self.lines[at]).map(|root| imported[root].unwrap().1["id"].clone());
            assert_eq!((&message["content"], &message["threadRoot"]["id"]), (*text, &json!(root)), "{message}");
            let _ = self.said[at].set(Said::imported(message));
        }
    }

    /// Somebody says what is theirs, each line after the one that it answers, and does whatever comes to mind.
    async fn live(&self, me: usize) {
        let actor = &self.people[me];
        let mut random = StdRng::seed_from_u64(me as u64);
        // What takes back what was done.
        let mut undo = Vec::new();
        actor.join(&self.channel).await;
        for (at, line) in self.lines.iter().enumerate().skip(IMPORTED) {
            if self.speakers[text(&line["nick"])] != me {
                continue;
            }
            if line["kind"] == "nick" {
                self.come_and_go(actor).await;
                continue;
            }
            let key = format!("line {}", line["id"]);
            let mut input = json!({ "conversationId": self.channel, "clientKey": key, "content": self.words(line) });
            let mut root = None;
            if let Some(answered) = self.answered(line) {
                let answered = self.said[answered].wait().await;
                if answered.root.is_some() || random.random_bool(0.6) {
                    root = answered.root.clone().or(Some(answered.id.clone()));
                    input["threadRootId"] = json!(root);
                } else {
                    input["replyToId"] = json!(answered.id);
                }
            }
            let id = text(&actor.write(input.clone()).await["id"]).to_owned();
            if random.random_bool(0.1) {
                assert_eq!(actor.write(input).await["id"], id);
            }
            let _ = self.said[at].set(Said { id, root, by: Some(me) });
            for _ in 0..random.random_range(1..=2) {
                self.act(me, &mut random, &mut undo).await;
            }
        }
    }

    async fn act(&self, me: usize, random: &mut StdRng, undo: &mut Vec<(&'static str, Value)>) {
        let actor = &self.people[me];
        let said: Vec<&Said> = self.said.iter().filter_map(SetOnce::get).collect();
        let some = said.choose(random).unwrap();
        let own = said.iter().rev().find(|said| said.by == Some(me)).unwrap();
        let (about, place) = (json!({ "messageId": some.id }), json!({ "conversationId": self.channel }));
        let (deed, input) = match random.random_range(0..14) {
            0..=3 => {
                let input = json!({ "messageId": some.id, "emoji": EMOJI.choose(random) });
                undo.push(("removeReaction", input.clone()));
                ("addReaction", input)
            }
            4..=5 if me == 0 => {
                undo.push(("unpinMessage", about.clone()));
                ("pinMessage", about)
            }
            4..=5 => ("markThreadRead", json!({ "messageId": some.root.as_ref().unwrap_or(&some.id) })),
            6..=7 if !undo.is_empty() => undo.swap_remove(random.random_range(0..undo.len())),
            8 => ("editMessage", json!({ "messageId": own.id, "content": format!("{}, I meant", own.id) })),
            9 => ("deleteMessage", json!({ "messageId": own.id })),
            10 => return self.come_and_go(actor).await,
            _ => ("markConversationRead", place),
        };
        mutate(actor, deed, input).await;
    }

    /// What is told last is shown by nothing later: whoever misses it stays wrong.
    async fn end(&self) {
        let (owner, reader) = (&self.people[0], &self.people[1]);
        let place = json!({ "conversationId": self.channel });
        for last in ["editMessage", "deleteMessage", "addReaction", "removeReaction", "pinMessage", "unpinMessage"] {
            let id = owner.say(&self.channel, last).await["id"].clone();
            let (about, smile) = (json!({ "messageId": id }), json!({ "messageId": id, "emoji": EMOJI[0] }));
            match last {
                "editMessage" => mutate(owner, last, json!({ "messageId": id, "content": "Changed" })).await,
                "addReaction" => mutate(reader, last, smile).await,
                "removeReaction" => {
                    mutate(reader, "addReaction", smile.clone()).await;
                    mutate(reader, last, smile).await;
                }
                "unpinMessage" => {
                    mutate(owner, "pinMessage", about.clone()).await;
                    mutate(owner, last, about).await;
                }
                _ => mutate(owner, last, about).await,
            }
        }
        let last = self.said.iter().rev().find_map(SetOnce::get).unwrap();
        let root = json!({ "messageId": last.root.as_ref().unwrap_or(&last.id) });
        mutate(reader, "followThread", root.clone()).await;
        owner
            .write(json!({ "conversationId": self.channel, "threadRootId": root["messageId"], "content": "Bye" }))
            .await;
        self.people[9].leave(&self.channel).await;
        owner.say(&self.channel, LAST).await;
        mutate(reader, "markThreadRead", root).await;
        mutate(reader, "markConversationRead", place).await;
    }

    async fn come_and_go(&self, actor: &Actor) {
        mutate(actor, "leaveConversation", json!({ "conversationId": self.channel })).await;
        actor.join(&self.channel).await;
    }
}

/// Does something, which may be too late by now: the message is deleted. Nor may an owner leave.
async fn mutate(actor: &Actor, name: &str, input: Value) {
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let mutation = format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ __typename }} }}");
    let answer = actor.ask(&mutation, json!({ "input": input })).await;
    assert!(answer.0.get("errors").is_none() || answer.code() == "FAILED_PRECONDITION", "{name}: {}", answer.0);
}

fn nodes(page: &Value) -> &Vec<Value> {
    page["nodes"].as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The nicks by how much they say, each with the one who speaks for it: the first ten for themselves.
fn speakers(lines: &[Value]) -> HashMap<String, usize> {
    let mut counts = BTreeMap::<&str, usize>::new();
    lines.iter().for_each(|line| *counts.entry(text(&line["nick"])).or_default() += 1);
    let mut nicks: Vec<_> = counts.into_iter().collect();
    nicks.sort_by_key(|&(_, count)| Reverse(count));
    nicks.into_iter().enumerate().map(|(place, (nick, _))| (nick.to_owned(), place % PEOPLE)).collect()
}

/// Imports the first lines beside the running server, as somebody would who runs it.
fn import(server: &TestServer) {
    let mut importing = Command::new(env!("CARGO_BIN_EXE_chinwag"))
        .args(["import", "-", "--source", "irc", "--threads"])
        .env_clear()
        .env("DATABASE_URL", &server.database.url)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = LINES.split_inclusive('\n').take(IMPORTED).collect();
    importing.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(importing.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_an_hour_of_real_people_is_what_everybody_makes_of_it() {
    let server = TestServer::start().await;
    let other = server.another().await;
    // Whoever comes first runs the server, and owns what is imported.
    let mut people = vec![server.register("person-0").await];
    let names: Vec<_> = (1..PEOPLE).map(|number| format!("person-{number}")).collect();
    people.extend(join_all(names.iter().map(|name| server.register(name))).await);
    people.iter_mut().skip(1).step_by(2).for_each(|person| *person = person.at(other.address));
    import(&server);
    let channel = people[0].query("{ channel(by: { slug: \"ubuntu\" }) { id } }").await.data("channel");
    let lines: Vec<Value> = LINES.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let story = Story {
        channel: text(&channel["id"]).to_owned(),
        people,
        speakers: speakers(&lines),
        said: lines.iter().map(|_| SetOnce::new()).collect(),
        lines,
    };
    story.find_imported().await;
    let (story, is_over) = (&story, CancellationToken::new());

    let living = async {
        join_all((0..PEOPLE).map(|me| story.live(me))).await;
        story.end().await;
        is_over.cancel();
    };
    let following = join_all(story.people[..6].iter().enumerate().map(async |(place, actor)| {
        // Some have the channel as queries give it, others from its log alone; some are cut off often, others never.
        let (room, seq) = if place % 2 == 0 { Room::read(actor, &story.channel).await } else { Default::default() };
        let cut_after = [usize::MAX, 3, 5, 10, 20][place % 5];
        Follower { actor, channel: &story.channel, cut_after, room, seq, events: Vec::new() }.follow().await
    }));
    let sidebars = join_all([0, 1, 2].map(|place| keep_sidebar(&story.people[place], &is_over)));
    let ((), followers, _) = join3(living, following, sidebars).await;

    let (room, seq) = Room::read(&story.people[0], &story.channel).await;
    for follower in &followers {
        assert_eq!((follower.seq, &follower.room), (seq, &room), "{}", follower.actor.name);
    }
    room.adds_up(story.lines.iter().filter(|line| line.get("text").is_some()).count() + 8);

    // Each kind of event counts: who had missed those would be wrong.
    let log = &followers[5].events;
    let fold = |without: &str| {
        let mut room = Room::default();
        log.iter().filter(|event| event["__typename"] != without).for_each(|event| room.fold(event));
        room
    };
    assert_eq!(fold("nothing"), room);
    for kind in [
        "MessageSentEvent",
        "MessageEditedEvent",
        "MessagesDeletedEvent",
        "ReactionAddedEvent",
        "ReactionRemovedEvent",
        "MessagePinnedEvent",
        "MessageUnpinnedEvent",
        "MemberJoinedEvent",
        "MemberLeftEvent",
    ] {
        assert!(fold(kind) != room, "{kind}");
    }
}
