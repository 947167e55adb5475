//! A server with a schema of its own: what the real one must not have, such as a resolver that panics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{Context, Object, Schema, Subscription};
use chinwag::api::execute::{Executor, Trusted};
use chinwag::app::App;
use chinwag::clock::Clock;
use chinwag::config::Config;
use chinwag::context::Ask;
use chinwag::error::{Code, Error, InputCode, Result};
use chinwag::http::Server;
use chinwag::keys::Keys;
use chinwag::subscription::{Delivery, Response};
use futures_util::{FutureExt, SinkExt, Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};
use tokio_util::sync::CancellationToken;

/// The subprotocols of sockets.
pub const CURRENT: &str = "graphql-transport-ws";
pub const OLD: &str = "graphql-ws";

/// Mutations that ran to their end, streams that are open, and long texts that were made.
#[derive(Clone, Default)]
pub struct Counts {
    pub done: Arc<AtomicUsize>,
    pub open: Arc<AtomicUsize>,
    pub made: Arc<AtomicUsize>,
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn double(&self, number: i32) -> i32 {
        number * 2
    }

    async fn nested(&self) -> Query {
        Query
    }

    async fn who(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        Some(ctx.viewer().map(|viewer| viewer.user_id.to_string()))
    }

    async fn missing(&self) -> Option<Result<i32>> {
        Some(Err(Error::not_found("number")))
    }

    async fn invalid(&self) -> Option<Result<i32>> {
        Some(Err(Error::invalid("number", InputCode::TooLong, "is too long")))
    }

    async fn broken(&self) -> Option<Result<i32>> {
        Some(Err(Error::internal("SELECT secret FROM users")))
    }

