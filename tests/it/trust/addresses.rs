//! Whose an address is.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::harness::IS_IT_YOURS;

const ADDRESS: &str = "{ viewer { email isEmailVerified pendingEmail } }";
const REQUEST: &str = "mutation($input: RequestEmailVerificationInput!) { requestEmailVerification(input: $input) {
    retryAfter } }";
const VERIFY: &str = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) {
    email viewer { email isEmailVerified } } }";
const CHANGE: &str = "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) {
    viewer { email isEmailVerified pendingEmail } } }";
const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) {
    viewer { user { id } } tokens { accessToken } } }";

async fn address(of: &Actor) -> Value {
    of.query(ADDRESS).await.data("viewer")
}

fn verified(email: &str) -> Value {
    json!({ "email": email, "isEmailVerified": true, "pendingEmail": null })
}

/// Somebody with an address of their choice.
async fn register_with(world: &World, name: &str, email: &str) -> Actor {
    let input = json!({ "email": email, "username": name, "password": PASSWORD });
    let payload = ask(&world.server.anonymous(), REGISTER, input).await.data("register");
    let token = payload["tokens"]["accessToken"].as_str().unwrap().to_owned();
    Actor::new(world.server.address, Some(token))
}

async fn change(actor: &Actor, email: &str) -> Answer {
    ask(actor, CHANGE, json!({ "email": email, "currentPassword": PASSWORD })).await
}

#[tokio::test]
async fn a_newcomer_proves_the_address_by_the_link_that_came_there() {
    let world = World::new().await;
    let alice = world.server.register("alice").await;
    let letter = world.mails.letter(1, "alice@example.org", IS_IT_YOURS).await;
    let text = letter.text();
    assert!(text.contains("the account alice on https://chat.example.org names alice@example.org"), "{text}");
    assert!(text.contains(&format!("https://chat.example.org/verify-email?token={}\n", letter.token())), "{text}");
    assert!(letter.html().contains(&letter.token()));
    assert_eq!(letter.header("List-Unsubscribe"), None);
    let unproven = json!({ "email": "alice@example.org", "isEmailVerified": false, "pendingEmail": null });
    assert_eq!(address(&alice).await, unproven);

    // On another device, where nobody is signed in.
    let input = json!({ "token": letter.token() });
    let payload = ask(&world.server.anonymous(), VERIFY, input.clone()).await.data("verifyEmail");
    assert_eq!(payload, json!({ "email": "alice@example.org", "viewer": null }));
    assert_eq!(address(&alice).await, verified("alice@example.org"));
    assert_eq!(ask(&alice, VERIFY, input).await.code(), "TOKEN_INVALID");
    for wrong in ["", "forged", "\0", &"A".repeat(43)] {
        assert_eq!(ask(&alice, VERIFY, json!({ "token": wrong })).await.code(), "TOKEN_INVALID", "{wrong:?}");
    }
    assert_eq!(world.bell(&alice).await, Vec::<String>::new(), "nothing was changed");
}

#[tokio::test]
async fn whoever_is_signed_in_sees_at_once_that_it_is_theirs() {
    let world = World::new().await;
    let (alice, bob) = (world.server.register("alice").await, world.server.register("bob").await);
    let hers = world.mails.letter(1, "alice@example.org", IS_IT_YOURS).await.token();
    let payload = ask(&bob, VERIFY, json!({ "token": hers })).await.data("verifyEmail");
    assert_eq!(payload["viewer"], json!(null), "it is not his");
    let his = world.mails.letter(1, "bob@example.org", IS_IT_YOURS).await.token();
    let payload = ask(&bob, VERIFY, json!({ "token": his })).await.data("verifyEmail");
    assert_eq!(payload["viewer"], json!({ "email": "bob@example.org", "isEmailVerified": true }));
    assert_eq!(address(&alice).await, verified("alice@example.org"));
}

