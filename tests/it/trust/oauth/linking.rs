//! Linking accounts elsewhere to one's own, and letting go of them.

use chrono::TimeDelta;

use super::*;

async fn links(of: &Actor) -> Vec<String> {
    let linked = of.query(LINKED).await.data("viewer")["oauthAccounts"].clone();
    linked.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

async fn unlink(actor: &Actor, id: &str, password: Option<&str>) -> Answer {
    ask(actor, UNLINK, json!({ "oauthAccountId": id, "currentPassword": password })).await
}

#[tokio::test]
async fn what_is_linked_opens_the_account_and_what_is_unlinked_no_longer() {
    let offered = Offered::new().await;
    let alice = offered.world.proven("alice").await;
    let cat = Person::new(1, "cat");
    let linked = offered.link(&alice, "github", &cat).await.data("completeOAuth");
    assert_eq!((&linked["session"], &linked["tokens"]), (&json!(null), &json!(null)));
    assert_eq!((&linked["isNewUser"], &linked["oauthAccount"]["label"]), (&json!(false), &json!("cat")));
    let id = linked["oauthAccount"]["id"].as_str().unwrap();
    // Once more changes nothing.
    assert_eq!(offered.link(&alice, "github", &cat).await.data("completeOAuth")["oauthAccount"]["id"], json!(id));
    let signed_in = offered.sign_in("github", &cat).await;
    assert_eq!(offered.who(&signed_in).id, alice.id);

    assert_eq!(unlink(&alice, id, Some("another password")).await.code(), "INVALID_CREDENTIALS");
    let gone = unlink(&alice, id, Some(PASSWORD)).await.data("unlinkOAuthAccount");
    assert_eq!(gone, json!({ "oauthAccountId": id, "viewer": { "oauthAccounts": [] } }));
    assert_eq!(unlink(&alice, id, Some(PASSWORD)).await.code(), "NOT_FOUND");
    // Whoever has it is somebody else here now.
    let stranger = offered.sign_in("github", &cat).await;
    assert_ne!(offered.who(&stranger).id, alice.id);
    let told = [
        "An account at another provider no longer signs in to yours",
        "Your account can be signed in to by an account at another provider now",
    ];
    assert_eq!(offered.world.bell(&alice).await, told);
    for subject in told {
        assert_eq!(offered.world.mails.letters("alice@example.org", subject).len(), 1, "{subject}");
    }
}

#[tokio::test]
async fn what_is_linked_to_one_is_nobody_else_s() {
    let offered = Offered::new().await;
    let (alice, bob) = (offered.server().register("alice").await, offered.server().register("bob").await);
    let cat = Person::new(1, "cat");
    offered.link(&alice, "github", &cat).await.data("completeOAuth");
    assert_eq!(offered.link(&bob, "github", &cat).await.code(), "CONFLICT");
    let id = links(&alice).await.remove(0);
    assert_eq!(unlink(&bob, &id, Some(PASSWORD)).await.code(), "NOT_FOUND");
    let node = bob.ask("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(node.data("node"), json!(null));
    assert_eq!((links(&alice).await, links(&bob).await), (vec![id], vec![]));
}

/// Whoever had one's browser finish their own round trip would have their account linked to one's own.
#[tokio::test]
async fn a_round_trip_to_link_is_finished_by_the_session_that_began_it() {
    let offered = Offered::new().await;
    let (alice, mallory) = (offered.server().register("alice").await, offered.server().register("mallory").await);
    let elsewhere = Actor::log_in(offered.server().address, "alice").await;
    let trip = offered.begin_link(&mallory, "github").await;
    let (code, _) = offered.provider.visit(&trip.url, &Person::new(666, "mallory"));
    for actor in [&alice, &offered.anonymous()] {
        assert_eq!(ask(actor, COMPLETE, trip.back(&code)).await.code(), "TOKEN_INVALID");
    }
    let trip = offered.begin_link(&alice, "github").await;
    let (code, _) = offered.provider.visit(&trip.url, &Person::new(1, "cat"));
    assert_eq!(ask(&elsewhere, COMPLETE, trip.back(&code)).await.code(), "TOKEN_INVALID");
    ask(&alice, COMPLETE, trip.back(&code)).await.data("completeOAuth");
    // A session that has ended meanwhile links nothing.
    let trip = offered.begin_link(&elsewhere, "work").await;
    elsewhere.query("mutation { logout { sessionId } }").await.data("logout");
    assert_eq!(offered.come_back(&elsewhere, &trip, &Person::new(2, "dog")).await.code(), "UNAUTHENTICATED");
    assert_eq!((links(&alice).await.len(), links(&mallory).await.len()), (1, 0));
}

#[tokio::test]
async fn linking_and_unlinking_take_fresh_proof() {
    let offered = Offered::new().await;
    let alice = offered.server().register("alice").await;
    let begin = async |actor: &Actor, password: Option<&str>| {
        let input = json!({ "provider": "github", "purpose": "LINK", "redirectUrl": PAGE,
            "codeChallenge": challenge("a verifier"), "currentPassword": password });
        ask(actor, BEGIN, input).await
    };
    assert_eq!(begin(&offered.anonymous(), Some(PASSWORD)).await.code(), "UNAUTHENTICATED");
    assert_eq!(begin(&alice, None).await.code(), "INVALID_CREDENTIALS");
    assert_eq!(begin(&alice, Some("another password")).await.code(), "INVALID_CREDENTIALS");
    // Without a password a session that has just begun will do, and one that is older will not.
    let bob = Person::new(1, "bob");
    let bob = offered.who(&offered.sign_in("github", &bob).await);
    begin(&bob, None).await.data("beginOAuth");
    assert_eq!(begin(&bob, Some("no password at all")).await.code(), "INVALID_CREDENTIALS");
    offered.server().clock.advance(TimeDelta::minutes(11));
    assert_eq!(begin(&bob, None).await.code(), "INVALID_CREDENTIALS");
    let id = links(&bob).await.remove(0);
    assert_eq!(unlink(&bob, &id, None).await.code(), "INVALID_CREDENTIALS");
    assert_eq!(offered.count("oauth_states").await, 1);
}

#[tokio::test]
async fn other_devices_are_told_of_what_was_linked_now_and_when_they_come_back() {
    let offered = Offered::new().await;
    let alice = offered.server().register("alice").await;
    let elsewhere = Actor::log_in(offered.server().address, "alice").await;
    offered.server().database.settle().await;
    let cursor = elsewhere.query("{ viewer { eventsCursor } }").await.data("viewer")["eventsCursor"].clone();
    let listen = "subscription($after: String) { viewerEvents(after: $after) { isCaughtUp events {
        ... on ViewerChangedEvent { viewer { oauthAccounts { label } } } } } }";
    let mut socket = elsewhere.socket().await;
    let mut live = socket.run(listen, json!({}));
    live.next().await;
    offered.link(&alice, "github", &Person::new(1, "cat")).await.data("completeOAuth");
    // Its bell rings too, before or after.
    let tells = |told: Value| {
        let events = told["viewerEvents"]["events"].as_array().unwrap();
        events.iter().any(|event| event["viewer"]["oauthAccounts"] == json!([{ "label": "cat" }]))
    };
    while !tells(live.next().await) {}
    let mut away = socket.run(listen, json!({ "after": cursor }));
    while !tells(away.next().await) {}
}

