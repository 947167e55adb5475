//! Groups, and the channels and categories in them.

mod access;
mod archive;
mod elsewhere;
mod guests;
mod lists;
mod places;
mod roles;
mod settings;

use serde_json::{Value, json};

use crate::harness::{Actor, Answer};

/// A mutation of one input; what is selected of its payload.
async fn run(by: &Actor, field: &str, input: Value, select: &str) -> Answer {
    let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let ask = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ {select} }} }}");
    by.ask(&ask, json!({ "input": input })).await
}

/// The same, which has to work.
async fn done(by: &Actor, field: &str, input: Value, select: &str) -> Value {
    run(by, field, input, select).await.data(field)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn found(by: &Actor, input: Value) -> String {
    text(&done(by, "createGroup", input, "group { id }").await["group"]["id"])
}

async fn public_group(by: &Actor, name: &str) -> String {
    found(by, json!({ "name": name })).await
}

async fn private_group(by: &Actor, name: &str) -> String {
    found(by, json!({ "name": name, "visibility": "PRIVATE" })).await
}

/// Adds people to a group, all of them, and answers with their memberships.
async fn admit(by: &Actor, group: &str, people: &[&Actor], role: &str) -> Vec<String> {
    let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
    let input = json!({ "groupId": group, "userIds": ids, "role": role });
    let added = done(by, "addGroupMembers", input, "members { id } rejected { userId reason }").await;
    assert_eq!(added["rejected"], json!([]));
    added["members"].as_array().unwrap().iter().map(|member| text(&member["id"])).collect()
}

async fn join(by: &Actor, group: &str) -> Answer {
    run(by, "joinGroup", json!({ "groupId": group }), "group { id viewerMember { id role } }").await
}

async fn leave(by: &Actor, group: &str) -> Answer {
    run(by, "leaveGroup", json!({ "groupId": group }), "groupId group { id memberCount }").await
}

/// A channel in a group.
async fn channel(by: &Actor, group: &str, name: &str, visibility: &str) -> String {
    by.create_channel(json!({ "groupId": group, "name": name, "visibility": visibility })).await
}

async fn category(by: &Actor, group: Option<&str>, name: &str) -> String {
    let input = json!({ "groupId": group, "name": name });
    text(&done(by, "createChannelCategory", input, "category { id }").await["category"]["id"])
}

async fn sees(by: &Actor, id: &str) -> bool {
    by.ask("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await.data("node") != json!(null)
}

async fn try_to_say(by: &Actor, channel: &str) -> Answer {
    let key = uuid::Uuid::new_v4().to_string();
    let input = json!({ "conversationId": channel, "clientKey": key, "content": "Hi" });
    run(by, "sendMessage", input, "message { id }").await
}

/// The names of the channels that somebody is shown in a group, in display order.
async fn channels_of(by: &Actor, group: &str) -> Vec<String> {
    let ask = "query($id: ID!) { group(by: { id: $id }) { channels(first: 100) { nodes { name } } } }";
    let shown = by.ask(ask, json!({ "id": group })).await.data("group");
    shown["channels"]["nodes"].as_array().unwrap().iter().map(|channel| text(&channel["name"])).collect()
}

/// Who is shown to somebody as a member of a group, with their roles.
async fn members_of(by: &Actor, group: &str) -> Vec<String> {
    let ask = "query($id: ID!) { group(by: { id: $id }) { members(first: 100) { nodes { role user { username } } } } }";
    let shown = by.ask(ask, json!({ "id": group })).await.data("group");
    let shown = shown["members"]["nodes"].as_array().unwrap().iter();
    shown.map(|member| format!("{} {}", text(&member["user"]["username"]), text(&member["role"]))).collect()
}

/// Whatever happened, nobody has a seat in a channel of a group that they are not in, and everybody is counted.
const OUTSIDE: &str = "SELECT count(*) FROM conversation_members s JOIN channels c USING (conversation_id)
    WHERE s.left_at IS NULL AND c.group_id IS NOT NULL AND NOT EXISTS (SELECT FROM group_members m
        WHERE m.group_id = c.group_id AND m.user_id = s.user_id AND m.left_at IS NULL)";
const MISCOUNTED: &str =
    "SELECT (SELECT count(*) FROM groups g WHERE member_count <> (SELECT count(*) FROM group_members m
        WHERE m.group_id = g.id AND m.left_at IS NULL))
    + (SELECT count(*) FROM conversations c WHERE member_count <> (SELECT count(*) FROM conversation_members m
        WHERE m.conversation_id = c.id AND m.left_at IS NULL))";
/// Headings under which channels do not stand at 0, 1, 2 and so on.
const DISORDER: &str = "SELECT (SELECT count(*) FROM (SELECT position,
        row_number() OVER (PARTITION BY group_id, category_id ORDER BY position) - 1 AS place FROM channels) AS c
        WHERE position <> place)
    + (SELECT count(*) FROM (SELECT position, row_number() OVER (PARTITION BY group_id ORDER BY position) - 1 AS place
        FROM channel_categories) AS c WHERE position <> place)";