#[tokio::test]
async fn who_proves_an_address_takes_it_from_all_who_only_named_it() {
    let world = World::new().await;
    let mallory = register_with(&world, "mallory", "alice@example.org").await;
    let carol = world.server.register("carol").await;
    change(&carol, "alice@example.org").await.data("changeEmail");
    world.settled().await;
    let alice = register_with(&world, "alice", "alice@example.org").await;
    let letters = world.mails.letter(3, "alice@example.org", IS_IT_YOURS).await;
    assert!(letters.text().contains("the account alice on"), "each names its account");
    ask(&alice, VERIFY, json!({ "token": letters.token() })).await.data("verifyEmail");
    assert_eq!(address(&alice).await, verified("alice@example.org"));
    let nothing = json!({ "email": null, "isEmailVerified": false, "pendingEmail": null });
    assert_eq!(address(&mallory).await, nothing);
    assert_eq!(address(&carol).await["pendingEmail"], json!(null));
    // What was mailed for the others is good for nothing any more.
    for letter in world.mails.letters("alice@example.org", IS_IT_YOURS) {
        let answer = ask(&mallory, VERIFY, json!({ "token": letter.token() })).await;
        assert_eq!(answer.code(), "TOKEN_INVALID");
    }
    let username = |answer: Answer| answer.data("login")["viewer"]["user"]["username"].clone();
    assert_eq!(username(world.log_in("alice@example.org", PASSWORD).await), "alice");
    assert_eq!(username(world.log_in("mallory", PASSWORD).await), "mallory");
    // And gets another one.
    change(&mallory, "mallory@example.org").await.data("changeEmail");
    let token = world.mails.letter(1, "mallory@example.org", IS_IT_YOURS).await.token();
    ask(&mallory, VERIFY, json!({ "token": token })).await.data("verifyEmail");
    assert_eq!(address(&mallory).await, verified("mallory@example.org"));
}

#[tokio::test]
async fn of_those_who_prove_it_at_once_one_has_it() {
    let world = World::new().await;
    let mut people = Vec::new();
    for name in ["alice", "mallory", "carol"] {
        people.push(register_with(&world, name, "us@example.org").await);
    }
    world.settled().await;
    let letters = world.mails.letters("us@example.org", IS_IT_YOURS);
    let tokens: Vec<_> = letters.iter().map(|letter| json!({ "token": letter.token() })).collect();
    assert_eq!(tokens.len(), 3);
    let (right, wrong) = race(&people, VERIFY, &tokens).await;
    assert_eq!((right, wrong), (1, vec!["TOKEN_INVALID".to_owned(); 2]));
    let owners = "SELECT count(*) FROM accounts WHERE email = 'us@example.org'";
    assert_eq!(world.server.database.count(owners).await, 1);
}

#[tokio::test]
async fn a_link_that_is_followed_twice_at_once_works_once() {
    let world = World::new().await;
    let alice = world.server.register("alice").await;
    let token = world.mails.letter(1, "alice@example.org", IS_IT_YOURS).await.token();
    let input = json!({ "token": token });
    let (right, wrong) = race(&vec![alice.clone(); 4], VERIFY, &vec![input; 4]).await;
    assert_eq!((right, wrong), (1, vec!["TOKEN_INVALID".to_owned(); 3]));
    assert_eq!(address(&alice).await, verified("alice@example.org"));
}

#[tokio::test]
async fn nobody_learns_by_asking_whether_an_address_is_known() {
    every_address_costs_the_same(REQUEST, "requestEmailVerification").await;

    // Only the one who has to be asked is.
    let world = World::new().await;
    assert_eq!(ask(&world.server.anonymous(), REQUEST, json!({})).await.code(), "UNAUTHENTICATED");
    world.proven("alice").await;
    world.server.register("bob").await;
    world.settled().await;
    world.server.clock.advance(TimeDelta::seconds(61));
    for email in ["alice@example.org", "bob@example.org", "nobody@example.org"] {
        ask(&world.server.anonymous(), REQUEST, json!({ "email": email })).await.data("requestEmailVerification");
    }
    world.settled().await;
    let letters = ["alice", "bob", "nobody"].map(|who| world.mails.letters(&format!("{who}@example.org"), IS_IT_YOURS));
    assert_eq!(letters.map(|letters| letters.len()), [1, 2, 0]);
}

#[tokio::test]
async fn the_letter_comes_again_but_not_all_the_time() {
    let world = World::new().await;
    let alice = world.server.register("alice").await;
    let first = world.mails.letter(1, "alice@example.org", IS_IT_YOURS).await.token();
    for _ in 0..3 {
        ask(&alice, REQUEST, json!({})).await.data("requestEmailVerification");
        ask(&world.server.anonymous(), REQUEST, json!({ "email": "alice@example.org" })).await;
    }
    world.settled().await;
    assert_eq!(world.mails.letters("alice@example.org", IS_IT_YOURS).len(), 1);
    world.server.clock.advance(TimeDelta::seconds(61));
    ask(&alice, REQUEST, json!({})).await.data("requestEmailVerification");
    world.mails.letter(2, "alice@example.org", IS_IT_YOURS).await;
    // Whichever of them she finds.
    ask(&alice, VERIFY, json!({ "token": first })).await.data("verifyEmail");
    // What is proven is not asked for again.
    world.server.clock.advance(TimeDelta::seconds(61));
    ask(&alice, REQUEST, json!({ "email": "alice@example.org" })).await.data("requestEmailVerification");
    world.settled().await;
    assert_eq!(world.mails.letters("alice@example.org", IS_IT_YOURS).len(), 2);
}

