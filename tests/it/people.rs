//! Profiles and the directory.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer, usernames};

const UPDATE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) {
    user { id username displayName bio version updatedAt createdAt } } }";
const PEOPLE: &str =
    "query($filter: UserFilter, $orderBy: UserOrder, $first: Int, $after: String, $last: Int, $before: String) {
    users(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        edges { cursor } nodes { username } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn update(actor: &Actor, input: Value) -> Answer {
    actor.ask(UPDATE, json!({ "input": input })).await
}

async fn updated(actor: &Actor, input: Value) -> Value {
    update(actor, input).await.data("updateProfile")["user"].clone()
}

/// Alice, who is not the first: running the server is a change of one's profile.
async fn newcomer(server: &TestServer) -> Actor {
    server.register("operator").await;
    server.register("alice").await
}

fn current_version(answer: &Answer) -> &Value {
    assert_eq!(answer.code(), "VERSION_CONFLICT", "{}", answer.0);
    &answer.0["errors"][0]["extensions"]["currentVersion"]
}

// Profiles.

#[tokio::test]
async fn what_is_absent_stays_and_null_clears() {
    let server = TestServer::start().await;
    let alice = newcomer(&server).await;
    let first = updated(&alice, json!({ "displayName": " Alice B. ", "bio": "Reads\r\na lot" })).await;
    assert_eq!((&first["username"], &first["displayName"]), (&json!("alice"), &json!("Alice B.")));
    assert_eq!((&first["bio"], &first["version"]), (&json!("Reads\na lot"), &json!(2)));
    server.clock.advance(chrono::TimeDelta::minutes(5));
    let second = updated(&alice, json!({ "username": "Alice.B", "bio": null })).await;
    assert_eq!((&second["username"], &second["displayName"]), (&json!("alice.b"), &json!("Alice B.")));
    assert_eq!((&second["bio"], &second["version"]), (&Value::Null, &json!(3)));
    assert!(second["updatedAt"].as_str() > first["updatedAt"].as_str());
    assert_eq!((&second["createdAt"], &second["id"]), (&first["createdAt"], &first["id"]));
    // She is found and signs in under the new name, and the old one is free.
    let found =
        alice.query("{ user(by: { username: \"ALICE.B\" }) { bio } old: user(by: { username: \"alice\" }) { id } }");
    let found = found.await;
    assert_eq!((found.data("user"), found.data("old")), (json!({ "bio": null }), Value::Null));
    Actor::log_in(server.address, "alice.b").await;
}

#[tokio::test]
async fn what_is_so_already_makes_no_new_version() {
    let server = TestServer::start().await;
    let alice = newcomer(&server).await;
    updated(&alice, json!({ "displayName": "Alice", "bio": "Reads" })).await;
    let before = server.database.contents().await;
    for input in [
        json!({}),
        json!({ "username": "ALICE" }),
        json!({ "displayName": "Alice ", "bio": "Reads", "expectedVersion": 2 }),
    ] {
        assert_eq!(updated(&alice, input.clone()).await["version"], 2, "{input}");
    }
    assert_eq!(server.database.contents().await, before);
    // White space says as little as nothing.
    assert_eq!(updated(&alice, json!({ "bio": " \n" })).await["bio"], Value::Null);
    assert_eq!(updated(&alice, json!({ "bio": "" })).await["version"], 3);
}

#[tokio::test]
async fn a_stale_version_changes_nothing_and_is_told_the_present_one() {
    let server = TestServer::start().await;
    let alice = newcomer(&server).await;
    updated(&alice, json!({ "bio": "One", "expectedVersion": 1 })).await;
    let before = server.database.contents().await;
    for stale in [1, 0, 3, -1, i32::MAX] {
        // Even where the values are there already: they were not what was shown.
        for bio in ["One", "Two"] {
            let answer = update(&alice, json!({ "bio": bio, "expectedVersion": stale })).await;
            assert_eq!(current_version(&answer), 2, "{stale} {bio}");
        }
    }
    assert_eq!(server.database.contents().await, before);
    assert_eq!(updated(&alice, json!({ "bio": "Two", "expectedVersion": 2 })).await["version"], 3);
}

#[tokio::test]
async fn a_profile_has_its_lengths() {
    let server = TestServer::start().await;
    let alice = newcomer(&server).await;
    let before = server.database.contents().await;
    for (input, faults) in [
        (
            json!({ "username": null, "displayName": null }),
            &["input.username REQUIRED", "input.displayName REQUIRED"][..],
        ),
        (
            json!({ "username": "al", "displayName": " ", "bio": "x".repeat(501) }),
            &["input.username TOO_SHORT", "input.displayName REQUIRED", "input.bio TOO_LONG"],
        ),
        (
            json!({ "username": "alice~irc", "displayName": "x".repeat(81), "bio": "a\0b" }),
            &["input.username BAD_FORMAT", "input.displayName TOO_LONG", "input.bio BAD_FORMAT"],
        ),
    ] {
        assert_eq!(update(&alice, input.clone()).await.wrong_fields(), faults, "{input}");
    }
    assert_eq!(server.database.contents().await, before);
    let longest = json!({ "username": "x".repeat(32), "displayName": "é".repeat(80), "bio": "😀".repeat(500) });
    assert_eq!(updated(&alice, longest).await["version"], 2);
}

#[tokio::test]
async fn a_handle_that_is_taken_is_a_conflict() {
    let server = TestServer::start().await;
    let (alice, _bob) = (newcomer(&server).await, server.register("bob").await);
    let before = server.database.contents().await;
    assert_eq!(update(&alice, json!({ "username": "Bob", "bio": "Not Bob" })).await.code(), "CONFLICT");
    assert_eq!(server.database.contents().await, before);
}

#[tokio::test]
async fn of_several_who_want_the_same_handle_at_once_one_gets_it() {
    let server = TestServer::start().await;
    let people = join_all(["alice", "bob", "carol", "dave"].map(|name| server.register(name))).await;
    let before = server.database.count("SELECT sum(version) FROM users").await;
    let answers = join_all(people.iter().map(|person| update(person, json!({ "username": "wanted" })))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.0.get("errors").is_none());
    assert_eq!((won.len(), lost.len()), (1, 3), "{answers:?}");
    assert!(lost.iter().all(|answer| answer.code() == "CONFLICT"), "{answers:?}");
    assert_eq!(server.database.count("SELECT sum(version) FROM users").await, before + 1);
}

#[tokio::test]
async fn of_several_changes_to_one_version_at_once_one_is_made() {
    let server = TestServer::start().await;
    let alice = newcomer(&server).await;
    let changes = (0..4).map(|number| json!({ "bio": format!("number {number}"), "expectedVersion": 1 }));
    let answers = join_all(changes.map(|change| update(&alice, change))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.0.get("errors").is_none());
    assert_eq!((won.len(), lost.len()), (1, 3), "{answers:?}");
    assert!(lost.iter().all(|answer| current_version(answer) == 2));
    let kept = updated(&alice, json!({})).await;
    assert_eq!(kept["bio"], won[0].data("updateProfile")["user"]["bio"]);
}

// The directory.

/// People who did not register: username, name, role, whether claimed, whether gone, and when they came.
async fn settle(server: &TestServer, people: &[(&str, &str, &str, bool, bool)]) {
    for (number, (username, name, role, is_claimed, is_gone)) in people.iter().enumerate() {
        let gone = if *is_gone { "now()" } else { "NULL" };
        let came = format!("timestamptz '2020-01-01' + interval '{number} s'");
        let row = format!(
            "INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at, deleted_at)
             VALUES (gen_random_uuid(), $${username}$$, $${name}$$, '{role}', {is_claimed}, 1, {came}, now(), {gone})"
        );
        server.database.execute(&row).await;
    }
}

async fn people(actor: &Actor, variables: Value) -> Vec<String> {
    let found = actor.ask(PEOPLE, variables).await.data("users");
    usernames(&found)
}

async fn found(actor: &Actor, search: &str) -> Vec<String> {
    people(actor, json!({ "filter": { "search": search } })).await
}

#[tokio::test]
async fn the_directory_lists_who_can_sign_in_and_is_not_gone_by_name() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    settle(
        &server,
        &[
            ("zoe", "Aaron", "USER", true, false),
            ("bob", "bob", "USER", true, false),
            ("bobby", "Bob", "USER", true, false),
            ("emile", "Émile", "USER", true, false),
            ("ghost", "Aardvark", "USER", true, true),
            ("abe~irc", "Abe", "USER", false, false),
        ],
    )
    .await;
    let mut all = people(&alice, json!({})).await;
    // Two of one name stand in the order of their ids.
    all[2..4].sort();
    assert_eq!(all, ["zoe", "alice", "bob", "bobby", "emile"]);
    assert!(found(&alice, "ghost").await.is_empty());
    assert!(found(&alice, "abe").await.is_empty());
}

