//! Thousands who come back at once, as after a restart.

use std::time::Duration;

use chinwag::id::{SessionId, UserId};
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use rustix::process::{Resource, getrlimit};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use crate::harness::TestServer;

/// Those who come back, where the system lets the test have as many files: both ends are here, and other tests need some.
const CLIENTS: usize = 5_000;
const OTHER_FILES: usize = 1_000;
/// As many as a person and an address may have.
const OF_PERSON: usize = 20;
const OF_ADDRESS: usize = 100;
/// The position up to which they all have to catch up, and the last of what is written meanwhile.
const HEAD: i64 = 12;
const LAST: i64 = 40;

const FOLLOW: &str = "subscription($id: ID!, $after: Int) { conversationEvents(conversationId: $id, after: $after) {
    seq hasGap events { seq } } }";

/// People with a session each, without the work of a registration; their tokens.
async fn people(server: &TestServer, count: usize) -> Vec<String> {
    let now = server.clock.now();
    let (mut users, mut sessions, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..count {
        let (user, session) = (UserId::at(now).0, SessionId::at(now).0);
        users.push(format!("('{user}', 'person-{at}', 'Person', 'USER', true, 1, '{now}', '{now}')"));
        sessions.push(format!(
            "('{session}', '{user}', '', '', 1, '{now}', '{now}', '{now}', '{now}'::timestamptz + '1 day')"
        ));
        let claims = json!({ "sub": user, "sid": session, "exp": now.timestamp() + 600 });
        tokens.push(server.app.keys.signing.sign(&claims).unwrap());
    }
    let insert = format!(
        "INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at) VALUES {};
         INSERT INTO sessions (id, user_id, client_name, seed, generation, refreshed_at, created_at, last_used_at,
                               expires_at) VALUES {}",
        users.join(","),
        sessions.join(",")
    );
    server.database.execute(&insert).await;
    tokens
}

struct Client {
    address: std::net::SocketAddr,
    /// As the proxy on this machine says it.
    from: String,
    token: String,
    channel: String,
    seq: i64,
    socket: Option<WebSocketStream<TcpStream>>,
}

/// Why the server wants it to come back.
#[derive(Debug)]
struct Again;

impl Client {
    async fn connect(&mut self) -> Result<(), Again> {
        let mut request = format!("ws://{}/graphql", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        request.headers_mut().insert("x-forwarded-for", self.from.parse().unwrap());
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        self.socket = Some(socket);
        let authorization = format!("Bearer {}", self.token);
        self.say(json!({ "type": "connection_init", "payload": { "Authorization": authorization } })).await;
        assert_eq!(self.hear().await?["type"], "connection_ack");
        let variables = json!({ "id": self.channel, "after": self.seq });
        self.say(json!({ "type": "subscribe", "id": "1", "payload": { "query": FOLLOW, "variables": variables } }))
            .await;
        Ok(())
    }

    async fn say(&mut self, message: Value) {
        let _ = self.socket.as_mut().unwrap().send(Message::text(message.to_string())).await;
    }

    async fn hear(&mut self) -> Result<Value, Again> {
        loop {
            match self.socket.as_mut().unwrap().next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(Message::Close(Some(frame)))) => {
                    assert!([1013, 4408].contains(&u16::from(frame.code)), "{frame}");
                    return Err(Again);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Takes the events after the last one it has, one after the other and none twice.
    async fn follow(&mut self, until: i64) -> Result<(), Again> {
        if self.socket.is_none() {
            self.connect().await?;
        }
        while self.seq < until {
            let message = self.hear().await?;
            if message["type"] == "error" {
                assert_eq!(message["payload"][0]["extensions"]["code"], "UNAVAILABLE", "{message}");
                return Err(Again);
            }
            let batch = &message["payload"]["data"]["conversationEvents"];
            assert_eq!(batch["hasGap"], false, "{message}");
            for event in batch["events"].as_array().unwrap() {
                assert_eq!(event["seq"], self.seq + 1);
                self.seq += 1;
            }
            assert_eq!(batch["seq"], self.seq);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_who_come_back_at_once_miss_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    for number in 2..=HEAD {
        alice.say(&channel, &number.to_string()).await;
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) as usize;
    let count = CLIENTS.min(files.saturating_sub(OTHER_FILES) / 2);
    let tokens = people(&server, count.div_ceil(OF_PERSON)).await;
    let clients = (0..count).map(|at| {
        let by_address = at / OF_ADDRESS;
        let mut client = Client {
            address: server.address,
            from: format!("10.0.{}.{}", by_address / 250, by_address % 250),
            token: tokens[at / OF_PERSON].clone(),
            channel: channel.clone(),
            seq: 2,
            socket: None,
        };
        async move {
            while client.follow(LAST).await.is_err() {
                client.socket = None;
                sleep(Duration::from_millis(500)).await;
            }
        }
    });
    let is_over = CancellationToken::new();
    let coming = async {
        join_all(clients).await;
        is_over.cancel();
    };
    // Meanwhile the server answers whoever looks whether it is there, and somebody goes on writing.
    let looking = async {
        // A connection each time: one that was idle may just be about to be closed.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        while !is_over.is_cancelled() {
            let health = http.get(format!("{}/health", server.url())).send();
            timeout(Duration::from_secs(30), health).await.expect("the server answers").unwrap();
            sleep(Duration::from_millis(100)).await;
        }
    };
    let writing = async {
        for number in HEAD + 1..=LAST {
            alice.say(&channel, &number.to_string()).await;
        }
    };
    // Each has asserted that it got everything once and in order.
    futures_util::join!(coming, writing, looking);
}
