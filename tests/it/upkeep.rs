//! What the server tidies up by itself, when its time has come.

use chinwag::recount::{Counted, Counter, Place, recount};
use chinwag::{conversations, groups, messages};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

const REFRESH: &str =
    "mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { tokens { refreshToken } } }";

/// Lets time pass, and waits for a kind of upkeep to have run since.
async fn pass(server: &TestServer, by: TimeDelta, kind: &str) {
    let due = format!("SELECT due_at > '{}' FROM jobs WHERE kind = '{kind}'", server.clock.now() + by);
    server.database.until(&format!("SELECT count(*) FROM jobs WHERE kind = '{kind}' AND lease IS NULL"), "1").await;
    server.clock.advance(by);
    server.database.until(&due, "t").await;
    server.database.until(&format!("SELECT lease IS NULL FROM jobs WHERE kind = '{kind}'"), "t").await;
}

#[tokio::test]
async fn a_custom_status_goes_when_its_time_has_come() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let set = |minutes| {
        let ends = server.clock.now() + TimeDelta::minutes(minutes);
        json!({ "input": { "text": "At lunch", "emoji": "❤", "expiresAt": ends.to_rfc3339() } })
    };
    let mutation = "mutation ($input: SetCustomStatusInput!) { setCustomStatus(input: $input) { user { id } } }";
    alice.ask(mutation, set(10)).await.data("setCustomStatus");
    bob.ask(mutation, set(60)).await.data("setCustomStatus");
    let left =
        "SELECT string_agg(username, ' ') FROM presences JOIN users ON id = user_id WHERE status_text = 'At lunch'";
    pass(&server, TimeDelta::minutes(6), "presence.clear_statuses").await;
    assert_eq!(server.database.count("SELECT count(*) FROM presences WHERE status_text IS NOT NULL").await, 2);
    pass(&server, TimeDelta::minutes(6), "presence.clear_statuses").await;
    assert_eq!(server.database.rows(left).await, [["bob"]]);
    let nothing = "SELECT count(*) FROM presences WHERE num_nulls(status_text, status_emoji, status_expires_at) = 3";
    assert_eq!(server.database.count(nothing).await, 1);
}

#[tokio::test]
async fn sessions_are_kept_for_two_months_after_they_ended_or_expired() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    bob.query("mutation { logout { sessionId } }").await.data("logout");
    let sessions = || server.database.count("SELECT count(*) FROM sessions");
    pass(&server, TimeDelta::days(59), "accounts.purge_sessions").await;
    assert_eq!(sessions().await, 2);
    pass(&server, TimeDelta::days(2), "accounts.purge_sessions").await;
    assert_eq!(sessions().await, 1, "the one that ended went");
    pass(&server, TimeDelta::days(28), "accounts.purge_sessions").await;
    assert_eq!(sessions().await, 1);
    let again = Actor::log_in(server.address, "alice").await;
    pass(&server, TimeDelta::days(2), "accounts.purge_sessions").await;
    assert_eq!(sessions().await, 1, "the old one went, the new one stayed");
    let spent = server.anonymous().ask(REFRESH, json!({ "token": alice.refresh_token })).await;
    assert_eq!(spent.code(), "UNAUTHENTICATED");
    server.anonymous().ask(REFRESH, json!({ "token": again.refresh_token })).await.data("refreshSession");
}

#[tokio::test]
async fn old_events_go_and_who_resumes_from_before_is_told_of_a_gap() {
    let server = TestServer::start_with(|config| config.data.log_retention = TimeDelta::days(7)).await;
    let alice = server.register("alice").await;
    let (busy, silent) = (alice.public_channel("Busy").await, alice.public_channel("Silent").await);
    for number in 1..=5 {
        alice.say(&busy, &format!("old {number}")).await;
    }
    alice.say(&silent, "the last word").await;
    pass(&server, TimeDelta::days(5), "log.retain").await;
    let alice = Actor::log_in(server.address, "alice").await;
    for number in 1..=3 {
        alice.say(&busy, &format!("new {number}")).await;
    }
    let events = || {
        server.database.rows("SELECT count(*), min(seq) FROM conversation_events GROUP BY conversation_id ORDER BY 1")
    };
    assert_eq!(events().await, [["2", "1"], ["9", "1"]], "none is old yet");

    pass(&server, TimeDelta::days(3), "log.retain").await;
    // The latest of each stays.
    assert_eq!(events().await, [["1", "2"], ["3", "7"]]);
    let alice = Actor::log_in(server.address, "alice").await;
    let batch = async |after: i32| {
        let query = "query ($id: ID!, $after: Int!) { conversation(id: $id) {
            events(after: $after, first: 10) { seq hasGap events { seq } } messages(last: 10) { nodes { content } } } }";
        alice.ask(query, json!({ "id": busy, "after": after })).await.data("conversation")
    };
    for (after, seqs, has_gap) in [(0, &[][..], true), (5, &[], true), (6, &[7, 8, 9], false), (9, &[], false)] {
        let found = batch(after).await;
        let shown: Vec<i64> =
            found["events"]["events"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap()).collect();
        assert_eq!((shown.as_slice(), &found["events"]["hasGap"]), (seqs, &json!(has_gap)), "after {after}");
        assert_eq!(found["events"]["seq"], 9);
        assert_eq!(found["messages"]["nodes"].as_array().unwrap().len(), 8, "messages stay");
    }
    let mut socket = alice.socket().await;
    let mut log = socket.follow(&busy, Some(2));
    assert_eq!(log.batch().await["hasGap"], true);
    alice.say(&busy, "live").await;
    assert_eq!(log.events_until(10).await.len(), 1);
}

