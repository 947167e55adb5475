//! The order of channels and categories.

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};

use super::{DISORDER, admit, category, channel, channels_of, done, private_group, run, sees, text};
use crate::harness::{Actor, Answer, TestServer};

async fn put(by: &Actor, channel: &str, category: Option<&str>, after: Option<&str>) -> Answer {
    let input = json!({ "channelId": channel, "categoryId": category, "afterChannelId": after });
    run(by, "moveChannel", input, "channel { position category { id } version seq }").await
}

async fn names(by: &Actor, query: &str) -> Vec<String> {
    let found = by.query(query).await;
    let found = found.0["data"].pointer("/channels/nodes").unwrap_or_else(|| panic!("{found:?}")).clone();
    found.as_array().unwrap().iter().map(|one| text(&one["name"])).collect()
}

#[tokio::test]
async fn channels_stand_where_they_are_put() {
    let server = TestServer::start().await;
    let (root, alice, bob) =
        (server.register("ruth").await, server.register("alice").await, server.register("bob").await);
    let group = private_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&bob], "MODERATOR").await;
    let heading = category(&alice, Some(&group), "Flowers").await;
    let mut places = Vec::new();
    for name in ["A", "B", "C", "D"] {
        places.push(channel(&alice, &group, name, "PUBLIC").await);
    }
    let [a, b, c, d] = [&places[0], &places[1], &places[2], &places[3]];
    assert_eq!(channels_of(&bob, &group).await, ["A", "B", "C", "D"]);
    for (moved, after, order) in [
        (a, Some(c), ["B", "C", "A", "D"]),
        (d, None, ["D", "B", "C", "A"]),
        (c, Some(d), ["D", "C", "B", "A"]),
        (c, Some(a), ["D", "B", "A", "C"]),
    ] {
        put(&alice, moved, None, after.map(String::as_str)).await.data("moveChannel");
        assert_eq!(channels_of(&bob, &group).await, order);
        assert_eq!(server.database.count(DISORDER).await, 0);
    }
    // Where it stands already it stays.
    let before = server.database.contents().await;
    put(&alice, c, None, Some(a)).await.data("moveChannel");
    assert_eq!(server.database.contents().await, before);
    let mut socket = bob.socket().await;
    let mut log = socket.follow(b, None);
    log.batch().await;
    let moved = put(&alice, b, Some(&heading), None).await.data("moveChannel");
    assert_eq!((&moved["channel"]["position"], &moved["channel"]["category"]["id"]), (&json!(0), &json!(heading)));
    assert_eq!(log.batch().await["events"][0]["changedFields"], json!(["category", "position"]));
    put(&alice, d, Some(&heading), Some(b)).await.data("moveChannel");
    assert_eq!(channels_of(&bob, &group).await, ["A", "C", "B", "D"]);
    assert_eq!(server.database.count(DISORDER).await, 0);
    // By the group's admins, next to what is there and in sight.
    let outside = root.public_channel("Outside").await;
    let foreign = category(&root, None, "Foreign").await;
    assert_eq!(put(&bob, b, None, None).await.code(), "FORBIDDEN");
    assert_eq!(put(&root, b, None, None).await.code(), "NOT_FOUND");
    assert_eq!(put(&alice, b, Some(&foreign), None).await.wrong_fields(), ["input.categoryId UNKNOWN_ID"]);
    for after in [a, &outside] {
        let refused = put(&alice, d, Some(&heading), Some(after)).await;
        assert_eq!(refused.wrong_fields(), ["input.afterChannelId UNKNOWN_ID"]);
    }
    assert_eq!(put(&alice, b, Some(&heading), Some(b)).await.wrong_fields(), ["input.afterChannelId NOT_ALLOWED"]);
    let hidden = channel(&bob, &group, "Hidden", "PRIVATE").await;
    assert_eq!(put(&alice, &hidden, None, None).await.code(), "NOT_FOUND");
    assert_eq!(put(&alice, a, None, Some(&hidden)).await.wrong_fields(), ["input.afterChannelId UNKNOWN_ID"]);
    // Those of the server are put in order by who runs it.
    assert_eq!(put(&alice, &outside, None, None).await.code(), "FORBIDDEN");
    put(&root, &outside, Some(&foreign), None).await.data("moveChannel");
}

