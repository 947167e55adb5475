//! Passwords that were forgotten, changed, or stolen.

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::harness::IS_IT_YOURS;

const NEW: &str = "vrolijke fietsbel onder water";
const OTHER: &str = "elf groene paraplu's op zondag";
const LETTER: &str = "Set a new password";
const REQUEST: &str =
    "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { retryAfter } }";
const RESET: &str = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { revokedSessionCount } }";
const CHANGE: &str =
    "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { viewer { hasPassword } } }";
const REFRESH: &str = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { session { id } } }";

/// The token of the letter that somebody asks for.
async fn letter(world: &World, number: usize) -> String {
    ask(&world.server.anonymous(), REQUEST, json!({ "email": "Alice@example.org" })).await.data("requestPasswordReset");
    world.mails.letter(number, "alice@example.org", LETTER).await.token()
}

async fn reset(world: &World, token: &str, password: &str) -> Answer {
    ask(&world.server.anonymous(), RESET, json!({ "token": token, "password": password })).await
}

async fn change(actor: &Actor, from: &str, to: &str) -> Answer {
    ask(actor, CHANGE, json!({ "currentPassword": from, "newPassword": to })).await
}

#[tokio::test]
async fn who_forgot_it_sets_a_new_one_by_mail_and_all_sessions_end() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    let mallory = Actor::log_in(world.server.address, "alice").await;
    let mut socket = mallory.socket().await;
    let token = letter(&world, 1).await;
    let text = world.mails.letter(1, "alice@example.org", LETTER).await.text();
    assert!(text.contains("Hello alice,"), "{text}");
    assert!(text.contains(&format!("https://chat.example.org/reset-password?token={token}\n")), "{text}");

    let done = reset(&world, &token, NEW).await.data("resetPassword");
    assert_eq!(done["revokedSessionCount"], 2);
    for session in [&alice, &mallory] {
        assert!(!is_signed_in(session).await);
        let refreshed = ask(&world.server.anonymous(), REFRESH, json!({ "refreshToken": session.refresh_token })).await;
        assert_eq!(refreshed.code(), "UNAUTHENTICATED");
    }
    assert_eq!(socket.closed().await, 4401);
    assert_eq!(world.log_in("alice", PASSWORD).await.code(), "INVALID_CREDENTIALS");
    let again = world.log_in("alice", NEW).await.data("login");
    assert_eq!(reset(&world, &token, OTHER).await.code(), "TOKEN_INVALID");

    let told = "Your password was set anew, by a link that was mailed to you";
    world.mails.letter(1, "alice@example.org", told).await;
    let token = again["tokens"]["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(world.bell(&Actor::new(world.server.address, Some(token))).await, [told]);
}

#[tokio::test]
async fn who_is_signed_in_stays_where_they_are() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    let elsewhere = Actor::log_in(world.server.address, "alice").await;
    let bob = world.server.register("bob").await;
    let token = letter(&world, 1).await;
    let done = ask(&alice, RESET, json!({ "token": token, "password": NEW })).await.data("resetPassword");
    assert_eq!(done["revokedSessionCount"], 1);
    assert!(is_signed_in(&alice).await && !is_signed_in(&elsewhere).await);
    // Somebody else's session is no reason.
    world.server.clock.advance(TimeDelta::seconds(61));
    let token = letter(&world, 2).await;
    let done = ask(&bob, RESET, json!({ "token": token, "password": OTHER })).await.data("resetPassword");
    assert_eq!(done["revokedSessionCount"], 1);
    assert!(!is_signed_in(&alice).await && is_signed_in(&bob).await);
}

#[tokio::test]
async fn the_answer_and_the_work_are_the_same_for_every_address() {
    every_address_costs_the_same(REQUEST, "requestPasswordReset").await;

    // An address that nobody has proven may be mistyped, and the account somebody else's.
    let world = World::new().await;
    world.proven("alice").await;
    world.server.register("bob").await;
    for email in ["bob@example.org", "nobody@example.org", "alice@example.org"] {
        ask(&world.server.anonymous(), REQUEST, json!({ "email": email })).await.data("requestPasswordReset");
    }
    world.settled().await;
    let letters = world.mails.taken();
    let letters: Vec<_> = letters.iter().filter(|mail| mail.read().subject() == Some(LETTER)).collect();
    assert_eq!(letters.iter().flat_map(|mail| &mail.to).collect::<Vec<_>>(), ["alice@example.org"]);
}

