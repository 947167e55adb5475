//! Creating a group and changing its settings; addresses.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{admit, channel, done, private_group, public_group, run, sees, text};
use crate::harness::{Actor, Answer, TestServer};

const GROUP: &str = "isReplay group { id name slug description visibility version memberCount createdBy { username }
    viewerMember { role } }";

async fn create(by: &Actor, input: Value) -> Answer {
    run(by, "createGroup", input, GROUP).await
}

async fn update(by: &Actor, input: Value) -> Answer {
    run(by, "updateGroup", input, "group { name slug description visibility version }").await
}

#[tokio::test]
async fn a_group_is_its_creators_and_is_created_once_under_a_key() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let input = json!({ "name": " Gardeners ", "description": "Roses", "clientKey": "key-00001" });
    let both = join_all([create(&alice, input.clone()), create(&alice, input.clone())]).await;
    let both: Vec<_> = both.iter().map(|answer| answer.data("createGroup")).collect();
    assert_eq!(both[0]["group"], both[1]["group"]);
    assert_ne!(both[0]["isReplay"], both[1]["isReplay"]);
    let group = &both[0]["group"];
    assert_eq!(
        *group,
        json!({ "id": group["id"], "name": "Gardeners", "slug": "gardeners", "description": "Roses",
            "visibility": "PUBLIC", "version": 1, "memberCount": 1, "createdBy": { "username": "alice" },
            "viewerMember": { "role": "OWNER" } })
    );
    for (name, value) in [("name", json!("Others")), ("visibility", json!("PRIVATE")), ("slug", json!("gardeners"))] {
        let mut other = input.clone();
        other[name] = value;
        assert_eq!(create(&alice, other).await.code(), "IDEMPOTENCY_KEY_REUSED", "{name}");
    }
    // A key is its owner's, and that mutation's.
    let of_bob = create(&bob, input.clone()).await.data("createGroup");
    assert_eq!((&of_bob["isReplay"], &of_bob["group"]["slug"]), (&json!(false), &json!("gardeners-2")));
    alice.create_channel(json!({ "name": "Gardeners", "clientKey": "key-00001" })).await;
    // Who has lost sight of it does not get it back by the key.
    let id = text(&group["id"]);
    let heir = admit(&alice, &id, &[&bob], "MEMBER").await.remove(0);
    done(&alice, "transferGroupOwnership", json!({ "memberId": heir }), "owner { id }").await;
    update(&bob, json!({ "groupId": id, "visibility": "PRIVATE" })).await.data("updateGroup");
    super::leave(&alice, &id).await.data("leaveGroup");
    assert_eq!(create(&alice, input).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn addresses_are_unique_where_they_are_public_and_betray_nothing_private() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let hidden = private_group(&alice, "Roses").await;
    channel(&alice, &hidden, "Thorns", "PUBLIC").await;
    channel(&alice, &hidden, "Secrets", "PRIVATE").await;
    // Of what is private there is nothing to collide with.
    let open = create(&bob, json!({ "name": "Roses", "slug": "roses" })).await.data("createGroup");
    let open = text(&open["group"]["id"]);
    assert_eq!(create(&alice, json!({ "name": "Roses", "slug": "roses" })).await.code(), "CONFLICT");
    let private = json!({ "name": "Roses", "slug": "roses", "visibility": "PRIVATE" });
    assert_eq!(create(&alice, private).await.wrong_fields(), ["input.slug NOT_ALLOWED"]);
    let taken = update(&alice, json!({ "groupId": hidden, "visibility": "PUBLIC", "slug": "roses" })).await;
    assert_eq!(taken.code(), "CONFLICT");
    let made = update(&alice, json!({ "groupId": hidden, "visibility": "PUBLIC" })).await.data("updateGroup");
    assert_eq!(made["group"]["slug"], "roses-2");
    // Channels of a group are apart from those of others and of the server.
    let name = |group: Option<&str>, name: &str| json!({ "groupId": group, "name": name, "slug": "thorns" });
    for (by, group) in [(&bob, Some(open.as_str())), (&bob, None)] {
        let created = run(by, "createChannel", name(group, "Thorns"), "channel { slug }").await.data("createChannel");
        assert_eq!(created["channel"]["slug"], "thorns");
        assert_eq!(run(by, "createChannel", name(group, "Thorns"), "channel { slug }").await.code(), "CONFLICT");
    }
    assert_eq!(run(&alice, "createChannel", name(Some(&hidden), "Other"), "channel { slug }").await.code(), "CONFLICT");
    let made = run(&alice, "createChannel", json!({ "groupId": hidden, "name": "Thorns" }), "channel { slug }").await;
    assert_eq!(made.data("createChannel")["channel"]["slug"], "thorns-2");
    let free = json!({ "groupId": hidden, "name": "Secrets", "slug": "secrets" });
    run(&alice, "createChannel", free, "channel { slug }").await.data("createChannel");
    // The same name at once, many times: each gets an address of its own, or is told.
    let many = join_all((0..6).map(|_| create(&alice, json!({ "name": "Tulips" })))).await;
    let mut slugs: Vec<_> = many
        .iter()
        .filter(|answer| answer.0.get("errors").is_none())
        .map(|answer| text(&answer.data("createGroup")["group"]["slug"]))
        .collect();
    assert!(many.iter().filter(|answer| answer.0.get("errors").is_some()).all(|answer| answer.code() == "CONFLICT"));
    slugs.sort();
    slugs.dedup();
    assert!(slugs.len() >= 2, "{slugs:?}");
}