    /// An error that is not ours, as `?` would let it through.
    async fn foreign(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err(std::io::Error::other("SELECT secret FROM users").into()))
    }

    async fn panics(&self) -> i32 {
        "no number".parse().expect("SELECT secret FROM users")
    }

    async fn required(&self) -> Result<i32> {
        Err(Error::new(Code::Conflict, "There is no number"))
    }

    async fn slow(&self, millis: u64) -> u64 {
        sleep(Duration::from_millis(millis)).await;
        millis
    }

    async fn long(&self, ctx: &Context<'_>, length: usize) -> String {
        ctx.data_unchecked::<Counts>().made.fetch_add(1, Ordering::SeqCst);
        "x".repeat(length)
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn act(&self, ctx: &Context<'_>, millis: u64) -> usize {
        sleep(Duration::from_millis(millis)).await;
        ctx.data_unchecked::<Counts>().done.fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn tell(&self, ctx: &Context<'_>, length: usize) -> String {
        ctx.data_unchecked::<Counts>().done.fetch_add(1, Ordering::SeqCst);
        "x".repeat(length)
    }

    /// Ends the session it is called with.
    async fn leave(&self, ctx: &Context<'_>) -> Result<bool> {
        ctx.app().realtime.ended_sessions.insert([ctx.viewer()?.session_id]);
        sleep(Duration::from_millis(50)).await;
        Ok(true)
    }
}

pub struct Subscriptions;

#[Subscription(name = "Subscription")]
impl Subscriptions {
    async fn ticks(&self, ctx: &Context<'_>, every: u64, times: Option<usize>) -> Response<usize> {
        match ctx.scope().event::<usize>() {
            Some(tick) => Response::showing(*tick),
            None => {
                let open = Open::new(&ctx.data_unchecked::<Counts>().open);
                ctx.scope().open(stream::unfold((0, open), move |(count, open)| async move {
                    if Some(count) == times {
                        return None;
                    }
                    sleep(Duration::from_millis(every)).await;
                    Some((Ok(Delivery::of(count)), (count + 1, open)))
                }))
            }
        }
    }

    /// As fast as it goes.
    async fn flood(&self, ctx: &Context<'_>) -> Response<String> {
        match ctx.scope().event::<()>() {
            Some(_) => Response::showing("x".repeat(1_000)),
            None => {
                let open = Open::new(&ctx.data_unchecked::<Counts>().open);
                ctx.scope().open(stream::unfold(open, async |open| Some((Ok(Delivery::of(())), open))))
            }
        }
    }

    async fn hidden(&self) -> Result<Response<i32>> {
        Err(Error::not_found("conversation"))
    }

    /// The second event cannot be shown.
    async fn breaks(&self, ctx: &Context<'_>) -> Result<Response<i32>> {
        match ctx.scope().event::<i32>().as_deref() {
            Some(2) => Err(Error::internal("SELECT secret FROM users")),
            Some(number) => Ok(Response::showing(*number)),
            None => Ok(ctx.scope().open(numbers())),
        }
    }

    /// After the first event the source fails.
    async fn fails(&self, ctx: &Context<'_>) -> Response<i32> {
        match ctx.scope().event::<i32>() {
            Some(number) => Response::showing(*number),
            None => ctx.scope().open(numbers().take(1).chain(stream::iter([Err(Error::internal("SELECT secret"))]))),
        }
    }

    /// Shown to all at once, which takes too long however often it is tried.
    async fn lasts(&self, ctx: &Context<'_>) -> Result<Response<i32>> {
        match ctx.scope().event::<()>() {
            Some(_) => Err(Error::new(Code::Timeout, "This took too long and was stopped")),
            None => {
                let sharing = ctx.scope().sharing();
                let told = async move { sharing.show(Arc::new(())).await.expect("needs nobody who asks") };
                Ok(ctx.scope().open(stream::once(told.map(|answer| Ok(Delivery::Shown(answer))))))
            }
        }
    }

    async fn panics(&self, ctx: &Context<'_>) -> Response<i32> {
        match ctx.scope().event::<i32>().as_deref() {
            Some(2) => panic!("secret"),
            Some(number) => Response::showing(*number),
            None => ctx.scope().open(numbers()),
        }
    }
}

fn numbers() -> impl Stream<Item = Result<Delivery>> {
    stream::iter([1, 2, 3]).map(|number| Ok(Delivery::of(number)))
}

struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

pub struct Toy {
    pub url: String,
    pub address: SocketAddr,
    pub app: App,
    pub counts: Counts,
    pub stop: CancellationToken,
    pub running: Option<JoinHandle<()>>,
}

/// Where nothing listens.
const NOWHERE: &str = "postgres://nobody@127.0.0.1:9/nothing";

impl Toy {
    pub async fn start() -> Self {
        Self::on(NOWHERE, |_| {}).await
    }

    pub async fn on(database_url: &str, set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::for_tests(database_url.into(), std::env::temp_dir());
        set(&mut config);
        let keys = Keys::new(config.data.jwt_secret.as_ref().unwrap());
        let app = App::new(config, Clock::default(), database_url.into(), keys).ok().unwrap();
        let counts = Counts::default();
        let schema = Schema::build(Query, Mutation, Subscriptions)
            .data(counts.clone())
            .disable_suggestions()
            .limit_recursive_depth(64)
            .finish();
        let executor = Executor::from(schema).trusting(Trusted::load(&app.config.documents).unwrap());
        let server = Server::bind(app.clone(), executor).await.unwrap();
        let address = server.address();
        let stop = CancellationToken::new();
        let running = Some(tokio::spawn(server.run(stop.clone())));
        Self { url: format!("http://{address}/graphql"), address, app, counts, stop, running }
    }

    pub async fn post(&self, body: Value) -> reqwest::Response {
        reqwest::Client::new().post(&self.url).json(&body).send().await.unwrap()
    }

    pub async fn ask(&self, query: &str) -> Value {
        self.post(json!({ "query": query })).await.json().await.unwrap()
    }

    /// A socket before `connection_init`.
    pub async fn socket(&self) -> Socket {
        Socket(connect_async(self.handshake(CURRENT)).await.unwrap().0)
    }

    pub fn handshake(&self, protocols: &str) -> Request {
        handshake(self.address, protocols)
    }

    /// A socket that nobody has signed in on.
    pub async fn anonymous(&self) -> Socket {
        self.socket().await.greeted(json!({})).await
    }

    /// The same, for which the kernel keeps little.
    pub async fn narrow(&self) -> Socket {
        Socket::narrow(self.address).await.greeted(json!({})).await
    }

    pub fn token(&self, viewer: chinwag::viewer::Viewer, lives: i64) -> String {
        let expires = self.app.clock.now().timestamp() + lives;
        let claims = json!({ "sub": viewer.user_id.0, "sid": viewer.session_id.0, "exp": expires });
        self.app.keys.signing.sign(&claims).unwrap()
    }
}

fn handshake(address: SocketAddr, protocols: &str) -> Request {
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    request
}

impl Drop for Toy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub struct Socket(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn send(&mut self, message: Value) {
        self.text(&message.to_string()).await;
    }

    pub async fn text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// One that has a small buffer to receive into: what its client does not read soon stays with the server.
    pub async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let stream = MaybeTlsStream::Plain(socket.connect(address).await.unwrap());
        Self(client_async(handshake(address, CURRENT), stream).await.unwrap().0)
    }

    pub async fn greeted(mut self, payload: Value) -> Self {
        self.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(self.next().await, json!({ "type": "connection_ack" }));
        self
    }

    pub async fn run(&mut self, id: &str, query: &str) {
        self.send(json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    pub async fn next(&mut self) -> Value {
        match self.receive().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("a message was expected, not {other:?}"),
        }
    }

    /// The code and reason with which the server closes.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.receive().await {
                let frame = frame.unwrap();
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }

    /// Whether the greeting is acknowledged, rather than the socket closed.
    pub async fn is_welcome(&mut self) -> bool {
        matches!(self.receive().await, Message::Text(_))
    }

    /// Whether nothing comes for a while.
    pub async fn is_quiet(&mut self) -> bool {
        timeout(Duration::from_millis(150), self.0.next()).await.is_err()
    }

    async fn receive(&mut self) -> Message {
        loop {
            let message = timeout(Duration::from_secs(15), self.0.next()).await.expect("something should come");
            match message.expect("the socket should be open").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}

/// Waits until something holds.
pub async fn until(holds: impl Fn() -> bool) {
    timeout(Duration::from_secs(10), async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("it should come to hold");
}