#[tokio::test]
async fn of_two_who_bring_the_same_link_at_once_one_sets_the_password() {
    let world = World::new().await;
    world.proven("alice").await;
    let token = letter(&world, 1).await;
    let inputs = [NEW, OTHER, NEW].map(|password| json!({ "token": token, "password": password }));
    let people = vec![world.server.anonymous(); 3];
    let (right, wrong) = race(&people, RESET, &inputs).await;
    assert_eq!((right, wrong), (1, vec!["TOKEN_INVALID".to_owned(); 2]));
}

#[tokio::test]
async fn a_link_is_good_for_an_hour_and_for_its_own_purpose() {
    let world = World::new().await;
    let alice = world.server.register("alice").await;
    let proof = world.mails.letter(1, "alice@example.org", IS_IT_YOURS).await.token();
    assert_eq!(reset(&world, &proof, NEW).await.code(), "TOKEN_INVALID");
    alice.prove_address(&world.mails).await;
    let first = letter(&world, 1).await;
    let verify = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }";
    assert_eq!(ask(&alice, verify, json!({ "token": first })).await.code(), "TOKEN_INVALID");
    world.server.clock.advance(TimeDelta::minutes(61));
    assert_eq!(reset(&world, &first, NEW).await.code(), "TOKEN_INVALID");
    let second = letter(&world, 2).await;
    // One that is too weak spends nothing.
    assert_eq!(reset(&world, &second, "alice12345").await.wrong_fields(), ["input.password NOT_ALLOWED"]);
    assert_eq!(reset(&world, &second, "short").await.wrong_fields(), ["input.password TOO_SHORT"]);
    reset(&world, &second, NEW).await.data("resetPassword");
    for wrong in ["", "forged", "\0", &"A".repeat(43), &"A".repeat(100_000)] {
        assert_eq!(reset(&world, wrong, NEW).await.code(), "TOKEN_INVALID");
    }
}

#[tokio::test]
async fn who_changes_the_password_puts_everybody_else_out() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    let mallory = Actor::log_in(world.server.address, "alice").await;
    let link = letter(&world, 1).await;
    world.settled().await;
    let before = world.server.database.contents().await;
    for wrong in ["not the password", "", &"x".repeat(100_000)] {
        assert_eq!(change(&mallory, wrong, NEW).await.code(), "INVALID_CREDENTIALS");
    }
    for (weak, fault) in [("short", "TOO_SHORT"), ("alice@example.org", "NOT_ALLOWED"), ("1234567890", "NOT_ALLOWED")] {
        let fields = change(&alice, PASSWORD, weak).await.wrong_fields();
        assert_eq!(fields, [format!("input.newPassword {fault}")]);
    }
    assert_eq!(world.server.database.contents().await, before);

    change(&alice, PASSWORD, NEW).await.data("changePassword");
    assert!(is_signed_in(&alice).await && !is_signed_in(&mallory).await);
    assert_eq!(world.log_in("alice", PASSWORD).await.code(), "INVALID_CREDENTIALS");
    world.log_in("alice", NEW).await.data("login");
    assert_eq!(reset(&world, &link, OTHER).await.code(), "TOKEN_INVALID", "mailed before");
    world.mails.letter(1, "alice@example.org", "Your password was changed").await;
    assert_eq!(world.bell(&alice).await, ["Your password was changed"]);

    // Unless they say otherwise.
    let token = world.log_in("alice", NEW).await.data("login")["tokens"]["accessToken"].as_str().unwrap().to_owned();
    let telephone = alice.with_token(token);
    let input = json!({ "currentPassword": NEW, "newPassword": OTHER, "revokesOtherSessions": false });
    ask(&alice, CHANGE, input).await.data("changePassword");
    assert!(is_signed_in(&telephone).await);
}

