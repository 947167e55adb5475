//! Large places: what a message costs does not grow with who is not told of it.

use serde_json::json;

use super::{at, kinds};
use crate::harness::{Actor, TestServer};

/// Seats so many people in a channel, whose default is this level.
pub async fn seat(server: &TestServer, channel: &str, count: usize, level: &str) {
    let id = chinwag::id::decode(channel).unwrap().1;
    let sql = format!(
        "CREATE TEMP TABLE more AS SELECT n, gen_random_uuid() AS id FROM generate_series(1, {count}) n;
         INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
             SELECT id, 'member' || n, 'Member ' || n, 'USER', true, 1, now(), now() FROM more;
         INSERT INTO conversation_members (conversation_id, user_id, id, role, joined_at, last_read_seq, last_read_no)
             SELECT '{id}', id, gen_random_uuid(), 'MEMBER', now(), 0, 0 FROM more;
         UPDATE conversation_members SET notification_level = '{level}'
             FROM more WHERE more.id = user_id AND conversation_id = '{id}';
         UPDATE conversations SET member_count = member_count + {count} WHERE id = '{id}'"
    );
    server.database.execute(&sql).await;
    server.database.execute("ANALYZE").await;
}

/// The statements of a message; what servers do with jobs is nobody's request.
async fn costs(server: &TestServer, who: &Actor, channel: &str, content: &str) -> Vec<String> {
    let (statements, _) = server.statements(who.say(channel, content)).await;
    statements.into_iter().filter(|sql| !sql.contains("jobs")).collect()
}

async fn rows(server: &TestServer) -> i64 {
    server.database.count("SELECT count(*) FROM notifications").await
}

#[tokio::test]
async fn a_message_to_ten_thousand_tells_those_who_are_to_know_and_costs_no_more() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("lounge").await;
    bob.join(&channel).await;
    let say = async |content: &str| costs(&server, &alice, &channel, content).await.len();
    let to_few = say("Hi").await;
    seat(&server, &channel, 10_000, "MENTIONS").await;
    assert_eq!(say("Hi").await, to_few);
    assert_eq!(rows(&server).await, 0);
    // Looking for those who want everything reads none of those who do not.
    let plan = "EXPLAIN (FORMAT TEXT) SELECT user_id FROM conversation_members
        WHERE conversation_id = (SELECT id FROM conversations LIMIT 1) AND level_in_force = 'ALL' AND left_at IS NULL";
    let plan = server.database.rows(plan).await.concat().join("\n");
    assert!(plan.contains("conversation_members_loud_idx"), "{plan}");
    alice.say(&channel, &at(&bob)).await;
    assert_eq!((rows(&server).await, kinds(&bob).await), (1, "MENTION".into()));
    // Everyone is everyone, by one statement.
    let to_everyone = costs(&server, &alice, &channel, "<@everyone>").await;
    assert_eq!(rows(&server).await, 10_002);
    // Who they are, that they are called, and what they are told.
    assert!(to_everyone.len() <= to_few + 3, "{to_few}, and {to_everyone:#?}");
}

#[tokio::test]
async fn who_wants_everything_is_told_of_it_by_one_statement() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("lounge").await;
    bob.join(&channel).await;
    let say = async || costs(&server, &alice, &channel, "Hi").await.len();
    let to_nobody = say().await;
    seat(&server, &channel, 500, "ALL").await;
    let to_many = say().await;
    assert_eq!((rows(&server).await, kinds(&bob).await), (500, "".into()));
    assert!(to_many <= to_nobody + 1, "{to_many} beside {to_nobody}");
    let jobs = server.database.count("SELECT count(*) FROM jobs WHERE kind = 'notifications.deliver'").await;
    assert!(jobs <= 1, "one for all of them: {jobs}");
}

#[tokio::test]
async fn who_wants_neither_mails_nor_pushes_leaves_no_job() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let two = alice.direct_with(&[&bob]).await;
    bob.prefer(json!({ "notifications": { "isEmailEnabled": false, "isPushEnabled": false } })).await;
    let (statements, _) = server.statements(alice.say(&two, "Hi")).await;
    assert!(
        !statements.iter().any(|sql| sql.contains("INTO \"jobs\"") || sql.contains("INTO jobs")),
        "{statements:#?}"
    );
    assert_eq!(kinds(&bob).await, "DIRECT_MESSAGE");
}