#[tokio::test]
async fn a_category_that_goes_leaves_its_channels() {
    let server = TestServer::start().await;
    let (root, alice) = (server.register("ruth").await, server.register("alice").await);
    let group = private_group(&alice, "Gardeners").await;
    for (by, group) in [(&alice, Some(group.as_str())), (&root, None)] {
        let (one, two) = (category(by, group, "One").await, category(by, group, "Two").await);
        let first = json!({ "groupId": group, "name": "Zero", "position": 0 });
        done(by, "createChannelCategory", first, "category { id }").await;
        for (name, heading) in [("A", None), ("B", Some(&one)), ("C", Some(&one)), ("D", Some(&two))] {
            by.create_channel(json!({ "groupId": group, "name": name, "categoryId": heading })).await;
        }
        let listed = async || -> Value {
            match group {
                Some(group) => {
                    let ask = "query($id: ID!) { group(by: { id: $id }) { categories { name position version
                        channels { nodes { name position } } } } }";
                    by.ask(ask, json!({ "id": group })).await.data("group")["categories"].clone()
                }
                None => {
                    let ask = "{ categories { name position version channels { nodes { name position } } } }";
                    by.query(ask).await.data("categories")
                }
            }
        };
        let names = |listed: &Value| -> Vec<String> {
            listed.as_array().unwrap().iter().map(|one| text(&one["name"])).collect()
        };
        assert_eq!(names(&listed().await), ["Zero", "One", "Two"]);
        let input = json!({ "categoryId": one, "name": "Last", "position": 9, "expectedVersion": 1 });
        let changed = done(by, "updateChannelCategory", input.clone(), "category { name position version }").await;
        assert_eq!(changed["category"], json!({ "name": "Last", "position": 2, "version": 2 }));
        let shown = listed().await;
        assert_eq!(names(&shown), ["Zero", "Two", "Last"]);
        assert_eq!(
            shown[2]["channels"]["nodes"],
            json!([{ "name": "B", "position": 0 }, { "name": "C", "position": 1 }])
        );
        assert_eq!(run(by, "updateChannelCategory", input, "category { id }").await.code(), "VERSION_CONFLICT");
        done(by, "deleteChannelCategory", json!({ "categoryId": two }), "categoryId").await;
        assert_eq!(server.database.count(DISORDER).await, 0);
        assert!(!sees(by, &two).await && sees(by, &one).await);
        assert_eq!(
            run(by, "deleteChannelCategory", json!({ "categoryId": two }), "categoryId").await.code(),
            "NOT_FOUND"
        );
        let left = server
            .database
            .rows(
                "SELECT name, position::text FROM channels WHERE category_id IS NULL AND name IN ('A', 'D') ORDER BY group_id NULLS FIRST, position",
            )
            .await;
        assert_eq!(left[..2], [["A", "0"], ["D", "1"]]);
        let nobody = server.register(if group.is_some() { "bob" } else { "carol" }).await;
        let code = if group.is_some() { "NOT_FOUND" } else { "FORBIDDEN" };
        for (field, input, select) in [
            ("createChannelCategory", json!({ "groupId": group, "name": "Mine" }), "category { id }"),
            ("updateChannelCategory", json!({ "categoryId": one, "name": "Mine" }), "category { id }"),
            ("deleteChannelCategory", json!({ "categoryId": one }), "categoryId"),
        ] {
            assert_eq!(run(&nobody, field, input, select).await.code(), code, "{field}");
        }
        assert_eq!(sees(&nobody, &one).await, group.is_none());
    }
    let wrong = json!({ "name": "", "groupId": "group_0", "position": -1 });
    assert_eq!(
        run(&root, "createChannelCategory", wrong, "category { id }").await.wrong_fields(),
        ["input.name REQUIRED", "input.groupId BAD_FORMAT", "input.position OUT_OF_RANGE"]
    );
}

/// Moves, new channels, and categories that come, go and move, all at once, in a group and on the server.
#[tokio::test]
async fn whatever_is_moved_at_once_there_are_no_gaps_and_no_ties() {
    let server = TestServer::start().await;
    let (root, bob) = (server.register("ruth").await, server.register("bob").await);
    let group = private_group(&root, "Gardeners").await;
    admit(&root, &group, &[&bob], "ADMIN").await;
    for group in [Some(group.as_str()), None] {
        // Whoever runs the server orders its channels, and an admin those of a group.
        let movers: Vec<&Actor> = if group.is_some() { vec![&root, &bob] } else { vec![&root, &root] };
        let mut headings = vec![None];
        for name in ["One", "Two"] {
            headings.push(Some(category(&root, group, name).await));
        }
        let mut places = Vec::new();
        for number in 0..6 {
            let heading = &headings[number % 3];
            let input = json!({ "groupId": group, "name": format!("Channel {number}"), "categoryId": heading });
            places.push(root.create_channel(input).await);
        }
        for round in 0..4 {
            let mut all: Vec<BoxFuture<'_, Answer>> = Vec::new();
            for (number, place) in places.iter().enumerate() {
                let heading = headings[(number + round) % 3].as_deref();
                let after = (number % 2 == 0).then(|| places[(number + 3) % 6].as_str());
                all.push(Box::pin(put(movers[number % 2], place, heading, after)));
                all.push(Box::pin(put(movers[(number + 1) % 2], place, None, None)));
            }
            let one = headings[1].clone().unwrap();
            let shift = json!({ "categoryId": one, "position": round % 2 });
            all.push(Box::pin(run(&root, "updateChannelCategory", shift, "category { id }")));
            for number in 0..2 {
                let new = json!({ "groupId": group, "name": format!("New {round} {number}"), "categoryId": one });
                all.push(Box::pin(run(&root, "createChannel", new, "channel { id }")));
                let new = json!({ "groupId": group, "name": format!("New {round} {number}"), "position": 0 });
                all.push(Box::pin(run(&root, "createChannelCategory", new, "category { id }")));
            }
            if round == 3 {
                let gone = json!({ "categoryId": headings[2] });
                all.push(Box::pin(run(&root, "deleteChannelCategory", gone, "categoryId")));
            }
            for answer in join_all(all).await {
                if answer.0.get("errors").is_some() {
                    assert_eq!(answer.code(), "BAD_USER_INPUT", "{answer:?}");
                }
            }
            assert_eq!(server.database.count(DISORDER).await, 0);
        }
    }
    let order = names(&root, "{ channels(orderBy: { field: POSITION }, first: 100) { nodes { name } } }").await;
    assert_eq!(order.len(), 2 * (6 + 8));
}