#[tokio::test]
async fn nobody_is_flooded_with_letters_of_strangers() {
    let world = World::new().await;
    let mallory = world.server.register("mallory").await;
    // Back and forth, so that each is asked for anew.
    for number in 0..30 {
        let email = if number % 2 == 0 { "victim@example.org" } else { "other@example.org" };
        change(&mallory, email).await.data("changeEmail");
        world.settled().await;
    }
    assert_eq!(world.mails.letters("victim@example.org", IS_IT_YOURS).len(), 1);
    for number in 0..12 {
        register_with(&world, &format!("mallory{number}"), "victim@example.org").await;
    }
    world.settled().await;
    assert_eq!(world.mails.letters("victim@example.org", IS_IT_YOURS).len(), 10);
}

#[tokio::test]
async fn nobody_floods_a_stranger_by_accounts_that_they_delete_again() {
    let world = World::new().await;
    // Somebody has to run the server.
    world.server.register("ruth").await;
    for number in 0..12 {
        let mallory = register_with(&world, &format!("mallory{number}"), "victim@example.org").await;
        let delete = "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { userId } }";
        ask(&mallory, delete, json!({ "currentPassword": PASSWORD })).await.data("deleteAccount");
    }
    let letters = "SELECT count(*) FROM jobs WHERE kind = 'mail'";
    world.server.database.until(letters, "0").await;
    assert_eq!(world.mails.letters("victim@example.org", IS_IT_YOURS).len(), 10);
    // And what was mailed proves nothing any more.
    let token = world.mails.letter(1, "victim@example.org", IS_IT_YOURS).await.token();
    assert_eq!(ask(&world.server.anonymous(), VERIFY, json!({ "token": token })).await.code(), "TOKEN_INVALID");
}

#[tokio::test]
async fn a_link_is_good_for_three_days() {
    let world = World::new().await;
    let (alice, bob) = (world.server.register("alice").await, world.server.register("bob").await);
    let hers = world.mails.letter(1, "alice@example.org", IS_IT_YOURS).await.token();
    let his = world.mails.letter(1, "bob@example.org", IS_IT_YOURS).await.token();
    world.server.clock.advance(TimeDelta::hours(71));
    ask(&world.server.anonymous(), VERIFY, json!({ "token": hers })).await.data("verifyEmail");
    world.server.clock.advance(TimeDelta::hours(2));
    let answer = ask(&world.server.anonymous(), VERIFY, json!({ "token": his })).await;
    assert_eq!(answer.code(), "TOKEN_INVALID");
    drop((alice, bob));
}

#[tokio::test]
async fn another_address_takes_effect_when_it_is_proven_and_the_one_before_is_told() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    let payload = change(&alice, "Alice.New@Example.org").await.data("changeEmail");
    let pending =
        json!({ "email": "alice@example.org", "isEmailVerified": true, "pendingEmail": "alice.new@example.org" });
    assert_eq!(payload["viewer"], pending);
    let begun = "Somebody asked to change the mail address of your account";
    let told = world.mails.letter(1, "alice@example.org", begun).await.text();
    assert!(told.contains("Hello alice,") && !told.contains("alice.new@example.org"), "{told}");
    // Until then she signs in, and resets her password, by the old one alone.
    world.log_in("alice@example.org", PASSWORD).await.data("login");
    assert_eq!(world.log_in("alice.new@example.org", PASSWORD).await.code(), "INVALID_CREDENTIALS");

    let token = world.mails.letter(1, "alice.new@example.org", IS_IT_YOURS).await.token();
    let payload = ask(&alice, VERIFY, json!({ "token": token })).await.data("verifyEmail");
    assert_eq!(payload["email"], "alice.new@example.org");
    assert_eq!(address(&alice).await, verified("alice.new@example.org"));
    let changed = "The mail address of your account was changed";
    world.mails.letter(1, "alice@example.org", changed).await;
    assert_eq!(world.bell(&alice).await, [changed, begun]);
    assert!(world.mails.letters("alice.new@example.org", changed).is_empty());
    world.log_in("alice.new@example.org", PASSWORD).await.data("login");
    assert_eq!(world.log_in("alice@example.org", PASSWORD).await.code(), "INVALID_CREDENTIALS");
    // The old one is anybody's now.
    let bob = register_with(&world, "bob", "alice@example.org").await;
    let token = world.mails.letter(2, "alice@example.org", IS_IT_YOURS).await.token();
    ask(&bob, VERIFY, json!({ "token": token })).await.data("verifyEmail");
}

