//! Preferences.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer};

const PREFERENCES: &str = "{ viewer { preferences { id version language timeZone theme
    privacy { sharesReadPosition sharesTyping sharesLastSeen directConversationsFrom } } } }";
const UPDATE: &str = "mutation($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { preferences {
    id version language timeZone theme
    privacy { sharesReadPosition sharesTyping sharesLastSeen directConversationsFrom } } } }";

async fn preferences(of: &Actor) -> Value {
    of.query(PREFERENCES).await.data("viewer")["preferences"].clone()
}

async fn update(actor: &Actor, input: Value) -> Answer {
    actor.ask(UPDATE, json!({ "input": input })).await
}

async fn updated(actor: &Actor, input: Value) -> Value {
    update(actor, input).await.data("updatePreferences")["preferences"].clone()
}

fn id_of(actor: &Actor) -> String {
    actor.id.replace("user_", "pref_")
}

#[tokio::test]
async fn who_has_changed_nothing_shares_everything_in_english() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let of_newcomer = json!({
        "id": id_of(&alice),
        "version": 1,
        "language": "en",
        "timeZone": "UTC",
        "theme": "SYSTEM",
        "privacy": {
            "sharesReadPosition": true,
            "sharesTyping": true,
            "sharesLastSeen": true,
            "directConversationsFrom": "EVERYONE",
        },
    });
    assert_eq!(preferences(&alice).await, of_newcomer);
    // To say so changes nothing.
    let before = server.database.contents().await;
    let same =
        json!({ "language": "EN", "theme": "SYSTEM", "privacy": { "sharesTyping": true }, "expectedVersion": 1 });
    assert_eq!(updated(&alice, same).await, of_newcomer);
    assert_eq!(updated(&alice, json!({})).await, of_newcomer);
    assert_eq!(server.database.contents().await, before);
}

#[tokio::test]
async fn what_is_given_changes_and_what_is_absent_stays() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let first = json!({ "language": "de-at", "timeZone": "Europe/Vienna", "theme": "DARK" });
    let changed = updated(&alice, first).await;
    assert_eq!((&changed["version"], &changed["language"]), (&json!(2), &json!("de-AT")));
    assert_eq!((&changed["timeZone"], &changed["theme"]), (&json!("Europe/Vienna"), &json!("DARK")));
    let second = json!({ "privacy": { "sharesLastSeen": false, "directConversationsFrom": "SHARED" } });
    let changed = updated(&alice, second.clone()).await;
    assert_eq!((&changed["version"], &changed["language"]), (&json!(3), &json!("de-AT")));
    let privacy = json!({
        "sharesReadPosition": true,
        "sharesTyping": true,
        "sharesLastSeen": false,
        "directConversationsFrom": "SHARED",
    });
    assert_eq!(changed["privacy"], privacy);
    assert_eq!(preferences(&alice).await, changed);
    assert_eq!(updated(&alice, second).await["version"], 3);
    // They are her own.
    assert_eq!(preferences(&bob).await["version"], 1);
}

#[tokio::test]
async fn preferences_are_a_node_for_their_owner_alone() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    updated(&alice, json!({ "theme": "LIGHT" })).await;
    let ask = "query($id: ID!) { node(id: $id) { id ... on Preferences { theme } } }";
    let id = id_of(&alice);
    assert_eq!(alice.ask(ask, json!({ "id": id })).await.data("node"), json!({ "id": id, "theme": "LIGHT" }));
    assert_eq!(bob.ask(ask, json!({ "id": id })).await.data("node"), Value::Null);
}

#[tokio::test]
async fn a_language_and_a_time_zone_are_ones_that_there_are() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let before = server.database.contents().await;
    for (language, time_zone) in
        [("english!", "Berlin"), ("en_GB", "GMT+25"), ("d\0e", "UTC\0"), ("-", "../../etc/localtime")]
    {
        let answer = update(&alice, json!({ "language": language, "timeZone": time_zone, "theme": "DARK" })).await;
        assert_eq!(answer.wrong_fields(), ["input.language BAD_FORMAT", "input.timeZone BAD_FORMAT"], "{language}");
    }
    let answer = update(&alice, json!({ "language": "", "timeZone": "x".repeat(65) })).await;
    assert_eq!(answer.wrong_fields(), ["input.language REQUIRED", "input.timeZone TOO_LONG"]);
    assert_eq!(update(&alice, json!({ "language": 7 })).await.code(), "BAD_USER_INPUT");
    assert_eq!(server.database.contents().await, before);
}

#[tokio::test]
async fn a_stale_version_is_told_the_present_one() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let change = |theme: &str, expected: i32| json!({ "theme": theme, "expectedVersion": expected });
    // Also where there is no row yet.
    for (stale, current) in [(2, 1), (0, 1)] {
        let answer = update(&alice, change("DARK", stale)).await;
        assert_eq!(answer.code(), "VERSION_CONFLICT");
        assert_eq!(answer.0["errors"][0]["extensions"]["currentVersion"], current);
    }
    assert_eq!(server.database.count("SELECT count(*) FROM preferences").await, 0);
    assert_eq!(updated(&alice, change("DARK", 1)).await["version"], 2);
    let answer = update(&alice, change("LIGHT", 1)).await;
    assert_eq!(answer.0["errors"][0]["extensions"]["currentVersion"], 2);
    assert_eq!(preferences(&alice).await["theme"], "DARK");
}

#[tokio::test]
async fn of_several_changes_to_one_version_at_once_one_is_made() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    // The first round has no row to lock.
    for version in 1..4 {
        let zones = ["Europe/Berlin", "Europe/Vienna", "Asia/Tokyo", "America/Lima", "Africa/Cairo", "Asia/Dubai"];
        let language = ["de", "fr", "it"][version - 1];
        let change = |zone| json!({ "timeZone": zone, "language": language, "expectedVersion": version });
        let answers = join_all(zones.map(|zone| update(&alice, change(zone)))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.0.get("errors").is_none());
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(lost.iter().all(|answer| answer.code() == "VERSION_CONFLICT"), "{answers:?}");
        let kept = preferences(&alice).await;
        assert_eq!((&kept["version"], &kept), (&json!(version + 1), &won[0].data("updatePreferences")["preferences"]));
    }
}

#[tokio::test]
async fn changes_of_different_things_at_once_are_all_made() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let changes = [
        json!({ "theme": "DARK" }),
        json!({ "language": "fr" }),
        json!({ "timeZone": "Asia/Tokyo" }),
        json!({ "privacy": { "sharesTyping": false } }),
        json!({ "privacy": { "sharesReadPosition": false } }),
    ];
    join_all(changes.map(async |change| updated(&alice, change).await)).await;
    let all = preferences(&alice).await;
    assert_eq!((&all["version"], &all["theme"], &all["language"]), (&json!(6), &json!("DARK"), &json!("fr")));
    assert_eq!((&all["timeZone"], &all["privacy"]["sharesTyping"]), (&json!("Asia/Tokyo"), &json!(false)));
    assert_eq!(all["privacy"]["sharesReadPosition"], false);
}
