//! Direct conversations.

mod blocks;
mod lists;
mod live;
mod open;
mod people;

use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer};

/// What is asked of a direct conversation.
const SHOWN: &str = "id kind title name seq version memberCount createdBy { username }
    participants { role addedBy { username } user { username } }";

/// Asks for the direct conversation with these people.
async fn open(by: &Actor, others: &[&Actor]) -> Answer {
    let ask = format!(
        "mutation($with: [ID!]!) {{ openDirectConversation(input: {{ userIds: $with }}) {{
            isNew conversation {{ {SHOWN} }} }} }}"
    );
    let others: Vec<_> = others.iter().map(|other| &other.id).collect();
    by.ask(&ask, json!({ "with": others })).await
}

/// Asks for people to be added.
async fn add(by: &Actor, conversation: &str, people: &[&Actor]) -> Answer {
    let ask = "mutation($input: AddConversationMembersInput!) { addConversationMembers(input: $input) {
        conversation { id memberCount } members { user { username } } rejected { userId reason } } }";
    let people: Vec<_> = people.iter().map(|person| &person.id).collect();
    by.ask(ask, json!({ "input": { "conversationId": conversation, "userIds": people } })).await
}

async fn leave(by: &Actor, conversation: &str) -> Answer {
    let ask = "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) {
        conversationId conversation { id } } }";
    by.ask(ask, json!({ "id": conversation })).await
}

/// As somebody sees it; null out of their sight.
async fn seen(by: &Actor, conversation: &str) -> Value {
    let ask = format!("query($id: ID!) {{ node(id: $id) {{ ... on DirectConversation {{ {SHOWN} }} }} }}");
    by.ask(&ask, json!({ "id": conversation })).await.data("node")
}

async fn people(server: &TestServer, names: &[&str]) -> Vec<Actor> {
    futures_util::future::join_all(names.iter().map(|name| server.register(name))).await
}

/// What the table says of who is in what: a key stands for exactly the people who are there, and the counters are right.
async fn tables_agree(server: &TestServer) {
    let wrong = server.database.rows(
        "SELECT d.conversation_id FROM direct_conversations d JOIN conversations c ON c.id = d.conversation_id
             JOIN LATERAL (SELECT string_agg(uuid_send(user_id), ''::bytea ORDER BY user_id) AS people, count(*) AS count
                 FROM conversation_members WHERE conversation_id = c.id AND left_at IS NULL) m ON true
         WHERE d.opened_for <> m.people OR c.member_count <> m.count OR m.count NOT BETWEEN 1 AND 10
             OR (m.count <= 2 AND d.name IS NOT NULL)",
    );
    assert_eq!(wrong.await, Vec::<Vec<String>>::new());
}

fn names(members: &Value) -> Vec<&str> {
    let members = members.as_array().unwrap().iter();
    let mut names: Vec<_> = members.map(|member| member["user"]["username"].as_str().unwrap()).collect();
    names.sort();
    names
}

fn id(conversation: &Value) -> &str {
    conversation["id"].as_str().unwrap()
}