#[tokio::test]
async fn a_log_loses_nothing_from_its_middle() {
    let server = TestServer::start_with(|config| config.data.log_retention = TimeDelta::days(7)).await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Busy").await;
    for number in 1..=4 {
        alice.say(&channel, &number.to_string()).await;
    }
    // Of two who change something at once, the second one may have looked at the clock before the first.
    server
        .database
        .execute("UPDATE conversation_events SET occurred_at = occurred_at + interval '1 hour' WHERE seq = 3")
        .await;
    let age = TimeDelta::days(7) + TimeDelta::minutes(30);
    pass(&server, age, "log.retain").await;
    let left = "SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM conversation_events";
    assert_eq!(server.database.rows(left).await, [["3 4 5"]]);
    pass(&server, TimeDelta::hours(7), "log.retain").await;
    assert_eq!(server.database.rows(left).await, [["5"]]);
}

#[tokio::test]
async fn notifications_are_kept_for_three_months() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let direct = bob.direct_with(&[&alice]).await;
    bob.say(&direct, "hello").await;
    pass(&server, TimeDelta::days(88), "notifications.expire").await;
    Actor::log_in(server.address, "bob").await.say(&direct, "hello again").await;
    assert_eq!(server.database.count("SELECT count(*) FROM notifications").await, 2);
    pass(&server, TimeDelta::days(3), "notifications.expire").await;
    assert_eq!(server.database.count("SELECT count(*) FROM notifications").await, 1);
}

#[tokio::test]
async fn a_long_log_goes_whole() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Busy").await;
    alice.say(&channel, "hello").await;
    server
        .database
        .execute(
            "INSERT INTO conversation_events (conversation_id, seq, kind, occurred_at)
             SELECT id, number, 1, last_activity_at FROM conversations, generate_series(3, 2000) AS number;
             UPDATE conversations SET last_seq = 2000",
        )
        .await;
    pass(&server, TimeDelta::days(31), "log.retain").await;
    assert_eq!(server.database.rows("SELECT count(*), min(seq) FROM conversation_events").await, [["1", "2000"]]);
}

/// All that are wrong, by looks at `limit` counters at a time.
async fn wrong<C: Counter>(server: &TestServer, limit: i64) -> Vec<Counted> {
    let (mut all, mut place) = (Vec::new(), Place::default());
    loop {
        let (wrong, next) = recount::<C>(&server.app, &place, limit).await.ok().unwrap();
        all.extend(wrong);
        if next == Place::default() {
            return all;
        }
        place = next;
    }
}

async fn all_wrong(server: &TestServer, limit: i64) -> Vec<(&'static str, i64, i64)> {
    let named = |kind: &'static str, wrong: Vec<Counted>| wrong.into_iter().map(move |c| (kind, c.kept, c.truth));
    named("seats", wrong::<conversations::MemberCount>(server, limit).await)
        .chain(named("groups", wrong::<groups::MemberCount>(server, limit).await))
        .chain(named("messages", wrong::<messages::MessageCount>(server, limit).await))
        .chain(named("reactions", wrong::<messages::reactions::ReactionCount>(server, limit).await))
        .chain(named("replies", wrong::<messages::threads::ReplyCount>(server, limit).await))
        .collect()
}

#[tokio::test]
async fn counters_that_are_wrong_are_found_and_left_alone() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for name in ["One", "Two", "Three"] {
        let channel = alice.public_channel(name).await;
        bob.join(&channel).await;
        let said = alice.say(&channel, "hello").await;
        let id = &said["id"];
        let mut replies = Vec::new();
        for text in ["first", "second"] {
            let reply = json!({ "conversationId": channel, "threadRootId": id, "content": text, "clientKey": format!("reply {text}") });
            replies.push(bob.write(reply).await["id"].clone());
        }
        let delete = "mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }";
        alice.ask(delete, json!({ "id": replies[0] })).await.data("deleteMessage");
        for emoji in ["👍", "❤"] {
            let react = "mutation ($input: AddReactionInput!) { addReaction(input: $input) { message { id } } }";
            alice.ask(react, json!({ "input": { "messageId": id, "emoji": emoji } })).await.data("addReaction");
        }
    }
    let create = "mutation ($input: CreateGroupInput!) { createGroup(input: $input) { group { id } } }";
    let group = json!({ "name": "Friends", "visibility": "PUBLIC" });
    let made: Value = alice.ask(create, json!({ "input": group })).await.data("createGroup");
    assert!(made["group"]["id"].is_string());
    for limit in [1, 2, 500] {
        assert_eq!(all_wrong(&server, limit).await, [], "{limit} at a time");
    }

    server
        .database
        .execute(
            "UPDATE conversations SET member_count = 7, last_msg_no = 9 WHERE id = (SELECT max(id::text)::uuid FROM conversations);
             UPDATE groups SET member_count = 5;
             UPDATE threads SET reply_count = 2 WHERE conversation_id = (SELECT min(id::text)::uuid FROM conversations);
             UPDATE reaction_counts SET count = 3 WHERE emoji = '👍'",
        )
        .await;
    let wrong = [("seats", 7, 2), ("groups", 5, 1), ("messages", 9, 1)];
    let wrong: Vec<_> = wrong.into_iter().chain([("reactions", 3, 1); 3]).chain([("replies", 2, 1)]).collect();
    for limit in [1, 2, 500] {
        assert_eq!(all_wrong(&server, limit).await, wrong, "{limit} at a time");
    }
    let before = server.database.contents().await;
    pass(&server, TimeDelta::minutes(11), "recount.reactions").await;
    assert_eq!(server.database.contents().await, before);
}
