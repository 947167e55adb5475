//! What is wrong is refused with a coded error, changes nothing, and says nothing of the inside.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chinwag::keys::Keys;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Actor, Answer, Socket, TestServer, sdl};

// Tokens.

#[tokio::test]
async fn a_token_that_is_not_good_runs_nothing() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let good = alice.token.clone().unwrap();
    let (claims, of_mallory) = (claims_of(&good), claims_of(mallory.token.as_ref().unwrap()));
    let [head, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let signer = server.app.keys.signing.signer();
    let (ours, kid) = (&signer.encoding, signer.kid.as_str());
    let another = Keys::new("another secret, just as long as ours is").signing.signer();
    let theirs = &another.encoding;
    let header = |algorithm, kid: Option<&str>| Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    let made = |header: &Header, claims: &Value, key: &EncodingKey| encode(header, claims, key).unwrap();
    let none = part(&json!({ "alg": "none", "typ": "JWT", "kid": kid }));
    let mut endless = claims.clone();
    endless.as_object_mut().unwrap().remove("exp");
    let mut of_no_session = claims.clone();
    of_no_session.as_object_mut().unwrap().remove("sid");

    // What is made here is good but for the one thing that is wrong with it.
    assert_eq!(viewer_of(&server, &made(&signer.header(), &claims, ours)).await, alice.id);
    let mut forged = vec![
        ("no token at all", "nonsense".to_owned()),
        ("three parts of nothing", "a.b.c".to_owned()),
        ("cut off", good[..good.len() - 1].to_owned()),
        ("longer", format!("{good}A")),
        ("without its signature", format!("{head}.{body}.")),
        ("another's body under one's own signature", format!("{head}.{}.{signature}", part(&of_mallory))),
        ("signed by somebody else", made(&signer.header(), &claims, theirs)),
        ("signed by nobody", format!("{none}.{body}.")),
        ("signed by nobody, with a signature", format!("{none}.{body}.{signature}")),
        ("of another algorithm", made(&header(Algorithm::HS384, Some(kid)), &claims, ours)),
        ("of another key's name", made(&header(signer.algorithm, Some("2")), &claims, ours)),
        ("of no key's name", made(&header(signer.algorithm, None), &claims, ours)),
        ("without an end", made(&signer.header(), &endless, ours)),
        ("of no session", made(&signer.header(), &of_no_session, ours)),
    ];
    let before = server.database.contents().await;
    for (what, token) in &forged {
        refuses_token(&server, what, token).await;
    }
    server.clock.advance(TimeDelta::minutes(14));
    assert_eq!(viewer_of(&server, &good).await, alice.id);
    server.clock.advance(TimeDelta::minutes(1));
    forged = vec![("expired", good)];
    refuses_token(&server, forged[0].0, &forged[0].1).await;
    assert_eq!(server.database.contents().await, before);
}

async fn refuses_token(server: &TestServer, what: &str, token: &str) {
    let query = json!({ "query": "mutation { createChannel(input: { name: \"Forged\" }) { channel { id } } }" });
    let request = reqwest::Client::new().post(format!("{}/graphql", server.url())).bearer_auth(token).json(&query);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401, "{what}");
    let answer = Answer(response.json().await.unwrap());
    assert_eq!(answer.code(), "UNAUTHENTICATED", "{what}");
    assert!(answer.0.get("data").is_none(), "{what}: {}", answer.0);
    is_clean(&answer.0);
    assert_eq!(Socket::connect(server.address, Some(token)).await.closed().await, 4403, "{what}");
}

async fn viewer_of(server: &TestServer, token: &str) -> String {
    let viewer = Actor::new(server.address, Some(token.to_owned())).query("{ viewer { user { id } } }").await;
    viewer.data("viewer")["user"]["id"].as_str().unwrap().to_owned()
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

// Content.

#[tokio::test]
async fn content_is_text_of_a_length() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Lounge").await;
    let message = alice.say(&channel, "Hi").await["id"].clone();
    let mentions = |count| (0..count).map(|_| format!("<@{}>", any("user"))).collect::<String>();
    for (content, fault) in [
        (String::new(), "REQUIRED"),
        (" \n\t ".into(), "REQUIRED"),
        ("x".repeat(10_001), "TOO_LONG"),
        // Composed: one character each.
        ("e\u{301}".repeat(10_001), "TOO_LONG"),
        ("😀".repeat(10_001), "TOO_LONG"),
        ("a\0b".into(), "BAD_FORMAT"),
        ("a\u{7}b".into(), "BAD_FORMAT"),
        ("a\u{1b}[31mb".into(), "BAD_FORMAT"),
        ("a\u{7f}b".into(), "BAD_FORMAT"),
        ("a\u{9b}b".into(), "BAD_FORMAT"),
        ("a\rb".into(), "BAD_FORMAT"),
        (mentions(51), "TOO_MANY"),
    ] {
        let start: String = content.chars().take(20).collect();
        let fault = format!("input.content {fault}");
        let sent = refused(&server, &alice, SEND, draft(&channel, &content)).await;
        assert_eq!(sent.wrong_fields(), [fault.as_str()], "sent: {start:?}");
        let edit = json!({ "messageId": message, "content": content });
        assert_eq!(refused(&server, &alice, EDIT, edit).await.wrong_fields(), [fault], "edited: {start:?}");
    }
    let nothing = json!({ "conversationId": channel, "clientKey": key() });
    assert_eq!(refused(&server, &alice, SEND, nothing).await.wrong_fields(), ["input.content REQUIRED"]);
    for content in [
        "x".repeat(10_000),
        "e\u{301}".repeat(10_000),
        "😀".repeat(10_000),
        "a\n\tb".into(),
        "a\r\nb".into(),
        mentions(50),
    ] {
        alice.say(&channel, &content).await;
        let edit = json!({ "messageId": message, "content": content });
        alice.ask(EDIT, json!({ "input": edit })).await.data("editMessage");
    }
}

#[tokio::test]
async fn a_reaction_is_one_emoji() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Lounge").await;
    let message = alice.say(&channel, "Hi").await["id"].clone();
    let long = "👍".repeat(10_000);
    for emoji in ["", " ", "a", ":+1:", "👍👍", "👍 ok", "\u{fe0f}", "❤\u{fe0e}", "🇽🇽", "👍\0", "\0", &long]
    {
        for ask in [REACT, UNREACT] {
            let answer = refused(&server, &alice, ask, json!({ "messageId": message, "emoji": emoji })).await;
            assert_eq!(answer.wrong_fields(), ["input.emoji BAD_FORMAT"], "{emoji:?}");
        }
    }
}

// Keys and versions.

