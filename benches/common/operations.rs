//! What clients ask for, as far as the schema has it.

use serde_json::{Value, json};

/// A message as a client shows it.
const MESSAGE: &str = "fragment Row on Message {
    id seq version kind clientKey content createdAt editedAt deletedAt
    author { id username displayName }
    replyTo { id excerpt author { id displayName } }
    threadRoot { id }
    thread { id replyCount lastReply { id createdAt } }
}";
const PAGE: &str =
    "seq edges { cursor node { ...Row } } pageInfo { hasPreviousPage startCursor hasNextPage endCursor }";

/// The 50 messages before a cursor, or the newest.
pub fn page(channel: &str, before: Option<&str>) -> String {
    let query = format!(
        "query($id: ID!, $before: String) {{ conversation(id: $id) {{ id messages(last: 50, before: $before) {{ {PAGE} }} }} }} {MESSAGE}"
    );
    body(&query, json!({ "id": channel, "before": before }))
}

/// The messages around a position.
pub fn around(channel: &str, seq: i32) -> String {
    let query = format!(
        "query($id: ID!, $seq: Int!) {{ conversation(id: $id) {{ id messagesAround(anchor: {{ seq: $seq }}) {{ {PAGE} }} }} }} {MESSAGE}"
    );
    body(&query, json!({ "id": channel, "seq": seq }))
}

/// The cursor of the message at or after a position.
pub fn cursor(channel: &str, seq: i32) -> String {
    let query = "query($id: ID!, $seq: Int!) { conversation(id: $id) {
        messagesAround(anchor: { seq: $seq }, before: 0, after: 0) { edges { cursor } } } }";
    body(query, json!({ "id": channel, "seq": seq }))
}

/// All that the viewer is in, and what is unread.
pub fn sidebar() -> String {
    let query = "{ viewer { sidebar { id lastReadSeq unreadCount mutedUntil isFavorite conversation {
        __typename id kind title seq lastActivityAt
        lastMessage { id seq excerpt(length: 80) createdAt author { id displayName } }
        ... on Channel { name slug visibility archivedAt } } } } }";
    body(query, json!({}))
}

pub fn send(channel: &str, content: &str) -> String {
    let query = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id seq } } }";
    let key = uuid::Uuid::new_v4().to_string();
    body(query, json!({ "input": { "conversationId": channel, "clientKey": key, "content": content } }))
}

/// Follows a channel. The position stands before all else, where `audience` reads it.
pub fn follow(channel: &str) -> Value {
    let query = format!(
        "subscription($id: ID!, $after: Int) {{ conversationEvents(conversationId: $id, after: $after) {{
            seq hasGap isCaughtUp events {{ __typename seq occurredAt actor {{ id }}
                ... on MessageSentEvent {{ message {{ ...Row }} timelineEdge {{ cursor }} threadEdge {{ cursor }} }}
                ... on MessageEditedEvent {{ message {{ ...Row }} }}
                ... on MessagesDeletedEvent {{ messages {{ ...Row }} }}
                ... on ConversationUpdatedEvent {{ changedFields }} }} }} }} {MESSAGE}"
    );
    json!({ "query": query, "variables": { "id": channel } })
}

/// Listens to what concerns oneself, for a sidebar.
pub fn listen() -> Value {
    let query = "subscription { viewerEvents { cursor isCaughtUp hasGap events { __typename occurredAt
        ... on InboxChangedEvent { unread { conversationCount } conversation {
            __typename id kind title seq lastActivityAt
            lastMessage { id seq excerpt(length: 80) createdAt author { id displayName } }
            viewerState { id lastReadSeq unreadCount mutedUntil isFavorite }
            ... on Channel { name slug visibility archivedAt } } } } } }";
    json!({ "query": query, "variables": {} })
}

fn body(query: &str, variables: Value) -> String {
    json!({ "query": query, "variables": variables }).to_string()
}
