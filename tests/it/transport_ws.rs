//! graphql-transport-ws, probe by probe: whatever a client may say by
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md> and what it must not, before and after the greeting.

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::toy::{Socket, Toy, until};

/// Bytes of the longest reason that a close frame holds.
const REASON: usize = 123;

/// What the server does.
enum Then {
    /// It says these, and nothing else.
    Says(Vec<Value>),
    /// An `error` of this operation with this code, and nothing else.
    Refuses(&'static str, &'static str),
    Closes(u16, &'static str),
}

use Then::{Closes, Refuses, Says};

const INVALID: Then = Closes(4400, "Invalid message received");
const UNAUTHORIZED: Then = Closes(4401, "Unauthorized");
const TOO_MANY: Then = Closes(4429, "Too many initialisation requests");

fn nothing() -> Then {
    Says(Vec::new())
}

fn ack() -> Then {
    Says(vec![json!({ "type": "connection_ack" })])
}

fn pong() -> Then {
    Says(vec![json!({ "type": "pong" })])
}

fn pong_with(payload: Value) -> Then {
    Says(vec![json!({ "type": "pong", "payload": payload })])
}

/// A single result.
fn result(id: &str, data: Value) -> Vec<Value> {
    vec![json!({ "id": id, "type": "next", "payload": { "data": data } }), json!({ "id": id, "type": "complete" })]
}

fn hello() -> Then {
    Says(result("a", json!({ "hello": "world" })))
}

async fn probe(mut socket: Socket, said: &[&str], then: &Then) {
    for text in said {
        // Whoever was turned away for what came before does not take this any more.
        let _ = socket.0.send(Message::text(*text)).await;
    }
    match then {
        Says(expected) => {
            for message in expected {
                assert_eq!(socket.next().await, *message, "{said:?}");
            }
        }
        Refuses(id, code) => {
            let message = socket.next().await;
            assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{said:?}: {message}");
            let errors = message["payload"].as_array().unwrap();
            assert!(!errors.is_empty() && errors.iter().all(|error| error["message"].is_string()), "{message}");
            assert_eq!(errors[0]["extensions"]["code"], *code, "{said:?}: {message}");
        }
        Closes(code, reason) => {
            let closed = socket.closed().await;
            assert_eq!((closed.0, closed.1.as_str()), (*code, *reason), "{said:?}");
            assert!(closed.1.len() <= REASON);
            return;
        }
    }
    // Nothing came in between.
    socket.send(json!({ "type": "ping", "payload": { "and": "then" } })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong", "payload": { "and": "then" } }), "{said:?}");
}

/// A valid one is a quarter longer than is taken before the greeting.
fn long_init() -> String {
    json!({ "type": "connection_init", "payload": { "x": "x".repeat(10 * 1024) } }).to_string()
}

#[tokio::test]
async fn before_the_greeting() {
    let toy = Toy::start().await;
    let long = long_init();
    for (said, then) in [
        // The greeting itself; its payload is an object, or null, or not there.
        (r#"{"type":"connection_init"}"#, ack()),
        (r#"{"type":"connection_init","payload":null}"#, ack()),
        (r#"{"type":"connection_init","payload":{}}"#, ack()),
        (r#"{"payload":{"anything":[1,{"at":"all"}]},"type":"connection_init","more":7}"#, ack()),
        (r#"{"type":"connection_init","payload":{"Authorization":null}}"#, ack()),
        (r#"{"type":"connection_init","payload":[]}"#, INVALID),
        (r#"{"type":"connection_init","payload":"Bearer"}"#, INVALID),
        (r#"{"type":"connection_init","payload":7}"#, INVALID),
        (r#"{"type":"connection_init","payload":true}"#, INVALID),
        (r#"{"type":"connection_init","payload":{"Authorization":"nonsense"}}"#, Closes(4403, "Forbidden")),
        (&long, INVALID),
        // Ping and pong, at any time.
        (r#"{"type":"ping"}"#, pong()),
        (r#"{"type":"ping","payload":null}"#, pong()),
        (r#"{"type":"ping","payload":{}}"#, pong_with(json!({}))),
        (r#"{"type":"ping","payload":{"a":[1,null,"ü"]}}"#, pong_with(json!({ "a": [1, null, "ü"] }))),
        (r#"{"type":"ping","payload":[]}"#, INVALID),
        (r#"{"type":"ping","payload":"a"}"#, INVALID),
        (r#"{"type":"pong"}"#, nothing()),
        (r#"{"type":"pong","payload":{"a":1}}"#, nothing()),
        (r#"{"type":"pong","payload":7}"#, INVALID),
        // Nothing runs yet, so nothing is to be completed; an operation is not taken.
        (r#"{"type":"complete","id":"a"}"#, nothing()),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }"}}"#, UNAUTHORIZED),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"mutation { act(millis: 0) }"}}"#, UNAUTHORIZED),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"subscription { ticks(every: 1) }"}}"#, UNAUTHORIZED),
        // No message at all.
        ("", INVALID),
        ("nonsense", INVALID),
        ("null", INVALID),
        ("7", INVALID),
        (r#""connection_init""#, INVALID),
        (r#"[{"type":"connection_init"}]"#, INVALID),
        ("{}", INVALID),
        (r#"{"type":null}"#, INVALID),
        (r#"{"type":7}"#, INVALID),
        (r#"{"type":""}"#, INVALID),
        (r#"{"type":"CONNECTION_INIT"}"#, INVALID),
        (r#"{"type":"connection_init"} {"type":"ping"}"#, INVALID),
        (r#"{"type":"connection_init""#, INVALID),
        (r#"{"type":"connection_init","type":"ping"}"#, INVALID),
        ("{'type':'connection_init'}", INVALID),
        // What only servers say, and the words of the older protocol.
        (r#"{"type":"connection_ack"}"#, INVALID),
        (r#"{"type":"next","id":"a","payload":{"data":{}}}"#, INVALID),
        (r#"{"type":"error","id":"a","payload":[]}"#, INVALID),
        (r#"{"type":"ka"}"#, INVALID),
        (r#"{"type":"start","id":"a","payload":{"query":"{ hello }"}}"#, INVALID),
        (r#"{"type":"stop","id":"a"}"#, INVALID),
        (r#"{"type":"connection_terminate"}"#, INVALID),
    ] {
        probe(toy.socket().await, &[said], &then).await;
    }
}

#[tokio::test]
async fn after_the_greeting() {
    let toy = Toy::start().await;
    let at_the_limit = subscribe(&"x".repeat(64), "{ hello }");
    let named = "x".repeat(65);
    let (long, longer) = (subscribe(&named, "{ hello }"), subscribe(&"ü".repeat(33), "{ hello }"));
    let of_64_bytes = Says(result(&"x".repeat(64), json!({ "hello": "world" })));
    for (said, then) in [
        (r#"{"type":"connection_init"}"#, TOO_MANY),
        (r#"{"type":"connection_init","payload":{"Authorization":"Bearer nonsense"}}"#, TOO_MANY),
        (r#"{"type":"connection_init","payload":7}"#, INVALID),
        (r#"{"type":"ping"}"#, pong()),
        (r#"{"type":"ping","payload":{"a":1}}"#, pong_with(json!({ "a": 1 }))),
        (r#"{"type":"pong","payload":null}"#, nothing()),
        // Operations, as they should be.
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }"}}"#, hello()),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","operationName":null}}"#, hello()),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"query A { hello }","operationName":"A"}}"#, hello()),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","operationName":""}}"#, hello()),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","variables":null}}"#, hello()),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","variables":{"a":1}}}"#, hello()),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","extensions":null}}"#, hello()),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","extensions":{"a":1}},"more":1}"#, hello()),
        (&at_the_limit, of_64_bytes),
        (
            r#"{"type":"subscribe","id":"a","payload":{"query":"subscription { ticks(every: 1, times: 0) }"}}"#,
            Says(vec![json!({ "id": "a", "type": "complete" })]),
        ),
        // An `error` says that it did not run, and nothing follows.
        (r#"{"type":"subscribe","id":"a","payload":{"query":""}}"#, Refuses("a", "GRAPHQL_PARSE_FAILED")),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello"}}"#, Refuses("a", "GRAPHQL_PARSE_FAILED")),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ no }"}}"#, Refuses("a", "GRAPHQL_VALIDATION_FAILED")),
        (
            r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","operationName":"B"}}"#,
            Refuses("a", "BAD_REQUEST"),
        ),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"subscription { hidden }"}}"#, Refuses("a", "NOT_FOUND")),
        // Operations, as they must not be.
        (r#"{"type":"subscribe"}"#, INVALID),
        (r#"{"type":"subscribe","id":"a"}"#, INVALID),
        (r#"{"type":"subscribe","payload":{"query":"{ hello }"}}"#, INVALID),
        (r#"{"type":"subscribe","id":"","payload":{"query":"{ hello }"}}"#, INVALID),
        (r#"{"type":"subscribe","id":null,"payload":{"query":"{ hello }"}}"#, INVALID),
        (r#"{"type":"subscribe","id":1,"payload":{"query":"{ hello }"}}"#, INVALID),
        (r#"{"type":"subscribe","id":{},"payload":{"query":"{ hello }"}}"#, INVALID),
        (&long, INVALID),
        (&longer, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":null}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":"{ hello }"}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":[{"query":"{ hello }"}]}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":{}}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":{"query":null}}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":{"query":7}}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","operationName":7}}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","variables":"{}"}}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","variables":[]}}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","extensions":7}}"#, INVALID),
        (r#"{"type":"subscribe","id":"a","payload":{"query":"{ hello }","query":"{ hello }"}}"#, INVALID),
        // Both sides may complete at once, so one that is not known is no mistake.
        (r#"{"type":"complete","id":"a"}"#, nothing()),
        (r#"{"type":"complete"}"#, INVALID),
        (r#"{"type":"complete","id":""}"#, INVALID),
        (r#"{"type":"complete","id":1}"#, INVALID),
        (r#"{"type":"start","id":"a","payload":{"query":"{ hello }"}}"#, INVALID),
        (r#"{"type":"next","id":"a","payload":{}}"#, INVALID),
        ("nonsense", INVALID),
    ] {
        probe(toy.anonymous().await, &[said], &then).await;
    }
}

fn subscribe(id: &str, query: &str) -> String {
    json!({ "type": "subscribe", "id": id, "payload": { "query": query } }).to_string()
}

#[tokio::test]
async fn ids_are_in_use_until_their_operation_ends() {
    let toy = Toy::start().await;
    let (init, ends) = (r#"{"type":"connection_init"}"#, r#"{"type":"complete","id":"a"}"#);
    let in_use = Closes(4409, "Subscriber for a already exists");
    // Whatever the operation is.
    for running in
        ["subscription { ticks(every: 99999) }", "{ slow(millis: 99999) }", "mutation { act(millis: 99999) }"]
    {
        let running = subscribe("a", running);
        for again in ["subscription { ticks(every: 1) }", "{ hello }"] {
            probe(toy.anonymous().await, &[&running, &subscribe("a", again)], &in_use).await;
        }
        // Completed, it is free at once; and it is not echoed.
        probe(toy.anonymous().await, &[&running, ends, &subscribe("a", "{ hello }")], &hello()).await;
        let other = Says(result("b", json!({ "hello": "world" })));
        probe(toy.anonymous().await, &[&running, &subscribe("b", "{ hello }")], &other).await;
    }
    let widest = "ü".repeat(32);
    let twice = subscribe(&widest, "subscription { ticks(every: 99999) }");
    let mut socket = toy.anonymous().await;
    socket.text(&twice).await;
    socket.text(&twice).await;
    let (code, reason) = socket.closed().await;
    assert_eq!((code, reason), (4409, format!("Subscriber for {widest} already exists")));
    // Two greetings at once are two.
    let mut socket = toy.socket().await;
    socket.text(init).await;
    socket.text(init).await;
    assert_eq!(socket.closed().await.0, 4429);
}

#[tokio::test]
async fn messages_are_text_and_at_most_so_long() {
    let toy = Toy::start().await;
    let of = |length: usize| {
        let text = subscribe("a", "{ hello }");
        format!("{text}{}", " ".repeat(length - text.len()))
    };
    probe(toy.anonymous().await, &[&of(256 * 1024)], &hello()).await;
    probe(toy.anonymous().await, &[&of(256 * 1024 + 1)], &INVALID).await;
    // In pieces, it is as long as they are together.
    let text = of(300 * 1024);
    for (pieces, then) in
        [(vec![&text[..1000], &text[1000..100_000]], hello()), (vec![&text[..200_000], &text[200_000..]], INVALID)]
    {
        let mut socket = toy.anonymous().await;
        for (at, piece) in pieces.iter().enumerate() {
            let opcode = if at == 0 { Data::Text } else { Data::Continue };
            let frame = Frame::message(piece.as_bytes().to_vec(), OpCode::Data(opcode), at + 1 == pieces.len());
            socket.0.send(Message::Frame(frame)).await.unwrap();
        }
        probe(socket, &[], &then).await;
    }
    for message in [
        Message::binary(subscribe("a", "{ hello }").into_bytes()),
        Message::Frame(Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true)),
    ] {
        let mut socket = toy.anonymous().await;
        socket.0.send(message).await.unwrap();
        probe(socket, &[], &INVALID).await;
    }
}

/// A socket, and what was chosen of the offers: by hand, as clients give up where nothing was.
async fn offering(toy: &Toy, offers: &str) -> (Socket, Option<String>) {
    let mut stream = TcpStream::connect(toy.address).await.unwrap();
    let request = format!(
        "GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: {}\r\nsec-websocket-protocol: {offers}\r\n\r\n",
        generate_key()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let chosen = head.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: ")).map(str::to_owned);
    let stream = MaybeTlsStream::Plain(stream);
    (Socket(WebSocketStream::from_raw_socket(stream, Role::Client, None).await), chosen)
}

#[tokio::test]
async fn the_protocol_is_agreed_on_or_the_socket_closed() {
    let toy = Toy::start().await;
    for (offered, spoken) in [
        ("graphql-transport-ws", Some("graphql-transport-ws")),
        ("chat, graphql-transport-ws", Some("graphql-transport-ws")),
        ("chat", None),
        ("graphql-transport-ws-2", None),
        ("GRAPHQL-TRANSPORT-WS", None),
    ] {
        let (socket, chosen) = offering(&toy, offered).await;
        assert_eq!(chosen.as_deref(), spoken, "{offered}");
        let then = if spoken.is_some() { ack() } else { Closes(4406, "Subprotocol not acceptable") };
        probe(socket, &[r#"{"type":"connection_init"}"#], &then).await;
    }
}

#[tokio::test]
async fn who_closes_takes_everything_along() {
    let toy = Toy::start().await;
    let open = || toy.counts.open.load(std::sync::atomic::Ordering::SeqCst);
    let mut socket = toy.anonymous().await;
    socket.text(&subscribe("a", "subscription { ticks(every: 99999) }")).await;
    until(|| open() == 1).await;
    let normally = CloseFrame { code: CloseCode::Normal, reason: "Normal Closure".into() };
    socket.0.send(Message::Close(Some(normally))).await.unwrap();
    assert_eq!(socket.closed().await.0, 1000);
    until(|| open() == 0).await;
}