#[tokio::test]
async fn people_are_found_by_how_their_handle_or_name_begins() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    settle(
        &server,
        &[
            ("bob.the-builder", "Robert Tables", "USER", true, false),
            ("percent", "100%_sure\\", "USER", true, false),
            ("plain", "100 sure", "USER", true, false),
            ("odos", "ΟΔΟΣ", "USER", true, false),
            ("emile", "Émile", "USER", true, false),
            ("smile", "😀 smile", "USER", true, false),
        ],
    )
    .await;
    for (search, expected) in [
        ("BOB", &["bob.the-builder"][..]),
        ("bob.the-builder", &["bob.the-builder"]),
        ("rob", &["bob.the-builder"]),
        (" Robert t", &["bob.the-builder"]),
        ("tables", &[]),
        ("the-builder", &[]),
        ("100", &["plain", "percent"]),
        ("100%", &["percent"]),
        ("100%_S", &["percent"]),
        ("100%_sure\\", &["percent"]),
        ("%", &[]),
        ("_", &[]),
        ("\\", &[]),
        ("οδο", &["odos"]),
        ("É", &["emile"]),
        ("e\u{301}m", &["emile"]),
        ("em", &["emile"]),
        ("😀", &["smile"]),
        ("a", &["alice"]),
        ("' OR true --", &[]),
    ] {
        assert_eq!(found(&alice, search).await, expected, "{search:?}");
    }
    // Whoever has typed nothing yet sees everybody.
    for nothing in ["", "  "] {
        assert_eq!(found(&alice, nothing).await.len(), 7, "{nothing:?}");
    }
    for (search, fault) in [("a\0", "BAD_FORMAT"), ("a\nb", "BAD_FORMAT"), (&"x".repeat(81), "TOO_LONG")] {
        let answer = alice.ask(PEOPLE, json!({ "filter": { "search": search } })).await;
        assert_eq!(answer.wrong_fields(), [format!("filter.search {fault}")], "{search:?}");
    }
    assert!(found(&alice, &"x".repeat(80)).await.is_empty());
}