#[tokio::test]
async fn that_an_address_is_taken_is_told_to_its_owner_alone() {
    let server = without_workers().await;
    let bob = Actor::log_in(server.address, "bob").await;
    let (taken, _) = server.statements(change(&bob, "alice@example.org")).await;
    let (free, _) = server.statements(change(&bob, "nobody@example.org")).await;
    assert_eq!(taken, free);

    let world = World::new().await;
    let (alice, mallory) = (world.proven("alice").await, world.proven("mallory").await);
    let mut answers = Vec::new();
    for email in ["alice@example.org", "nobody@example.org"] {
        answers.push(change(&mallory, email).await.data("changeEmail").to_string().replace(email, "it"));
        world.settled().await;
    }
    assert_eq!(answers[0], answers[1]);
    let taken = "Somebody wants to use your address";
    let letter = world.mails.letter(1, "alice@example.org", taken).await.text();
    assert!(letter.contains("Hello alice,") && !letter.contains("mallory"), "{letter}");
    // And not again and again.
    change(&mallory, "alice@example.org").await.data("changeEmail");
    world.settled().await;
    assert_eq!(world.mails.letters("alice@example.org", taken).len(), 1);
    assert_eq!(world.mails.letters("alice@example.org", IS_IT_YOURS).len(), 1, "that of her registration");
    // Once she has another one, it is free.
    change(&alice, "alice.new@example.org").await.data("changeEmail");
    let token = world.mails.letter(1, "alice.new@example.org", IS_IT_YOURS).await.token();
    ask(&alice, VERIFY, json!({ "token": token })).await.data("verifyEmail");
    ask(&mallory, REQUEST, json!({})).await.data("requestEmailVerification");
    let token = world.mails.letter(2, "alice@example.org", IS_IT_YOURS).await.token();
    ask(&mallory, VERIFY, json!({ "token": token })).await.data("verifyEmail");
    assert_eq!(address(&mallory).await, verified("alice@example.org"));
}

#[tokio::test]
async fn who_thinks_again_is_not_held_to_what_was_mailed_before() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    change(&alice, "first@example.org").await.data("changeEmail");
    let first = world.mails.letter(1, "first@example.org", IS_IT_YOURS).await.token();
    change(&alice, "second@example.org").await.data("changeEmail");
    let second = world.mails.letter(1, "second@example.org", IS_IT_YOURS).await.token();
    assert_eq!(ask(&alice, VERIFY, json!({ "token": first })).await.code(), "TOKEN_INVALID");
    // Back to what it is.
    change(&alice, "alice@example.org").await.data("changeEmail");
    assert_eq!(ask(&alice, VERIFY, json!({ "token": second })).await.code(), "TOKEN_INVALID");
    assert_eq!(address(&alice).await, verified("alice@example.org"));
}

#[tokio::test]
async fn an_address_that_nobody_has_proven_is_told_nothing() {
    let world = World::new().await;
    let alice = world.server.register("alice").await;
    change(&alice, "alice.new@example.org").await.data("changeEmail");
    let token = world.mails.letter(1, "alice.new@example.org", IS_IT_YOURS).await.token();
    ask(&alice, VERIFY, json!({ "token": token })).await.data("verifyEmail");
    assert_eq!(world.bell(&alice).await.len(), 2, "the bell rings all the same");
    let subjects: Vec<_> = world.mails.taken().iter().map(|mail| mail.read().subject().unwrap().to_owned()).collect();
    assert_eq!(subjects, [IS_IT_YOURS; 2]);
}

#[tokio::test]
async fn a_change_takes_the_password_and_a_session_that_goes_on() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    world.settled().await;
    let before = world.server.database.contents().await;
    for wrong in [json!(null), json!(""), json!("not the password"), json!("x".repeat(100_000))] {
        let input = json!({ "email": "mallory@example.org", "currentPassword": wrong });
        assert_eq!(ask(&alice, CHANGE, input).await.code(), "INVALID_CREDENTIALS");
    }
    let input = json!({ "email": "mallory", "currentPassword": PASSWORD });
    assert_eq!(ask(&alice, CHANGE, input).await.wrong_fields(), ["input.email BAD_FORMAT"]);
    assert_eq!(world.server.database.contents().await, before);
    // Who has no password proves it by a session that has just begun, once.
    world.server.database.execute("UPDATE accounts SET password_hash = NULL").await;
    ask(&alice, CHANGE, json!({ "email": "alice.new@example.org" })).await.data("changeEmail");
    let input = json!({ "email": "mallory@example.org", "currentPassword": PASSWORD });
    assert_eq!(ask(&alice, CHANGE, input).await.code(), "INVALID_CREDENTIALS");
    world.server.clock.advance(TimeDelta::minutes(11));
    let input = json!({ "email": "mallory@example.org" });
    assert_eq!(ask(&alice, CHANGE, input).await.code(), "INVALID_CREDENTIALS");
}