#[tokio::test]
async fn a_key_stands_for_one_message_for_ever() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Lounge").await;
    bob.join(&channel).await;
    let root = alice.say(&channel, "Hi").await["id"].clone();
    let draft = draft(&channel, "Once");
    let first = alice.ask(SEND, json!({ "input": draft })).await.data("sendMessage");
    assert_eq!(first["isReplay"], false);
    for (name, value) in
        [("content", json!("Twice")), ("content", json!("Once ")), ("replyToId", root.clone()), ("threadRootId", root)]
    {
        let mut other = draft.clone();
        other[name] = value;
        assert_eq!(refused(&server, &alice, SEND, other).await.code(), "IDEMPOTENCY_KEY_REUSED", "{name}");
    }
    let before = server.database.contents().await;
    let again = alice.ask(SEND, json!({ "input": draft })).await.data("sendMessage");
    assert_eq!((&again["isReplay"], &again["message"]), (&json!(true), &first["message"]));
    assert_eq!(server.database.contents().await, before);
    // It is its sender's, and its conversation's.
    let of_bob = bob.ask(SEND, json!({ "input": draft })).await.data("sendMessage");
    assert_eq!(of_bob["isReplay"], false);
    let mut elsewhere = draft.clone();
    elsewhere["conversationId"] = json!(alice.public_channel("Elsewhere").await);
    assert_eq!(alice.ask(SEND, json!({ "input": elsewhere })).await.data("sendMessage")["isReplay"], false);
    // Deleted is sent all the same.
    let delete = json!({ "messageId": first["message"]["id"] });
    alice.ask(DELETE, json!({ "input": delete })).await.data("deleteMessage");
    let late = alice.ask(SEND, json!({ "input": draft })).await.data("sendMessage");
    assert_eq!((&late["isReplay"], &late["message"]["content"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_key_stands_for_one_channel_for_ever() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let input = json!({ "name": "Lounge", "clientKey": key() });
    let first = alice.ask(CREATE, json!({ "input": input })).await.data("createChannel");
    let mut other = input.clone();
    other["topic"] = json!("Something else");
    assert_eq!(refused(&server, &alice, CREATE, other).await.code(), "IDEMPOTENCY_KEY_REUSED");
    let before = server.database.contents().await;
    let again = alice.ask(CREATE, json!({ "input": input })).await.data("createChannel");
    assert_eq!((&again["isReplay"], &again["channel"]), (&json!(true), &first["channel"]));
    assert_eq!(server.database.contents().await, before);
    let of_bob = bob.ask(CREATE, json!({ "input": input })).await.data("createChannel");
    assert_ne!(of_bob["channel"], first["channel"]);
}

#[tokio::test]
async fn a_key_has_a_length() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Lounge").await;
    for (key, fault) in [
        ("", "REQUIRED"),
        ("1234567", "TOO_SHORT"),
        (&"x".repeat(65), "TOO_LONG"),
        ("1234\u{0}5678", "BAD_FORMAT"),
        ("1234\n5678", "BAD_FORMAT"),
    ] {
        let fault = format!("input.clientKey {fault}");
        let message = json!({ "conversationId": channel, "clientKey": key, "content": "Hi" });
        assert_eq!(refused(&server, &alice, SEND, message).await.wrong_fields(), [fault.as_str()], "{key:?}");
        let channel = json!({ "name": "Lounge", "clientKey": key });
        assert_eq!(refused(&server, &alice, CREATE, channel).await.wrong_fields(), [fault], "{key:?}");
    }
    for key in ["12345678", &"x".repeat(64)] {
        alice.write(json!({ "conversationId": channel, "clientKey": key, "content": "Hi" })).await;
    }
}

#[tokio::test]
async fn an_edit_of_a_stale_version_is_told_the_present_one() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Lounge").await;
    let message = alice.say(&channel, "One").await["id"].clone();
    let edit = |content: &str, expected: Option<i32>| json!({ "messageId": message, "content": content, "expectedVersion": expected });
    let changed = alice.ask(EDIT, json!({ "input": edit("Two", Some(1)) })).await.data("editMessage");
    assert_eq!(changed["message"]["version"], 2);
    for stale in [1, 0, 3, -1, i32::MAX] {
        let answer = refused(&server, &alice, EDIT, edit("Three", Some(stale))).await;
        assert_eq!(answer.code(), "VERSION_CONFLICT", "{stale}");
        assert_eq!(answer.0["errors"][0]["extensions"]["currentVersion"], 2);
    }
    // Nothing changes by what is so already, and whoever names no version overwrites.
    let before = server.database.contents().await;
    let same = alice.ask(EDIT, json!({ "input": edit("Two", Some(2)) })).await.data("editMessage");
    assert_eq!(same["message"]["version"], 2);
    assert_eq!(server.database.contents().await, before);
    let changed = alice.ask(EDIT, json!({ "input": edit("Three", None) })).await.data("editMessage");
    assert_eq!(changed["message"]["version"], 3);
    alice.ask(DELETE, json!({ "input": { "messageId": message } })).await.data("deleteMessage");
    let answer = refused(&server, &alice, EDIT, edit("Four", None)).await;
    assert_eq!(answer.code(), "FAILED_PRECONDITION");
    assert_eq!(answer.0["errors"][0]["extensions"]["reason"], "DELETED");
}

// Pages.

/// Every list that is read in pages, and how it is reached; <page> stands for the arguments.
const LISTS: [(&str, &str); 25] = [
    ("Query.channels", "channels(<page>) { edges { cursor } }"),
    ("Viewer.conversations", "viewer { conversations(<page>) { edges { cursor } } }"),
    ("Query.users", "users(<page>) { edges { cursor } }"),
    ("Viewer.blockedUsers", "viewer { blockedUsers(<page>) { edges { cursor } } }"),
    ("Query.groups", "groups(<page>) { edges { cursor } }"),
    ("Viewer.groups", "viewer { groups(<page>) { edges { cursor } } }"),
    ("Group.members", "group(by: { id: <group> }) { members(<page>) { edges { cursor } } }"),
    ("Group.channels", "group(by: { id: <group> }) { channels(<page>) { edges { cursor } } }"),
    (
        "ChannelCategory.channels",
        "node(id: <category>) { ... on ChannelCategory { channels(<page>) { edges { cursor } } } }",
    ),
    ("Channel.members", "channel(by: { id: <here> }) { members(<page>) { edges { cursor } } }"),
    ("Channel.messages", "channel(by: { id: <here> }) { messages(<page>) { edges { cursor } } }"),
    ("Channel.deletedMessages", "channel(by: { id: <here> }) { deletedMessages(<page>) { edges { cursor } } }"),
    ("Viewer.mentions", "viewer { mentions(<page>) { edges { cursor } } }"),
    ("Viewer.notifications", "viewer { notifications(<page>) { edges { cursor } } }"),
    ("Viewer.threads", "viewer { threads(<page>) { edges { cursor } } }"),
    (
        "DirectConversation.threads",
        "conversation(id: <direct>) { ... on DirectConversation { threads(<page>) { edges { cursor } } } }",
    ),
    ("Channel.threads", "channel(by: { id: <here> }) { threads(<page>) { edges { cursor } } }"),
    ("Channel.pins", "channel(by: { id: <here> }) { pins(<page>) { edges { cursor } } }"),
    (
        "ReactionGroup.reactors",
        "node(id: <thread>) { ... on Thread { root { reactions { reactors(<page>) { edges { cursor } } } } } }",
    ),
    (
        "DirectConversation.members",
        "node(id: <direct>) { ... on DirectConversation { members(<page>) { edges { cursor } } } }",
    ),
    (
        "DirectConversation.messages",
        "node(id: <direct>) { ... on DirectConversation { messages(<page>) { edges { cursor } } } }",
    ),
    (
        "DirectConversation.pins",
        "node(id: <direct>) { ... on DirectConversation { pins(<page>) { edges { cursor } } } }",
    ),
    ("Message.readers", "node(id: <thread>) { ... on Thread { root { readers(<page>) { edges { cursor } } } } }"),
    ("Admin.invitations", "admin { invitations(<page>) { edges { cursor } } }"),
    ("Thread.replies", "node(id: <thread>) { ... on Thread { replies(<page>) { edges { cursor } } } }"),
];