#[tokio::test]
async fn people_are_found_by_their_role() {
    let server = TestServer::start().await;
    // The first one runs the server.
    let alice = server.register("alice").await;
    settle(
        &server,
        &[
            ("bob", "Bob", "USER", true, false),
            ("mod", "Mod", "MODERATOR", true, false),
            ("old-mod", "Mod", "MODERATOR", true, true),
            ("adam", "Adam", "ADMIN", true, false),
        ],
    )
    .await;
    for (roles, expected) in [
        (json!(["ADMIN"]), &["adam", "alice"][..]),
        (json!(["MODERATOR", "ADMIN"]), &["adam", "alice", "mod"]),
        (json!(["USER"]), &["bob"]),
        (json!(["USER", "MODERATOR", "USER"]), &["bob", "mod"]),
        (json!([]), &[]),
        (Value::Null, &["adam", "alice", "bob", "mod"]),
    ] {
        assert_eq!(people(&alice, json!({ "filter": { "roles": roles } })).await, expected, "{roles}");
    }
    assert_eq!(people(&alice, json!({ "filter": { "roles": ["ADMIN"], "search": "ad" } })).await, ["adam"]);
}

#[tokio::test]
async fn the_directory_is_paged_both_ways_in_every_order() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    // Some share their name, some came at the same time.
    server
        .database
        .execute(
            "INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
             SELECT gen_random_uuid(), 'user' || n, 'User ' || n % 4, 'USER', true, 1,
                 timestamptz '2020-01-01' + (n % 3) * interval '1 day', now()
             FROM generate_series(1, 12) AS n",
        )
        .await;
    let orders = [
        json!({ "field": "NAME" }),
        json!({ "field": "NAME", "direction": "DESC" }),
        json!({ "field": "CREATED_AT", "direction": "ASC" }),
        json!({ "field": "CREATED_AT", "direction": "DESC" }),
    ];
    let filters = [(json!({}), 13), (json!({ "search": "user" }), 12), (json!({ "roles": ["USER"] }), 12)];
    for (order, (filter, count)) in orders.iter().flat_map(|order| filters.iter().map(move |filter| (order, filter))) {
        let all = people(&alice, json!({ "filter": filter, "orderBy": order, "first": 100 })).await;
        assert_eq!(all.len(), *count, "{filter}");
        let (mut forward, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "filter": filter, "orderBy": order, "first": 2, "after": after });
            let page = alice.ask(PEOPLE, variables).await.data("users");
            assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
            forward.extend(usernames(&page));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(forward, all, "{order} {filter}");
        let (mut backward, mut before) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "filter": filter, "orderBy": order, "last": 5, "before": before });
            let page = alice.ask(PEOPLE, variables).await.data("users");
            backward.splice(0..0, usernames(&page));
            before = page["pageInfo"]["startCursor"].clone();
            if page["pageInfo"]["hasPreviousPage"] == false {
                break;
            }
        }
        assert_eq!(backward, all, "{order} {filter}");
        // Between two places.
        let whole = alice.ask(PEOPLE, json!({ "filter": filter, "orderBy": order, "first": 100 })).await.data("users");
        let (after, before) = (&whole["edges"][3]["cursor"], &whole["edges"][7]["cursor"]);
        let variables = json!({ "filter": filter, "orderBy": order, "after": after, "before": before });
        assert_eq!(people(&alice, variables).await, all[4..7], "{order} {filter}");
    }
    let by_name = people(&alice, json!({ "orderBy": { "field": "NAME" } })).await;
    let mut from_the_end = people(&alice, json!({ "orderBy": { "field": "NAME", "direction": "DESC" } })).await;
    from_the_end.reverse();
    assert_eq!(by_name, from_the_end);
}

#[tokio::test]
async fn a_place_in_one_order_is_none_in_another() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for (of, to) in [("NAME", "CREATED_AT"), ("CREATED_AT", "NAME")] {
        let page = alice.ask(PEOPLE, json!({ "orderBy": { "field": of } })).await.data("users");
        let cursor = &page["edges"][0]["cursor"];
        let answer = alice.ask(PEOPLE, json!({ "orderBy": { "field": to }, "after": cursor })).await;
        assert_eq!(answer.wrong_fields(), ["after BAD_FORMAT"]);
        assert!(people(&alice, json!({ "orderBy": { "field": of }, "after": cursor })).await.is_empty());
    }
}
