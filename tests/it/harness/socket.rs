//! A client of graphql-transport-ws.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::task::AbortOnDropHandle;

/// What should come comes sooner; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Socket {
    outgoing: mpsc::UnboundedSender<Message>,
    streams: Arc<Mutex<HashMap<String, mpsc::UnboundedSender<Value>>>>,
    closed: watch::Receiver<Option<u16>>,
    count: usize,
    _driver: AbortOnDropHandle<()>,
}

/// One operation's messages.
pub struct Stream {
    messages: mpsc::UnboundedReceiver<Value>,
    closed: watch::Receiver<Option<u16>>,
}

/// How an operation ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Complete,
    /// With the code of its error.
    Error(String),
    /// The socket closed with this code.
    Closed(Option<u16>),
}

impl Socket {
    /// Connects and introduces itself.
    pub async fn connect(address: SocketAddr, token: Option<&str>) -> Self {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        let payload = token.map_or(json!({}), |token| json!({ "Authorization": format!("Bearer {token}") }));
        let init = json!({ "type": "connection_init", "payload": payload });
        socket.send(Message::text(init.to_string())).await.unwrap();
        let (outgoing, mut to_send) = mpsc::unbounded_channel::<Message>();
        let (close, closed) = watch::channel(None);
        // Whoever asks before the greeting is answered is turned away.
        let (welcome, welcomed) = oneshot::channel();
        let mut welcome = Some(welcome);
        let streams = Arc::new(Mutex::new(HashMap::<String, mpsc::UnboundedSender<Value>>::new()));
        let routes = streams.clone();
        let driver = tokio::spawn(async move {
            let mut code = None;
            loop {
                tokio::select! {
                    message = to_send.recv() => match message {
                        Some(message) => { if socket.send(message).await.is_err() { break } }
                        None => break,
                    },
                    message = socket.next() => match message {
                        Some(Ok(Message::Text(text))) => {
                            let message: Value = serde_json::from_str(&text).unwrap();
                            drop(welcome.take());
                            if let Some(id) = message["id"].as_str()
                                && let Some(stream) = routes.lock().unwrap().get(id)
                            {
                                let _ = stream.send(message.clone());
                            }
                        }
                        Some(Ok(Message::Close(frame))) => { code = frame.map(|frame| frame.code.into()); break }
                        Some(Ok(_)) => {}
                        None | Some(Err(_)) => break,
                    },
                }
            }
            close.send_replace(Some(code.unwrap_or(1006)));
            routes.lock().unwrap().clear();
        });
        let _: Result<(), _> = welcomed.await;
        Self { outgoing, streams, closed, count: 0, _driver: AbortOnDropHandle::new(driver) }
    }

    /// Begins an operation.
    pub fn run(&mut self, query: &str, variables: Value) -> Stream {
        self.count += 1;
        let id = self.count.to_string();
        let (sender, messages) = mpsc::unbounded_channel();
        self.streams.lock().unwrap().insert(id.clone(), sender);
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload }));
        Stream { messages, closed: self.closed.clone() }
    }

    /// Follows a conversation's log.
    pub fn follow(&mut self, conversation: &str, after: Option<i64>) -> Stream {
        self.run(FOLLOW, json!({ "id": conversation, "after": after }))
    }

    pub fn say(&self, message: Value) {
        let _ = self.outgoing.send(Message::text(message.to_string()));
    }

    /// The code with which the server closed it.
    pub async fn closed(&mut self) -> u16 {
        let closed = timeout(PATIENCE, self.closed.wait_for(Option::is_some)).await.expect("the socket stays open");
        closed.unwrap().unwrap()
    }
}

impl Stream {
    /// The next message, whatever it is; `None` once the socket is closed.
    pub async fn message_until_closed(&mut self) -> Option<Value> {
        timeout(PATIENCE, self.messages.recv()).await.expect("nothing comes")
    }

    /// The next message, whatever it is.
    pub async fn message(&mut self) -> Value {
        let message = self.message_until_closed().await;
        message.unwrap_or_else(|| panic!("the socket closed with {:?}", *self.closed.borrow()))
    }

    /// Whether nothing has come that was not taken.
    pub fn is_silent(&self) -> bool {
        self.messages.is_empty()
    }

    /// The next delivery, which has to be one without errors.
    pub async fn next(&mut self) -> Value {
        let message = self.message().await;
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"].get("errors").is_none(), "{message}");
        message["payload"]["data"].clone()
    }

    /// The next batch of a conversation's log.
    pub async fn batch(&mut self) -> Value {
        self.next().await["conversationEvents"].clone()
    }

    /// Events until the log stands at `seq`.
    pub async fn events_until(&mut self, seq: i64) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let batch = self.batch().await;
            assert_eq!(batch["hasGap"], false, "{batch}");
            events.extend(batch["events"].as_array().unwrap().iter().cloned());
            if batch["seq"].as_i64().unwrap() >= seq {
                return events;
            }
        }
    }

    /// How it ends, which has to be now.
    pub async fn end(&mut self) -> Ended {
        let message = timeout(PATIENCE, self.messages.recv()).await.expect("it does not end");
        match message {
            Some(message) if message["type"] == "complete" => Ended::Complete,
            Some(message) if message["type"] == "error" => {
                Ended::Error(message["payload"][0]["extensions"]["code"].as_str().unwrap().to_owned())
            }
            Some(message) => panic!("it goes on: {message}"),
            None => Ended::Closed(None),
        }
    }
}

const FOLLOW: &str = "subscription($id: ID!, $after: Int) { conversationEvents(conversationId: $id, after: $after) {
    seq isCaughtUp hasGap events { __typename seq actor { id username }
        ... on MessageSentEvent { message { id seq clientKey content author { username } } timelineEdge { cursor } threadEdge { cursor } }
        ... on MessageEditedEvent { message { id content version } }
        ... on MessagesDeletedEvent { messages { id content deletedAt } }
        ... on ReactionAddedEvent { emoji message { id reactions { emoji count } } }
        ... on ReactionRemovedEvent { emoji user { username } message { id reactions { emoji count } } }
        ... on MessagePinnedEvent { message { id pin { pinnedAt pinnedBy { username } } } }
        ... on MessageUnpinnedEvent { message { id pin { pinnedAt } } }
        ... on MemberJoinedEvent { user { username } member { id role } }
        ... on MemberLeftEvent { user { username } memberId reason }
        ... on MemberUpdatedEvent { user { username } previousRole role member { id role } }
        ... on ConversationUpdatedEvent { changedFields conversation { id version
            ... on Channel { name } ... on DirectConversation { name } } }
        ... on ConversationArchivedEvent { conversation { id archivedAt } }
        ... on ConversationUnarchivedEvent { conversation { id archivedAt } } } } }";
