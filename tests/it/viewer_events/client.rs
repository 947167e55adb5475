//! A client that keeps its sidebar by folding the stream, as apps do.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Actor, Socket, Stream};

const ROW: &str = "fragment Row on Conversation {
    id title seq version lastActivityAt memberCount archivedAt
    lastMessage { id content author { username } }
    viewerState { id lastReadSeq unreadCount mentionCount mutedUntil isFavorite isHidden member { role } }
    viewerPermissions { canPost canUpdate }
    ... on Channel { name topic visibility } }";

const ME: &str = "fragment Me on Viewer { user { username displayName role } preferences { theme version } }
fragment Badges on UnreadSummary { conversationCount mentionCount threadCount notificationCount }";

/// What is kept: conversations by id, the badges, and what the viewer is like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    pub rows: BTreeMap<String, Value>,
    pub unread: Value,
    pub me: Value,
    /// Notifications by id.
    pub bell: BTreeMap<String, Value>,
}

pub struct Client {
    pub kept: Kept,
    pub cursor: String,
    /// Kinds of what was heard.
    pub heard: Vec<String>,
    pub stream: Stream,
    pub socket: Socket,
}

/// A subscription that asks for all that is kept.
pub fn listen_query() -> String {
    format!("subscription($after: String) {{ viewerEvents(after: $after) {EVENTS} }} {ROW} {ME} {BELL}")
}

/// The same by a query.
pub fn catch_up_query() -> String {
    format!(
        "query($after: String!, $first: Int!) {{ viewer {{ events(after: $after, first: $first) {EVENTS} }} }} {ROW} {ME} {BELL}"
    )
}

/// Without their words: those change with names of others, of which nobody is told.
const BELL: &str = "fragment Bell on Notification { id kind isUrgent readAt actor { username }
    conversation { id } subject { __typename } }";

const EVENTS: &str = "{ cursor isCaughtUp hasGap events { __typename occurredAt
    ... on InboxChangedEvent { conversation { ...Row } unread { ...Badges } }
    ... on NotificationAddedEvent { notification { ...Bell } unread { ...Badges } }
    ... on NotificationsChangedEvent { notifications { ...Bell } deletedNotificationIds isEverythingRead
        unread { ...Badges } }
    ... on ConversationAddedEvent { conversation { ...Row } unread { ...Badges } }
    ... on ConversationRemovedEvent { conversationId reason unread { ...Badges } }
    ... on ThreadChangedEvent { thread { id replyCount viewerState { isFollowing unreadCount } } unread { threadCount } }
    ... on ChannelListChangedEvent { group { id } }
    ... on GroupChangedEvent { group { id name } }
    ... on GroupRemovedEvent { groupId reason }
    ... on ViewerChangedEvent { viewer { ...Me } }
    ... on SessionRevokedEvent { sessionId isCurrent } } }";

/// What a fresh query gives, and where the stream stood before.
pub async fn boot(actor: &Actor) -> (Kept, String) {
    let query = format!(
        "{{ viewer {{ eventsCursor ...Me unread {{ ...Badges }} sidebar {{ conversation {{ ...Row }} }}
            notifications(first: 100) {{ nodes {{ ...Bell }} }} }} }} {ROW} {ME} {BELL}"
    );
    let mut viewer = actor.query(&query).await.data("viewer");
    let cursor = viewer["eventsCursor"].as_str().unwrap().to_owned();
    let rows = viewer["sidebar"].as_array().unwrap().iter().map(|state| state["conversation"].clone());
    let rows = rows.map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect();
    let bell = by_id(viewer["notifications"]["nodes"].as_array().unwrap()).collect();
    let unread = viewer["unread"].take();
    let me = json!({ "user": viewer["user"], "preferences": viewer["preferences"] });
    (Kept { rows, unread, me, bell }, cursor)
}

fn by_id(rows: &[Value]) -> impl Iterator<Item = (String, Value)> {
    rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row.clone()))
}

impl Kept {
    /// Takes in what a batch says.
    pub fn fold(&mut self, batch: &Value) {
        for event in batch["events"].as_array().unwrap() {
            match event["__typename"].as_str().unwrap() {
                "ConversationRemovedEvent" => drop(self.rows.remove(event["conversationId"].as_str().unwrap())),
                "ViewerChangedEvent" => self.me = event["viewer"].clone(),
                "NotificationAddedEvent" => self.bell.extend(by_id(std::slice::from_ref(&event["notification"]))),
                "NotificationsChangedEvent" => {
                    self.bell.extend(by_id(event["notifications"].as_array().unwrap()));
                    let gone = event["deletedNotificationIds"].as_array().unwrap();
                    self.bell.retain(|id, _| !gone.contains(&json!(id)));
                }
                "InboxChangedEvent" | "ConversationAddedEvent" => {
                    let row = &event["conversation"];
                    self.rows.insert(row["id"].as_str().unwrap().to_owned(), row.clone());
                }
                _ => continue,
            }
            if event["unread"].is_object() {
                self.unread = event["unread"].clone();
            }
        }
    }
}

impl Client {
    /// Boots, then listens from there.
    pub async fn start(actor: &Actor) -> Self {
        let (kept, cursor) = boot(actor).await;
        Self::resume(actor, kept, cursor).await
    }

    /// Goes on from what was kept.
    pub async fn resume(actor: &Actor, kept: Kept, cursor: String) -> Self {
        let mut socket = actor.socket().await;
        let stream = socket.run(&listen_query(), json!({ "after": cursor }));
        Self { kept, cursor, heard: Vec::new(), stream, socket }
    }

    /// The next batch, folded.
    pub async fn next(&mut self) -> Value {
        let batch = self.stream.next().await["viewerEvents"].clone();
        self.fold(&batch);
        batch
    }

    fn fold(&mut self, batch: &Value) {
        assert_eq!(batch["hasGap"], false, "{batch}");
        self.kept.fold(batch);
        self.cursor = batch["cursor"].as_str().unwrap().to_owned();
        let kinds = batch["events"].as_array().unwrap().iter();
        self.heard.extend(kinds.map(|event| event["__typename"].as_str().unwrap().to_owned()));
    }

    /// Hears on until it is caught up.
    pub async fn catch_up(&mut self) {
        while self.next().await["isCaughtUp"] != true {}
    }

    /// The next event of a kind.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let batch = self.next().await;
            let mut events = batch["events"].as_array().unwrap().iter();
            if let Some(event) = events.find(|event| event["__typename"] == kind) {
                return event.clone();
            }
        }
    }

    /// Hears on until what it keeps is what a fresh query gives.
    pub async fn converge(&mut self, actor: &Actor) {
        let (fresh, _) = boot(actor).await;
        let arrive = async {
            while self.kept != fresh {
                self.next().await;
            }
        };
        if timeout(Duration::from_secs(8), arrive).await.is_err() {
            assert_eq!(self.kept, fresh, "{} keeps what is left, a fresh query gives what is right", actor.name);
        }
    }

    /// Nothing comes for a while.
    pub async fn hears_nothing(&mut self) {
        if let Ok(batch) = timeout(Duration::from_millis(1300), self.next()).await {
            panic!("heard {batch}");
        }
    }
}