#[tokio::test]
async fn settings_are_changed_by_admins_and_a_stale_form_is_told() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let group = private_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&bob], "ADMIN").await;
    admit(&alice, &group, &[&carol], "MODERATOR").await;
    let input = json!({ "groupId": group, "name": "Roses", "description": "Only those", "expectedVersion": 1 });
    assert_eq!(update(&carol, input.clone()).await.code(), "FORBIDDEN");
    let changed = update(&bob, input.clone()).await.data("updateGroup");
    assert_eq!(
        changed["group"],
        json!({ "name": "Roses", "slug": null, "description": "Only those", "visibility": "PRIVATE", "version": 2 })
    );
    let stale = update(&bob, input).await;
    assert_eq!((stale.code(), &stale.0["errors"][0]["extensions"]["currentVersion"]), ("VERSION_CONFLICT", &json!(2)));
    // What is so already is no new version.
    let before = server.database.contents().await;
    let same = update(&bob, json!({ "groupId": group, "name": "Roses" })).await.data("updateGroup");
    assert_eq!(same["group"]["version"], 2);
    assert_eq!(server.database.contents().await, before);
    let cleared = update(&bob, json!({ "groupId": group, "description": null })).await.data("updateGroup");
    assert_eq!(cleared["group"]["description"], json!(null));
    let wrong = update(&bob, json!({ "groupId": group, "name": null, "slug": "!", "visibility": null })).await;
    assert_eq!(wrong.wrong_fields(), ["input.name REQUIRED", "input.slug TOO_SHORT", "input.visibility REQUIRED"]);
}

#[tokio::test]
async fn a_private_group_becomes_public_by_its_owner_who_confirms_what_is_exposed() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let group = private_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&bob], "ADMIN").await;
    let hidden = channel(&alice, &group, "Hidden", "PRIVATE").await;
    alice.say(&hidden, "between us").await;
    let open = json!({ "groupId": group, "visibility": "PUBLIC" });
    assert_eq!(update(&bob, open.clone()).await.code(), "FORBIDDEN");
    // Nothing was said in public channels.
    update(&alice, open.clone()).await.data("updateGroup");
    update(&bob, json!({ "groupId": group, "visibility": "PRIVATE" })).await.data("updateGroup");
    let place = channel(&alice, &group, "Open", "PUBLIC").await;
    alice.say(&place, "among few").await;
    let refused = update(&alice, open).await;
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "HISTORY");
    assert!(!sees(&carol, &group).await);
    let confirmed = json!({ "groupId": group, "visibility": "PUBLIC", "exposesHistory": true });
    update(&alice, confirmed).await.data("updateGroup");
    assert!(sees(&carol, &group).await);
    let public = public_group(&carol, "Gardeners").await;
    assert!(sees(&alice, &public).await);
}