#[test]
fn every_list_is_among_those() {
    let is_list = |field: &sdl::Field| {
        field.arguments.iter().any(|argument| argument.name == "before" && argument.kind == "String")
    };
    let lists = sdl::objects().into_iter().flat_map(|(object, fields)| {
        fields.into_iter().filter(is_list).map(move |field| format!("{object}.{}", field.name))
    });
    // Nobody moderates a direct conversation, so nobody is shown that list.
    let lists = lists.filter(|name| name != "DirectConversation.deletedMessages");
    assert_eq!(lists.collect::<BTreeSet<_>>(), LISTS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

/// A conversation with a thread, and a list of each kind with something in it.
struct Lists {
    here: String,
    thread: String,
    /// Of three.
    direct: String,
    group: String,
    category: String,
}

impl Lists {
    async fn new(server: &TestServer, alice: &Actor, name: &str) -> Self {
        let mallory = server.register(&key()[..20]).await;
        let here = alice.public_channel(name).await;
        mallory.join(&here).await;
        mallory.say(&here, &format!("<@{}>", alice.id)).await;
        alice.ask(BLOCK, json!({ "input": { "userId": mallory.id } })).await.data("blockUser");
        let regretted = alice.say(&here, "No").await["id"].clone();
        alice.ask(DELETE, json!({ "input": { "messageId": regretted } })).await.data("deleteMessage");
        let root = alice.say(&here, "Hi").await["id"].as_str().unwrap().to_owned();
        alice.write(json!({ "conversationId": here, "content": "Hi", "threadRootId": root })).await;
        alice.ask(REACT, json!({ "input": { "messageId": root, "emoji": "👍" } })).await.data("addReaction");
        alice.ask(PIN, json!({ "input": { "messageId": root } })).await.data("pinMessage");
        let (bob, carol) = (server.register(&key()[..20]).await, server.register(&key()[..20]).await);
        // Whoever joins has read everything.
        bob.join(&here).await;
        let direct = alice.direct_with(&[&bob, &carol]).await;
        let noted = alice.say(&direct, "Hi").await["id"].clone();
        alice.write(json!({ "conversationId": direct, "content": "Hi", "threadRootId": noted })).await;
        alice.ask(PIN, json!({ "input": { "messageId": noted } })).await.data("pinMessage");
        let id = |answer: Answer, field: &str, of: &str| answer.data(field)[of]["id"].as_str().unwrap().to_owned();
        let group = alice.ask(CREATE_GROUP, json!({ "input": { "name": name } })).await;
        let group = id(group, "createGroup", "group");
        let category = alice.ask(CREATE_CATEGORY, json!({ "input": { "name": name, "groupId": group } })).await;
        let category = id(category, "createChannelCategory", "category");
        alice.create_channel(json!({ "name": name, "groupId": group, "categoryId": category })).await;
        alice.query("mutation { createInvitation(input: {}) { token } }").await.data("createInvitation");
        Self { here, thread: root.replace("msg_", "thread_"), direct, group, category }
    }

    fn query(&self, ask: &str, page: &str) -> String {
        let words = [
            ("<here>", &self.here),
            ("<thread>", &self.thread),
            ("<direct>", &self.direct),
            ("<group>", &self.group),
            ("<category>", &self.category),
        ];
        let ask = words.iter().fold(ask.to_owned(), |ask, (word, id)| ask.replace(word, &format!("{id:?}")));
        format!("{{ {} }}", ask.replace("<page>", page))
    }

    /// The first cursor of a list.
    async fn cursor(&self, alice: &Actor, ask: &str) -> String {
        let Answer(answer) = alice.query(&self.query(ask, "first: 1")).await;
        find(&answer, "cursor").unwrap_or_else(|| panic!("{ask}: {answer}"))
    }
}

/// The first text of this name, wherever it is.
fn find(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(fields) => match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => fields.values().find_map(|field| find(field, name)),
        },
        Value::Array(elements) => elements.iter().find_map(|element| find(element, name)),
        _ => None,
    }
}

