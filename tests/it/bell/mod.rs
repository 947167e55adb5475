//! The bell: who hears of what, when it is read, and what it never shows.

mod levels;
mod live;
mod many;
mod races;
mod reading;
mod rings;
mod sight;
mod urgent;
mod whole_way;

use serde_json::{Value, json};

use crate::harness::Actor;

const BELL: &str =
    "query($filter: NotificationFilter, $first: Int, $after: String, $last: Int, $before: String) { viewer {
    unread { notificationCount }
    notifications(filter: $filter, first: $first, after: $after, last: $last, before: $before) { totalCount
        nodes { id kind title body isUrgent createdAt readAt actor { username } conversation { id }
            subject { __typename ... on Message { id content } ... on Thread { root { id } } ... on Channel { id }
                ... on Group { id } } }
        edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
const READ: &str = "mutation($id: ID!, $seq: Int) { markConversationRead(input: { conversationId: $id, seq: $seq }) {
    unread { notificationCount } } }";
const READ_THREAD: &str =
    "mutation($id: ID!) { markThreadRead(input: { messageId: $id }) { unread { notificationCount } } }";
const MARK: &str = "mutation($input: MarkNotificationsReadInput!) { markNotificationsRead(input: $input) {
    markedCount notifications { id readAt } unread { notificationCount } } }";
const CLEAR: &str = "mutation($ids: [ID!]!) { deleteNotifications(input: { notificationIds: $ids }) {
    notificationIds unread { notificationCount } } }";
const KEEP: &str =
    "mutation($input: UpdateConversationViewerStateInput!) { updateConversationViewerState(input: $input) {
    viewerState { notificationLevel } } }";
const EDIT: &str = "mutation($id: ID!, $content: String!) { editMessage(input: { messageId: $id, content: $content }) {
    message { id } } }";
const DELETE: &str = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }";
const REACT: &str = "mutation($id: ID!, $emoji: String!) { addReaction(input: { messageId: $id, emoji: $emoji }) {
    message { id } } }";
const UNREACT: &str = "mutation($id: ID!, $emoji: String!) { removeReaction(input: { messageId: $id, emoji: $emoji }) {
    message { id } } }";
const FOLLOW: &str = "mutation($id: ID!) { followThread(input: { messageId: $id }) { thread { id } } }";
const ROLE: &str =
    "mutation($id: ID!, $role: MemberRole!) { updateConversationMember(input: { memberId: $id, role: $role }) {
    member { role } } }";
const REMOVE: &str = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";

/// A page of somebody's bell.
async fn page(of: &Actor, arguments: Value) -> Value {
    of.ask(BELL, arguments).await.data("viewer")["notifications"].clone()
}

/// All that is in somebody's bell, newest first. What they say is unread is.
async fn bell(of: &Actor) -> Vec<Value> {
    let viewer = of.ask(BELL, json!({ "first": 100 })).await.data("viewer");
    let all = viewer["notifications"]["nodes"].as_array().unwrap().clone();
    let unread = all.iter().filter(|one| one["readAt"].is_null()).count();
    assert_eq!(
        (&viewer["unread"]["notificationCount"], &viewer["notifications"]["totalCount"]),
        (&json!(unread), &json!(all.len()))
    );
    all
}

/// The kinds in somebody's bell, newest first; those that are read in brackets.
async fn kinds(of: &Actor) -> String {
    let kind = |one: &Value| match one["readAt"].is_null() {
        true => one["kind"].as_str().unwrap().to_owned(),
        false => format!("({})", one["kind"].as_str().unwrap()),
    };
    bell(of).await.iter().map(kind).collect::<Vec<_>>().join(" ")
}

/// The titles in somebody's bell, newest first.
async fn titles(of: &Actor) -> Vec<String> {
    bell(of).await.iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect()
}

fn at(person: &Actor) -> String {
    format!("<@{}>", person.id)
}

async fn read(who: &Actor, conversation: &str) {
    who.ask(READ, json!({ "id": conversation })).await.data("markConversationRead");
}

async fn keep(who: &Actor, conversation: &str, what: Value) {
    let mut input = json!({ "conversationId": conversation });
    input.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    who.ask(KEEP, json!({ "input": input })).await.data("updateConversationViewerState");
}

async fn mark(who: &Actor, input: Value) -> Value {
    who.ask(MARK, json!({ "input": input })).await.data("markNotificationsRead")
}

async fn reply(who: &Actor, conversation: &str, root: &Value, content: &str) -> Value {
    who.write(json!({ "conversationId": conversation, "content": content, "threadRootId": root["id"] })).await
}

async fn quote(who: &Actor, conversation: &str, what: &Value, content: &str) -> Value {
    who.write(json!({ "conversationId": conversation, "content": content, "replyToId": what["id"] })).await
}

async fn react(who: &Actor, to: &Value, emoji: &str) {
    who.ask(REACT, json!({ "id": to["id"], "emoji": emoji })).await.data("addReaction");
}