#[tokio::test]
async fn of_two_tabs_that_change_it_at_once_one_does() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    let inputs = [NEW, OTHER]
        .map(|new| json!({ "currentPassword": PASSWORD, "newPassword": new, "revokesOtherSessions": false }));
    let (right, wrong) = race(&[alice.clone(), alice], CHANGE, &inputs).await;
    assert_eq!((right, wrong), (1, vec!["INVALID_CREDENTIALS".to_owned()]));
}

/// Who has the old password and a session changes it at the same moment as its owner: one of the two is out for good.
#[tokio::test]
async fn of_two_sessions_that_change_it_at_once_one_stays() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    let mallory = Actor::log_in(world.server.address, "alice").await;
    let inputs = [NEW, OTHER].map(|new| json!({ "currentPassword": PASSWORD, "newPassword": new }));
    let (right, _) = race(&[alice.clone(), mallory.clone()], CHANGE, &inputs).await;
    assert_eq!(right, 1);
    assert_ne!(is_signed_in(&alice).await, is_signed_in(&mallory).await);
}

#[tokio::test]
async fn nobody_signs_in_with_the_old_password_while_it_is_changed() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    let sign_in = async |_: usize| world.log_in("alice", PASSWORD).await;
    let (changed, answers) = futures_util::join!(change(&alice, PASSWORD, NEW), join_all((0..6).map(sign_in)));
    changed.data("changePassword");
    for answer in answers.iter().filter(|answer| answer.0.get("errors").is_none()) {
        let token = answer.data("login")["tokens"]["accessToken"].as_str().unwrap().to_owned();
        assert!(!is_signed_in(&alice.with_token(token)).await, "whoever was faster is out again");
    }
}

#[tokio::test]
async fn a_password_that_is_easy_to_guess_is_refused_from_the_start() {
    let world = World::new().await;
    let register = "mutation($input: RegisterInput!) { register(input: $input) { session { id } } }";
    for weak in ["wolfgang1234", "wolfgang@example.org", "qwertyuiop1", "PASSWORD123!", "aaaaaaaaaaaa"] {
        let input = json!({ "email": "wolfgang@example.org", "username": "wolfgang", "password": weak });
        let answer = ask(&world.server.anonymous(), register, input).await;
        assert_eq!(answer.wrong_fields(), ["input.password NOT_ALLOWED"], "{weak}");
        let params = &answer.0["errors"][0]["extensions"]["fields"][0]["params"];
        assert!(params["reason"] == "BREACHED" || params["reason"] == "GUESSABLE", "{params}");
    }
    assert_eq!(world.server.database.count("SELECT count(*) FROM users").await, 0);
}

#[tokio::test]
async fn who_knew_the_old_password_has_left_nothing_to_come_back_by() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    let mallory = Actor::log_in(world.server.address, "alice").await;
    let change_email = "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { viewer { id } } }";
    let input = json!({ "email": "mallory@example.org", "currentPassword": PASSWORD });
    ask(&mallory, change_email, input).await.data("changeEmail");
    let back = world.mails.letter(1, "mallory@example.org", IS_IT_YOURS).await.token();
    let link = letter(&world, 1).await;
    reset(&world, &link, NEW).await.data("resetPassword");
    let verify = "mutation($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }";
    assert_eq!(ask(&world.server.anonymous(), verify, json!({ "token": back })).await.code(), "TOKEN_INVALID");
    // Nor by asking for another letter.
    world.server.clock.advance(TimeDelta::seconds(61));
    let request = "mutation($input: RequestEmailVerificationInput!) { requestEmailVerification(input: $input) {
        retryAfter } }";
    let input = json!({ "email": "mallory@example.org" });
    ask(&world.server.anonymous(), request, input).await.data("requestEmailVerification");
    world.settled().await;
    assert_eq!(world.mails.letters("mallory@example.org", IS_IT_YOURS).len(), 1);
    drop(alice);
}
