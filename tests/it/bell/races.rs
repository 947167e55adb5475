//! At the same moment.

use futures_util::future::{join, join_all};
use serde_json::json;

use super::{MARK, at, bell, keep, mark, page, read, reply};
use crate::harness::{Actor, TestServer};

#[tokio::test]
async fn two_devices_that_mark_the_same_mark_each_once() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let two = alice.direct_with(&[&bob]).await;
    for round in 0..6 {
        for number in 0..10 {
            alice.say(&two, &number.to_string()).await;
        }
        let ids: Vec<_> = bell(&bob).await.iter().take(10).map(|one| one["id"].clone()).collect();
        let mut backwards = ids.clone();
        backwards.reverse();
        let inputs = [
            json!({ "notificationIds": ids }),
            json!({ "notificationIds": backwards }),
            json!({ "until": "2999-01-01T00:00:00Z" }),
            json!({ "conversationId": two }),
        ];
        let answers = join_all(inputs.map(|input| mark(&bob, input))).await;
        let marked: i64 = answers.iter().map(|answer| answer["markedCount"].as_i64().unwrap()).sum();
        assert_eq!(marked, 10, "round {round}");
    }
}

/// Whoever reads all of a conversation while others write in it has in the end nothing unread that they have read.
#[tokio::test]
async fn what_is_read_while_it_is_written_is_read_or_unread_and_never_both() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob], "MEMBER").await;
    keep(&bob, &channel, json!({ "notificationLevel": "ALL" })).await;
    let writes = async {
        for number in 0..40 {
            alice.say(&channel, &number.to_string()).await;
        }
    };
    let reads = async {
        for number in 0..25 {
            match number % 5 {
                0 => drop(bob.say(&channel, "I write, so I have read").await),
                _ => read(&bob, &channel).await,
            }
        }
    };
    join(writes, reads).await;
    let wrong = "SELECT count(*) FROM notifications AS n JOIN conversation_members AS m
        USING (conversation_id, user_id)
        WHERE n.thread_root_seq IS NULL AND (n.read_at IS NULL) <> (n.seq > m.last_read_seq)";
    assert_eq!(server.database.count(wrong).await, 0);
    let missing = "SELECT count(*) FROM messages AS x JOIN conversation_members AS m
            ON m.conversation_id = x.conversation_id AND m.user_id <> x.author_id
        WHERE m.level_in_force = 'ALL' AND x.seq > m.last_read_seq AND NOT EXISTS (
            SELECT FROM notifications AS n WHERE n.conversation_id = x.conversation_id AND n.seq = x.seq
                AND n.user_id = m.user_id)";
    assert_eq!(server.database.count(missing).await, 0);
    read(&bob, &channel).await;
    assert_eq!(page(&bob, json!({ "filter": { "isRead": false } })).await["totalCount"], 0);
}

/// Many who send, read, mark and change their minds: nothing waits for nobody, and the numbers are right.
#[tokio::test]
async fn everything_at_once_ends_with_right_numbers() {
    let server = TestServer::start().await;
    let people = join_all(["alice", "bob", "carol", "dave"].map(|name| server.register(name))).await;
    let (alice, others) = people.split_first().unwrap();
    let channels = [alice.public_channel("one").await, alice.public_channel("two").await];
    let mut roots = Vec::new();
    for channel in &channels {
        for other in others {
            other.join(channel).await;
        }
        roots.push(alice.say(channel, "root").await);
    }
    let everybody = people.iter().map(at).collect::<Vec<_>>().join(" ");
    let acts = async |who: usize| {
        let me = &people[who];
        for step in 0..24 {
            let place = (step + who) % 2;
            match (step * 7 + who * 3) % 8 {
                0 | 1 => drop(me.say(&channels[place], &everybody).await),
                2 => drop(reply(me, &channels[place], &roots[place], &everybody).await),
                3 => read(me, &channels[place]).await,
                4 => drop(mark(me, json!({ "until": "2999-01-01T00:00:00Z" })).await),
                5 => {
                    let level = ["ALL", "MENTIONS", "NONE"][step % 3];
                    me.prefer(json!({ "notifications": { "defaultLevel": level } })).await;
                }
                6 => drop(me.say(&channels[place], "plain").await),
                _ => {
                    let ids: Vec<_> = bell_now(me).await;
                    me.ask(MARK, json!({ "input": { "notificationIds": ids } })).await.data("markNotificationsRead");
                }
            }
        }
    };
    join_all((0..people.len()).map(acts)).await;
    for person in &people {
        // Compares the number with the list.
        bell_is_right(&server, person).await;
    }
    let wrong = "SELECT count(*) FROM conversation_members JOIN preferences USING (user_id)
        WHERE level_in_force <> coalesce(notification_level, default_level)";
    assert_eq!(server.database.count(wrong).await, 0);
    let twice = "SELECT count(*) FROM (SELECT FROM notifications WHERE kind <> 'REACTION'
        GROUP BY user_id, conversation_id, message_seq HAVING count(*) > 1) AS twice";
    assert_eq!(server.database.count(twice).await, 0);
}

async fn bell_now(of: &Actor) -> Vec<serde_json::Value> {
    let found = page(of, json!({ "first": 10 })).await;
    found["nodes"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
}

/// The badge is the number of unread rows.
async fn bell_is_right(server: &TestServer, of: &Actor) {
    let id = chinwag::id::decode(&of.id).unwrap().1;
    let rows =
        format!("SELECT count(*) FROM notifications WHERE user_id = '{id}' AND read_at IS NULL AND deleted_at IS NULL");
    let badge = of.query("{ viewer { unread { notificationCount } } }").await.data("viewer");
    assert_eq!(badge["unread"]["notificationCount"], server.database.count(&rows).await, "{}", of.name);
}