#[tokio::test]
async fn whoever_signs_in_elsewhere_alone_leaves_as_soon_as_they_have_come() {
    let offered = Offered::new().await;
    offered.server().register("ruth").await;
    let cat = Person::new(1, "cat");
    let alice = offered.who(&offered.sign_in("github", &cat).await);
    let delete = async |actor: &Actor| {
        let delete = "mutation { deleteAccount(input: {}) { userId } }";
        actor.query(delete).await
    };
    offered.server().clock.advance(TimeDelta::minutes(11));
    assert_eq!(delete(&alice).await.code(), "INVALID_CREDENTIALS");
    let again = offered.who(&offered.sign_in("github", &cat).await);
    assert_eq!(delete(&again).await.data("deleteAccount")["userId"], json!(alice.id));
    assert_eq!((offered.count("oauth_accounts").await, offered.count("oauth_states").await), (0, 0));
    // Who comes back is somebody new.
    let back = offered.sign_in("github", &cat).await;
    assert_eq!(back.data("completeOAuth")["isNewUser"], true);
    assert_ne!(offered.who(&back).id, alice.id);
}

#[tokio::test]
async fn nobody_is_left_without_a_way_in() {
    let offered = Offered::new().await;
    let cat = Person::new(1, "cat");
    let alice = offered.who(&offered.sign_in("github", &cat).await);
    let first = links(&alice).await.remove(0);
    let answer = unlink(&alice, &first, None).await;
    assert_eq!(answer.code(), "FAILED_PRECONDITION");
    assert_eq!(answer.0["errors"][0]["extensions"]["reason"], json!("ONLY_WAY_IN"));
    let trip = begin(&alice, json!({ "provider": "work", "purpose": "LINK" })).await;
    offered.come_back(&alice, &trip, &Person::new(2, "dog")).await.data("completeOAuth");
    // Of both at once, one stays.
    let inputs: Vec<Value> = links(&alice).await.iter().map(|id| json!({ "oauthAccountId": id })).collect();
    let (right, wrong) = race(&[alice.clone(), alice.clone()], UNLINK, &inputs).await;
    assert_eq!((right, wrong), (1, vec!["FAILED_PRECONDITION".to_owned()]));
    assert_eq!(links(&alice).await.len(), 1);
}