#[tokio::test]
async fn a_page_has_a_size_and_one_direction() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let lists = Lists::new(&server, &alice, "Lounge").await;
    for (list, ask) in LISTS {
        for (page, faults) in [
            ("first: 1, last: 1", &["last NOT_ALLOWED"][..]),
            ("first: 101", &["first OUT_OF_RANGE"]),
            ("last: 101", &["last OUT_OF_RANGE"]),
            ("first: -1", &["first OUT_OF_RANGE"]),
            ("last: -2147483648", &["last OUT_OF_RANGE"]),
            (
                "first: 2147483647, last: -1, after: \"?\", before: \"\"",
                &[
                    "first OUT_OF_RANGE",
                    "last OUT_OF_RANGE",
                    "last NOT_ALLOWED",
                    "after BAD_FORMAT",
                    "before BAD_FORMAT",
                ],
            ),
        ] {
            let answer = alice.query(&lists.query(ask, page)).await;
            is_clean(&answer.0);
            assert_eq!(answer.wrong_fields(), faults, "{list} {page}");
            assert!(answer.0["errors"][0]["path"].is_array(), "{list}: {}", answer.0);
        }
        for page in ["first: 100", "last: 100", "first: 0", "last: 0"] {
            let Answer(answer) = alice.query(&lists.query(ask, page)).await;
            assert!(answer.get("errors").is_none(), "{list} {page}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_of_one_list_alone() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (here, elsewhere) =
        (Lists::new(&server, &alice, "Lounge").await, Lists::new(&server, &alice, "Elsewhere").await);
    let mut cursors = Vec::new();
    for (list, ask) in LISTS {
        cursors.push((list, true, here.cursor(&alice, ask).await));
        // The others are of no conversation.
        let words = ["<here>", "<thread>", "<direct>", "<group>", "<category>"];
        if words.iter().any(|word| ask.contains(word)) {
            cursors.push((list, false, elsewhere.cursor(&alice, ask).await));
        }
    }
    let written = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let nobody = Uuid::new_v4();
    let forged = [
        "nonsense".to_owned(),
        String::new(),
        "====".to_owned(),
        written("[]"),
        written(r#"["messages"]"#),
        written(r#"["messages",null]"#),
        written(&format!(r#"["messages",["{nobody}",1]]"#)),
        written(&format!(r#"["members",["{nobody}",1,1,"{nobody}"]]"#)),
        written(&format!(r#"["pins",["{nobody}",1]]"#)),
        written(&format!(r#"["threads",["{nobody}",1,1]]"#)),
        written(r#"["followedThreads",[1,"",1]]"#),
        written(&format!(r#"["mentions",[1,"{nobody}"]]"#)),
        written(&format!(r#"["readers",[1,["{nobody}",1,1,"{nobody}"]]]"#)),
        written(&format!(r#"["reactors",["{nobody}",1,"👍",1]]"#)),
        written(&format!(r#"["channels",{{"Within":["{nobody}",{{"Name":["a","{nobody}"]}}]}}]"#)),
        written(&format!(r#"["groupMembers",["{nobody}",1,1,"{nobody}"]]"#)),
        written(&format!(r#"["groups",["Others","a","{nobody}"]]"#)),
        written(r#"["invitations",[1]]"#),
        written(&format!(r#"["nothing",["{nobody}",1]]"#)),
    ];
    for (list, ask) in LISTS {
        for side in ["after", "before"] {
            for (of, is_here, cursor) in &cursors {
                let page = format!("{side}: {cursor:?}");
                let answer = alice.query(&here.query(ask, &page)).await;
                // A message's cursor is the same wherever it stands.
                let of_messages = ["Channel.messages", "Channel.deletedMessages", "Thread.replies"];
                let is_of_messages = |list: &str| of_messages.contains(&list);
                if *is_here && (*of == list || is_of_messages(of) && is_of_messages(list)) {
                    assert!(answer.0.get("errors").is_none(), "{list} {side} one of {of}: {}", answer.0);
                } else {
                    is_clean(&answer.0);
                    let fault = format!("{side} BAD_FORMAT");
                    assert!(answer.0.get("errors").is_some(), "{list} takes {side} one of {of}, here: {is_here}");
                    assert_eq!(answer.wrong_fields(), [fault], "{list} {side} one of {of}, here: {is_here}");
                }
            }
            for cursor in &forged {
                let answer = alice.query(&here.query(ask, &format!("{side}: {cursor:?}"))).await;
                is_clean(&answer.0);
                assert_eq!(answer.wrong_fields(), [format!("{side} BAD_FORMAT")], "{list} {side} {cursor}");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_of_channels_is_of_one_order() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.public_channel("Lounge").await;
    let orders = ["NAME", "CREATED_AT", "POSITION"];
    for field in orders {
        let ask = |page: &str, field: &str| {
            format!("{{ channels(orderBy: {{ field: {field} }}, {page}) {{ edges {{ cursor }} }} }}")
        };
        let found = alice.query(&ask("first: 1", field)).await.data("channels");
        let page = format!("after: {}", found["edges"][0]["cursor"]);
        for other in orders {
            let answer = alice.query(&ask(&page, other)).await;
            match other == field {
                true => assert_eq!(answer.data("channels")["edges"], json!([])),
                false => assert_eq!(answer.wrong_fields(), ["after BAD_FORMAT"]),
            }
        }
    }
}

#[tokio::test]
async fn what_is_searched_for_has_a_length() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Lounge").await;
    let long = "x".repeat(101);
    for (search, fault) in [
        ("", "filter.search REQUIRED"),
        ("  ab  ", "filter.search TOO_SHORT"),
        (long.as_str(), "filter.search TOO_LONG"),
        ("abc\0", "filter.search BAD_FORMAT"),
    ] {
        let ask = "query($search: String) { channels(filter: { search: $search }) { nodes { id } } }";
        let answer = alice.ask(ask, json!({ "search": search })).await;
        is_clean(&answer.0);
        assert_eq!(answer.wrong_fields(), [fault], "{search:?}");
    }
    for (search, fault) in [(long.as_str(), "filter.search TOO_LONG"), ("\0", "filter.search BAD_FORMAT")] {
        let ask = "query($id: ID!, $search: String) {
            conversation(id: $id) { members(filter: { search: $search }) { nodes { id } } } }";
        let answer = alice.ask(ask, json!({ "id": channel, "search": search })).await;
        is_clean(&answer.0);
        assert_eq!(answer.wrong_fields(), [fault], "{search:?}");
    }
}

#[tokio::test]
async fn what_is_read_around_and_after_something_has_a_size_too() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Lounge").await;
    let message = alice.say(&channel, "Hi").await["id"].as_str().unwrap().to_owned();
    let around = |rest: &str| format!("messagesAround(anchor: {{ firstUnread: true }}, {rest}) {{ seq }}");
    for (ask, faults) in [
        (around("before: 51, after: 50"), &["before OUT_OF_RANGE"][..]),
        (around("before: -1"), &["before OUT_OF_RANGE"]),
        (around("after: -1"), &["after OUT_OF_RANGE"]),
        (around("before: 2147483647, after: 2147483647"), &["before OUT_OF_RANGE", "after OUT_OF_RANGE"]),
        ("messagesAround(anchor: { firstUnread: false }) { seq }".into(), &["anchor NOT_ALLOWED"]),
        ("events(after: 0, first: 101) { seq }".into(), &["first OUT_OF_RANGE"]),
        ("events(after: 0, first: -1) { seq }".into(), &["first OUT_OF_RANGE"]),
    ] {
        let answer = alice.query(&format!("{{ conversation(id: {channel:?}) {{ {ask} }} }}")).await;
        is_clean(&answer.0);
        assert_eq!(answer.wrong_fields(), faults, "{ask}");
    }
    alice.write(json!({ "conversationId": channel, "content": "Hi", "threadRootId": message })).await;
    for (ask, faults) in [
        ("repliesAround(anchor: { firstUnread: true }, before: 51, after: 50) { seq }", &["before OUT_OF_RANGE"][..]),
        ("repliesAround(anchor: { firstUnread: false }) { seq }", &["anchor NOT_ALLOWED"]),
        ("participants(limit: 101) { id }", &["limit OUT_OF_RANGE"]),
        ("participants(limit: -1) { id }", &["limit OUT_OF_RANGE"]),
    ] {
        let answer = alice.query(&format!("{{ message(id: {message:?}) {{ thread {{ {ask} }} }} }}")).await;
        is_clean(&answer.0);
        assert_eq!(answer.wrong_fields(), faults, "{ask}");
    }
    for length in [0, -1, 1_001, i32::MAX] {
        let answer = alice.query(&format!("{{ message(id: {message:?}) {{ excerpt(length: {length}) }} }}")).await;
        is_clean(&answer.0);
        assert_eq!(answer.wrong_fields(), ["length OUT_OF_RANGE"], "{length}");
    }
    // No events are no gap.
    let none = format!("{{ conversation(id: {channel:?}) {{ events(after: 0, first: 0) {{ seq hasGap }} }} }}");
    let found = alice.query(&none).await.data("conversation");
    assert_eq!(found["events"], json!({ "seq": 0, "hasGap": false }));
    // Beyond either end of the log there is a gap, and no error.
    for after in [i32::MIN, -1, 4, i32::MAX] {
        let events = format!("events(after: {after}) {{ seq hasGap }}");
        let found = alice.query(&format!("{{ conversation(id: {channel:?}) {{ {events} }} }}")).await;
        assert_eq!(found.data("conversation")["events"], json!({ "seq": 3, "hasGap": true }), "{after}");
    }
}

#[tokio::test]
async fn lists_of_ids_end_at_a_hundred() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Lounge").await;
    let ids = |count| (0..count).map(|_| any("user")).collect::<Vec<_>>();
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_eq!(alice.ask(nodes, json!({ "ids": ids(100) })).await.data("nodes"), json!(vec![Value::Null; 100]));
    let answer = alice.ask(nodes, json!({ "ids": ids(101) })).await;
    is_clean(&answer.0);
    assert_eq!(answer.wrong_fields(), ["ids TOO_MANY"]);
    let members = json!({ "name": "Crowd", "memberIds": ids(101) });
    assert_eq!(refused(&server, &alice, CREATE, members).await.wrong_fields(), ["input.memberIds TOO_MANY"]);
    let added = json!({ "conversationId": channel, "userIds": ids(101) });
    assert_eq!(refused(&server, &alice, ADD, added).await.wrong_fields(), ["input.userIds TOO_MANY"]);
}

// All at once.

#[tokio::test]
async fn everything_wrong_with_an_input_is_said_at_once() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Lounge").await;
    let long = "x".repeat(501);
    for (ask, input, faults) in [
        (
            CREATE,
            json!({ "name": "", "slug": "A!", "topic": long, "memberIds": ["x", alice.id, "y"], "clientKey": "1" }),
            &[
                "input.name REQUIRED",
                "input.slug BAD_FORMAT",
                "input.topic TOO_LONG",
                "input.memberIds.0 BAD_FORMAT",
                "input.memberIds.2 BAD_FORMAT",
                "input.clientKey TOO_SHORT",
            ][..],
        ),
        (
            CREATE,
            json!({ "name": "\n", "slug": "lounge-2", "visibility": "PRIVATE" }),
            &["input.name REQUIRED", "input.slug NOT_ALLOWED"],
        ),
        (
            CREATE,
            json!({ "name": "Lounge", "memberIds": [any("user"), alice.id, any("user")] }),
            &["input.memberIds.0 UNKNOWN_ID", "input.memberIds.2 UNKNOWN_ID"],
        ),
        (
            UPDATE,
            json!({
                "channelId": alice.id, "name": null, "slug": "a b", "topic": long, "visibility": null,
                "postingRole": null, "expectedVersion": 9,
            }),
            &[
                "input.channelId BAD_FORMAT",
                "input.name REQUIRED",
                "input.slug BAD_FORMAT",
                "input.topic TOO_LONG",
                "input.visibility REQUIRED",
                "input.postingRole REQUIRED",
            ],
        ),
        (
            UPDATE,
            json!({ "channelId": channel, "name": "", "slug": "lounge-2", "visibility": "PRIVATE" }),
            &["input.name REQUIRED", "input.slug NOT_ALLOWED"],
        ),
        (UPDATE, json!({ "channelId": channel, "slug": null }), &["input.slug REQUIRED"]),
        (UPDATE, json!({ "channelId": channel, "slug": null, "visibility": "PUBLIC" }), &["input.slug REQUIRED"]),
        (
            SEND,
            json!({ "conversationId": alice.id, "clientKey": "", "content": "", "replyToId": "", "threadRootId": "1" }),
            &[
                "input.conversationId BAD_FORMAT",
                "input.clientKey REQUIRED",
                "input.content REQUIRED",
                "input.replyToId BAD_FORMAT",
                "input.threadRootId BAD_FORMAT",
            ],
        ),
        (
            SEND,
            json!({
                "conversationId": channel,
                "clientKey": key(),
                "content": "Hi",
                "replyToId": any("msg"),
                "threadRootId": any("msg"),
            }),
            &["input.replyToId UNKNOWN_ID", "input.threadRootId UNKNOWN_ID"],
        ),
        (
            EDIT,
            json!({ "messageId": channel, "content": "\0" }),
            &["input.messageId BAD_FORMAT", "input.content BAD_FORMAT"],
        ),
        (
            DELETE,
            json!({ "messageId": channel, "reason": long }),
            &["input.messageId BAD_FORMAT", "input.reason TOO_LONG"],
        ),
        (
            REACT,
            json!({ "messageId": channel, "emoji": "x" }),
            &["input.messageId BAD_FORMAT", "input.emoji BAD_FORMAT"],
        ),
        (UNREACT, json!({ "messageId": "", "emoji": "" }), &["input.messageId BAD_FORMAT", "input.emoji BAD_FORMAT"]),
        (PIN, json!({ "messageId": channel }), &["input.messageId BAD_FORMAT"]),
        (
            ADD,
            json!({ "conversationId": alice.id, "userIds": [alice.id, channel] }),
            &["input.conversationId BAD_FORMAT", "input.userIds.1 BAD_FORMAT"],
        ),
        (
            PROFILE,
            json!({ "username": "a b", "displayName": null, "bio": long }),
            &["input.username BAD_FORMAT", "input.displayName REQUIRED", "input.bio TOO_LONG"],
        ),
        (
            PREFERENCES,
            json!({ "language": "", "timeZone": "Atlantis", "theme": "DARK" }),
            &["input.language REQUIRED", "input.timeZone BAD_FORMAT"],
        ),
        (
            PREFERENCES,
            json!({ "timeZone": "Atlantis", "notifications": {
                "quietHours": { "start": "25:00", "end": "7" }, "urgentWords": ["fine", "", long] } }),
            &[
                "input.timeZone BAD_FORMAT",
                "input.notifications.quietHours.start BAD_FORMAT",
                "input.notifications.quietHours.end BAD_FORMAT",
                "input.notifications.urgentWords.1 REQUIRED",
                "input.notifications.urgentWords.2 TOO_LONG",
            ],
        ),
        (
            PREFERENCES,
            json!({ "notifications": { "quietHours": { "start": "07:00", "end": "07:00" }, "urgentWords": vec!["x"; 51] } }),
            &["input.notifications.quietHours.end NOT_ALLOWED", "input.notifications.urgentWords TOO_MANY"],
        ),
        (
            "mutation($input: MarkNotificationsReadInput!) { markNotificationsRead(input: $input) { markedCount } }",
            json!({ "notificationIds": [channel, any("notification"), ""] }),
            &["input.notificationIds.0 BAD_FORMAT", "input.notificationIds.2 BAD_FORMAT"],
        ),
        (
            "mutation($input: MarkNotificationsReadInput!) { markNotificationsRead(input: $input) { markedCount } }",
            json!({ "notificationIds": vec![any("notification"); 101] }),
            &["input.notificationIds TOO_MANY"],
        ),
        (
            "mutation($input: DeleteNotificationsInput!) { deleteNotifications(input: $input) { notificationIds } }",
            json!({ "notificationIds": vec![any("notification"); 101] }),
            &["input.notificationIds TOO_MANY"],
        ),
        (
            MARK_READ,
            json!({ "conversationId": alice.id, "seq": -1, "messageId": channel }),
            &["input.conversationId BAD_FORMAT", "input.seq OUT_OF_RANGE", "input.messageId NOT_ALLOWED"],
        ),
        (
            MARK_READ,
            json!({ "conversationId": channel, "seq": 1, "messageId": any("msg") }),
            &["input.messageId NOT_ALLOWED"],
        ),
        (MARK_READ, json!({ "conversationId": channel, "messageId": any("msg") }), &["input.messageId UNKNOWN_ID"]),
        (MARK_UNREAD, json!({ "messageId": channel }), &["input.messageId BAD_FORMAT"]),
        (
            KEEP,
            json!({ "conversationId": alice.id, "mutedUntil": "9999-12-31T23:59:59-01:00" }),
            &["input.conversationId BAD_FORMAT", "input.mutedUntil BAD_FORMAT"],
        ),
        (
            "mutation($input: MarkThreadReadInput!) { markThreadRead(input: $input) { thread { id } } }",
            json!({ "messageId": channel, "seq": -1 }),
            &["input.messageId BAD_FORMAT", "input.seq OUT_OF_RANGE"],
        ),
        (
            OPEN_DIRECT,
            json!({ "userIds": ["x", alice.id, channel] }),
            &["input.userIds.0 BAD_FORMAT", "input.userIds.2 BAD_FORMAT"],
        ),
        (
            OPEN_DIRECT,
            json!({ "userIds": [any("user"), alice.id, any("user")] }),
            &["input.userIds.0 UNKNOWN_ID", "input.userIds.2 UNKNOWN_ID"],
        ),
        (OPEN_DIRECT, json!({ "userIds": vec!["x"; 101] }), &["input.userIds TOO_MANY"]),
        (
            NAME_DIRECT,
            json!({ "conversationId": channel, "name": "\n" }),
            &["input.conversationId BAD_FORMAT", "input.name REQUIRED"],
        ),
        (
            CREATE,
            json!({ "name": "Lounge", "groupId": channel, "categoryId": "category_0" }),
            &["input.groupId BAD_FORMAT", "input.categoryId BAD_FORMAT"],
        ),
        (
            CREATE_GROUP,
            json!({ "name": "", "slug": "A!", "description": long, "clientKey": "1" }),
            &[
                "input.name REQUIRED",
                "input.slug BAD_FORMAT",
                "input.description TOO_LONG",
                "input.clientKey TOO_SHORT",
            ],
        ),
        (
            UPDATE_GROUP,
            json!({ "groupId": channel, "name": null, "slug": "a b", "description": long, "visibility": null }),
            &[
                "input.groupId BAD_FORMAT",
                "input.name REQUIRED",
                "input.slug BAD_FORMAT",
                "input.description TOO_LONG",
                "input.visibility REQUIRED",
            ],
        ),
        (
            ADD_TO_GROUP,
            json!({ "groupId": alice.id, "userIds": [alice.id, channel] }),
            &["input.groupId BAD_FORMAT", "input.userIds.1 BAD_FORMAT"],
        ),
        (
            CREATE_CATEGORY,
            json!({ "name": "\0", "groupId": channel, "position": -1 }),
            &["input.name BAD_FORMAT", "input.groupId BAD_FORMAT", "input.position OUT_OF_RANGE"],
        ),
        (
            MOVE,
            json!({ "channelId": alice.id, "categoryId": channel, "afterChannelId": "" }),
            &["input.channelId BAD_FORMAT", "input.categoryId BAD_FORMAT", "input.afterChannelId BAD_FORMAT"],
        ),
        (
            REMOVE,
            json!({ "memberId": alice.id, "reason": "\0" }),
            &["input.memberId BAD_FORMAT", "input.reason BAD_FORMAT"],
        ),
    ] {
        let answer = refused(&server, &alice, ask, input.clone()).await;
        assert_eq!(answer.wrong_fields(), faults, "{input}");
    }
}

// Nothing of the inside.

/// What people try, and what breaks things by accident.
fn texts() -> Vec<Value> {
    let written = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let ids = [
        "chan",
        "dm",
        "msg",
        "member",
        "user",
        "thread",
        "session",
        "viewer",
        "pref",
        "group",
        "group_member",
        "category",
    ];
    let mut texts: Vec<String> = ids.iter().map(|prefix| format!("{prefix}_7zzzzzzzzzzzzzzzzzzzzzzzzz")).collect();
    texts.extend(
        ["", " ", "\0", "a\0b", "\u{7}", "\u{feff}", "\u{202e}x", "%_\\", "\"'`", "😀", "null"].map(str::to_owned),
    );
    texts.extend(["'; DROP TABLE users; --", "$1", "{{7*7}}", "../../etc/passwd", "<@>"].map(str::to_owned));
    texts.push("x".repeat(20_000));
    // Cursors that nobody was given.
    let nil = Uuid::nil();
    texts.push(written(&format!(r#"["channels",["a","{nil}"]]"#)));
    texts.push(written(&format!(r#"["channels",{{"Name":["a\u0000","{nil}"]}}]"#)));
    texts.push(written(&format!(r#"["users",{{"Name":["a\u0000","{nil}"]}}]"#)));
    texts.push(written(&format!(r#"["groups",["Seen","a\u0000","{nil}"]]"#)));
    for place in [i32::MIN, i32::MAX] {
        let spot = format!(r#"{{"group":null,"category":{place},"position":{place}}}"#);
        texts.push(written(&format!(r#"["channels",{{"Position":[{spot},"{nil}"]}}]"#)));
    }
    for time in [i64::MIN, -300_000_000_000_000, i64::MAX] {
        texts.push(written(&format!(r#"["channels",{{"CreatedAt":[{time},"{nil}"]}}]"#)));
        texts.push(written(&format!(r#"["members",["{nil}",1,{time},"{nil}"]]"#)));
        texts.push(written(&format!(r#"["members",[1,{time},"{nil}"]]"#)));
        texts.push(written(&format!(r#"["groupMembers",["{nil}",1,{time},"{nil}"]]"#)));
        texts.push(written(&format!(r#"["users",{{"LastSeen":[{time},"{nil}"]}}]"#)));
        texts.push(written(&format!(r#"["users",{{"CreatedAt":[{time},"{nil}"]}}]"#)));
        texts.push(written(&format!(r#"["blockedUsers",[{time},"{nil}"]]"#)));
        texts.push(written(&format!(r#"["followedThreads",[{time},"{nil}",-1]]"#)));
        texts.push(written(&format!(r#"["mentions",[{time},"{nil}",-1]]"#)));
    }
    texts.push(written(&format!(r#"["messages",["{nil}",-2147483648]]"#)));
    texts.push(written(&format!(r#"["pins",["{nil}",-2147483648]]"#)));
    texts.push(written(&format!(r#"["threads",["{nil}",-2147483648,2147483647]]"#)));
    texts.push(written(&format!(r#"["reactors",["{nil}",1,"\u0000",2147483647]]"#)));
    texts.into_iter().map(Value::from).collect()
}

fn values(kind: &str) -> Vec<Value> {
    let mut values = match kind {
        "Int" => [i32::MIN, -1, 0, 1, 101, i32::MAX].map(Value::from).to_vec(),
        "Boolean" => vec![json!(true), json!(false)],
        "DateTime" => {
            ["0000-01-01T00:00:00Z", "9999-12-31T23:59:60+23:59", "today", "\0", ""].map(Value::from).to_vec()
        }
        "String" | "ID" | "LanguageTag" | "LocalTime" | "TimeZone" | "URL" => texts(),
        _ => vec![json!("NOTHING")],
    };
    // And what is none of its kind.
    values.extend([json!({}), json!([[]]), json!(1.5), json!(9_007_199_254_740_993_i64), Value::Null]);
    values
}

/// What a field or argument is given while another one is tried.
struct Usual {
    channel: String,
    direct: String,
    group: String,
    category: String,
    message: String,
    thread: String,
    seat: String,
    user: String,
}

impl Usual {
    fn of(&self, input: &sdl::Input) -> Value {
        let value = match (input.kind.as_str(), input.name.as_str()) {
            ("ID", "messageId" | "replyToId" | "threadRootId") => json!(self.message),
            ("ID", "memberId") => json!(self.seat),
            ("ID", "userId" | "userIds" | "memberIds") => json!(self.user),
            ("ID", "groupId") => json!(self.group),
            ("ID", "categoryId") => json!(self.category),
            ("ID", _) => json!(self.channel),
            ("String", "email") => json!(format!("{}@example.org", key())),
            ("String", "username") => json!(&key()[..20]),
            ("String", "emoji") => json!("👍"),
            ("String", _) => json!(key()),
            ("Int", _) => json!(1),
            ("Boolean", _) => json!(true),
            ("LocalTime", _) => json!("22:00"),
            ("URL", _) => json!("http://localhost:8080/oauth/callback"),
            (kind, _) => match sdl::values(kind).first() {
                Some(value) => json!(value),
                None => self.of_object(&input_object(kind)),
            },
        };
        if input.is_list { json!([value]) } else { value }
    }

    fn of_object(&self, object: &sdl::InputObject) -> Value {
        let needed = object.fields.iter().enumerate().filter(|(index, field)| match object.is_one_of {
            true => *index == 0,
            false => field.is_required,
        });
        let mut usual: Value = needed.map(|(_, field)| (field.name.clone(), self.of(field))).collect();
        if object.name == "UpdateDirectConversationInput" {
            usual["conversationId"] = json!(self.direct);
        }
        usual
    }

    /// All values to try in this place, each with the usual ones beside it.
    fn tries(&self, input: &sdl::Input) -> Vec<Value> {
        let list = |value: Value| if input.is_list { json!([value]) } else { value };
        let is_object = sdl::input_objects().iter().any(|object| object.name == input.kind);
        if !is_object {
            return values(&input.kind).into_iter().map(list).collect();
        }
        let object = input_object(&input.kind);
        let mut tries = Vec::new();
        for field in &object.fields {
            for value in self.tries(field) {
                let mut whole = if object.is_one_of { json!({}) } else { self.of_object(&object) };
                whole[&field.name] = value;
                tries.push(list(whole));
            }
        }
        tries
    }
}

fn input_object(name: &str) -> sdl::InputObject {
    sdl::input_objects()
        .into_iter()
        .find(|object| object.name == name)
        .unwrap_or_else(|| panic!("no values for {name}"))
}

/// Every argument and every field of every input, one after the other, is given what it should not be given.
#[tokio::test]
async fn whatever_is_sent_no_error_tells_of_the_inside() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let lists = Lists::new(&server, &alice, "Lounge").await;
    bob.join(&lists.here).await;
    let message = lists.thread.replace("thread_", "msg_");
    let seat = alice.seat_of(&lists.here, &bob).await;
    let Lists { here: channel, direct, thread, group, category } = lists;
    let usual = Usual { channel, direct, group, category, message, thread, seat, user: bob.id.clone() };
    let mut count = 0;
    let mut wrong = Vec::new();
    for (object, fields) in sdl::objects() {
        for field in fields.iter().filter(|field| !field.arguments.is_empty()) {
            for argument in &field.arguments {
                for value in usual.tries(argument) {
                    let variables: serde_json::Map<_, _> = field
                        .arguments
                        .iter()
                        .filter(|other| other.is_required || other.name == argument.name)
                        .map(|other| {
                            let is_tried = other.name == argument.name;
                            (other.name.clone(), if is_tried { value.clone() } else { usual.of(other) })
                        })
                        .collect();
                    let ask = operation(&object, field, &variables, &usual);
                    let variables = Value::Object(variables);
                    let answer = match object.as_str() {
                        "Subscription" => first_of(&alice, &ask, &variables).await,
                        // The others are still to be asked by somebody who is signed in.
                        _ if field.name == "logout" => {
                            Actor::log_in(server.address, "alice").await.ask(&ask, variables.clone()).await.0
                        }
                        _ => alice.ask(&ask, variables.clone()).await.0,
                    };
                    count += 1;
                    if let Some(what) = leak(&answer) {
                        let shown: String = variables.to_string().chars().take(200).collect();
                        wrong.push(format!("{object}.{} {shown}\n    {what}", field.name));
                    }
                }
            }
        }
    }
    assert!(count > 1_000, "hardly anything was tried: {count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}\n", wrong.len(), wrong.join("\n"));
}

/// An operation that gives a field these arguments, as variables.
fn operation(object: &str, field: &sdl::Field, given: &serde_json::Map<String, Value>, usual: &Usual) -> String {
    let given: Vec<_> = field.arguments.iter().filter(|argument| given.contains_key(&argument.name)).collect();
    let declared: Vec<_> = given.iter().map(|argument| format!("${}: {}", argument.name, argument.written)).collect();
    let passed: Vec<_> = given.iter().map(|argument| format!("{0}: ${0}", argument.name)).collect();
    let is_scalar = ["String", "Int", "Boolean", "ID"].contains(&field.kind.as_str());
    let selection = if is_scalar { "" } else { "{ __typename }" };
    let asked = format!("{}({}) {selection}", field.name, passed.join(", "));
    let (kind, asked) = match object {
        "Query" | "Mutation" | "Subscription" => (object.to_lowercase(), asked),
        "Admin" => ("query".into(), format!("admin {{ {asked} }}")),
        "Viewer" => ("query".into(), format!("viewer {{ {asked} }}")),
        "Group" => ("query".into(), format!("group(by: {{ id: {:?} }}) {{ {asked} }}", usual.group)),
        "ChannelCategory" => {
            ("query".into(), format!("node(id: {:?}) {{ ... on ChannelCategory {{ {asked} }} }}", usual.category))
        }
        "Channel" => ("query".into(), format!("conversation(id: {:?}) {{ {asked} }}", usual.channel)),
        "DirectConversation" => {
            let asked = format!("... on DirectConversation {{ {asked} }}");
            ("query".into(), format!("conversation(id: {:?}) {{ {asked} }}", usual.direct))
        }
        "Message" => ("query".into(), format!("message(id: {:?}) {{ {asked} }}", usual.message)),
        "ReactionGroup" => ("query".into(), format!("message(id: {:?}) {{ reactions {{ {asked} }} }}", usual.message)),
        "Thread" => ("query".into(), format!("node(id: {:?}) {{ ... on Thread {{ {asked} }} }}", usual.thread)),
        other => panic!("how is a {other} reached?"),
    };
    format!("{kind}({}) {{ {asked} }}", declared.join(", "))
}

async fn first_of(actor: &Actor, ask: &str, variables: &Value) -> Value {
    let message = actor.socket().await.run(ask, variables.clone()).message().await;
    match message["type"].as_str().unwrap() {
        "error" => json!({ "errors": message["payload"] }),
        _ => message["payload"].clone(),
    }
}

// What all of them share.

const SEND: &str =
    "mutation($input: SendMessageInput!) { sendMessage(input: $input) { isReplay message { id content } } }";
const EDIT: &str = "mutation($input: EditMessageInput!) { editMessage(input: $input) { message { id version } } }";
const DELETE: &str = "mutation($input: DeleteMessageInput!) { deleteMessage(input: $input) { seq } }";
const REACT: &str = "mutation($input: AddReactionInput!) { addReaction(input: $input) { seq } }";
const UNREACT: &str = "mutation($input: RemoveReactionInput!) { removeReaction(input: $input) { seq } }";
const PIN: &str = "mutation($input: PinMessageInput!) { pinMessage(input: $input) { seq } }";
const CREATE: &str =
    "mutation($input: CreateChannelInput!) { createChannel(input: $input) { isReplay channel { id } } }";
const CREATE_GROUP: &str = "mutation($input: CreateGroupInput!) { createGroup(input: $input) { group { id } } }";
const UPDATE_GROUP: &str = "mutation($input: UpdateGroupInput!) { updateGroup(input: $input) { group { id } } }";
const ADD_TO_GROUP: &str =
    "mutation($input: AddGroupMembersInput!) { addGroupMembers(input: $input) { members { id } } }";
const CREATE_CATEGORY: &str = "mutation($input: CreateChannelCategoryInput!) { createChannelCategory(input: $input) {
    category { id } } }";
const MOVE: &str = "mutation($input: MoveChannelInput!) { moveChannel(input: $input) { channel { id } } }";
const UPDATE: &str =
    "mutation($input: UpdateChannelInput!) { updateChannel(input: $input) { channel { id version } } }";
const ADD: &str = "mutation($input: AddConversationMembersInput!) { addConversationMembers(input: $input) {
    members { id } } }";
const OPEN_DIRECT: &str = "mutation($input: OpenDirectConversationInput!) { openDirectConversation(input: $input) {
    conversation { id } } }";
const NAME_DIRECT: &str = "mutation($input: UpdateDirectConversationInput!) { updateDirectConversation(input: $input) {
    conversation { id } } }";
const REMOVE: &str = "mutation($input: RemoveConversationMemberInput!) { removeConversationMember(input: $input) {
    memberId } }";
const BLOCK: &str = "mutation($input: BlockUserInput!) { blockUser(input: $input) { user { id } } }";
const PROFILE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }";
const PREFERENCES: &str = "mutation($input: UpdatePreferencesInput!) { updatePreferences(input: $input) {
    preferences { id } } }";
const MARK_READ: &str = "mutation($input: MarkConversationReadInput!) { markConversationRead(input: $input) {
    viewerState { id } } }";
const MARK_UNREAD: &str = "mutation($input: MarkConversationUnreadInput!) { markConversationUnread(input: $input) {
    viewerState { id } } }";
const KEEP: &str =
    "mutation($input: UpdateConversationViewerStateInput!) { updateConversationViewerState(input: $input) {
    viewerState { id } } }";

fn draft(conversation: &str, content: &str) -> Value {
    json!({ "conversationId": conversation, "clientKey": key(), "content": content })
}

fn key() -> String {
    Uuid::new_v4().simple().to_string()
}

/// A well-formed id of nothing.
fn any(prefix: &str) -> String {
    chinwag::id::encode(prefix, Uuid::new_v4())
}

/// Asks for a change that has to be refused, and changes nothing.
async fn refused(server: &TestServer, actor: &Actor, ask: &str, input: Value) -> Answer {
    let before = server.database.contents().await;
    let answer = actor.ask(ask, json!({ "input": input })).await;
    assert!(answer.0.get("errors").is_some(), "not refused: {}", answer.0);
    is_clean(&answer.0);
    assert_eq!(server.database.contents().await, before, "refused, and changed something: {}", answer.0);
    answer
}

fn is_clean(answer: &Value) {
    let leak = leak(answer);
    assert!(leak.is_none(), "{}", leak.unwrap());
}

/// What of an answer's errors does not belong into them: every one has a code that the schema knows and is no fault of
/// ours, and none speaks of SQL or Rust.
fn leak(answer: &Value) -> Option<String> {
    let errors = answer.get("errors").map_or(&[][..], |errors| errors.as_array().unwrap());
    errors.iter().find_map(|error| {
        let mut shown = error.clone();
        let extensions = shown["extensions"].as_object_mut()?;
        if extensions.remove("requestId").is_none_or(|id| !id.is_string()) {
            return Some(format!("no requestId: {error}"));
        }
        let code = extensions.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
        if code == "INTERNAL" || !sdl::values("ErrorCode").contains(&code) {
            return Some(format!("the code is {code:?}: {error}"));
        }
        if let Some(fault) = wrong_fields(error) {
            return Some(format!("{fault}: {error}"));
        }
        let shown = shown.to_string();
        INSIDE.iter().find(|word| shown.contains(*word)).map(|word| format!("{word:?} in {error}"))
    })
}

/// What the SDL promises of `extensions.fields`, if it is not so.
fn wrong_fields(error: &Value) -> Option<&'static str> {
    let Some(fields) = error["extensions"].get("fields") else {
        // A scalar of ours that cannot be read is known by its type alone.
        let is_scalar = error["message"].as_str()?.starts_with("An argument here is no valid");
        return (error["extensions"]["code"] == "BAD_USER_INPUT" && !is_scalar).then_some("no fields");
    };
    fields.as_array().unwrap().iter().find_map(|field| {
        let path = field["path"].as_array();
        let code = field["code"].as_str().unwrap_or_default();
        let has = |bound: &str| field["params"][bound].is_u64();
        match code {
            _ if path.is_none_or(|path| path.is_empty() || !path.iter().all(Value::is_string)) => {
                Some("a field without a path")
            }
            _ if field["message"].as_str().is_none_or(str::is_empty) => Some("a field without a message"),
            _ if !field["params"].is_object() => Some("a field without params"),
            _ if !sdl::values("InputErrorCode").contains(&code.to_owned()) => Some("an unknown code of a field"),
            "TOO_LONG" | "TOO_MANY" if !has("max") => Some("no params.max"),
            "TOO_SHORT" if !has("min") => Some("no params.min"),
            "OUT_OF_RANGE" if !has("min") || !has("max") => Some("no params.min and params.max"),
            _ => None,
        }
    })
}

/// Words of the inside.
const INSIDE: [&str; 28] = [
    "SELECT",
    "INSERT",
    "UPDATE ",
    "DELETE FROM",
    "diesel",
    "ostgres",
    "tokio",
    "serde",
    "async_graphql",
    "src/",
    ".rs",
    "::",
    "panick",
    "unwrap",
    "Some(",
    "None",
    "Ok(",
    "Err(",
    "Error {",
    "0x00",
    "byte sequence",
    "constraint",
    "_pkey",
    "_idx",
    "conversation_members",
    "password_hash",
    "i32",
    "relation \"",
];
