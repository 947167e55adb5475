//! A second factor, with a real authenticator's codes.

use chinwag::accounts::second_factor::drop_from;
use chrono::TimeDelta;
use serde_json::{Value, json};
use totp_rs::TOTP;

use super::*;

const BEGIN: &str = "mutation($input: BeginSecondFactorInput!) { beginSecondFactor(input: $input) {
    secret provisioningUrl } }";
const ENABLE: &str = "mutation($input: EnableSecondFactorInput!) { enableSecondFactor(input: $input) {
    recoveryCodes viewer { secondFactor { enabledAt recoveryCodeCount } } } }";
const DISABLE: &str = "mutation($input: DisableSecondFactorInput!) { disableSecondFactor(input: $input) {
    viewer { secondFactor { enabledAt } } } }";
const REGENERATE: &str = "mutation($input: RegenerateRecoveryCodesInput!) { regenerateRecoveryCodes(input: $input) {
    recoveryCodes viewer { secondFactor { recoveryCodeCount } } } }";
const ANSWER: &str = "mutation($input: AnswerSecondFactorInput!) { answerSecondFactor(input: $input) {
    viewer { user { username } secondFactor { recoveryCodeCount } } session { id clientName isCurrent }
    tokens { accessToken refreshToken } } }";
const FACTOR: &str = "{ viewer { secondFactor { enabledAt recoveryCodeCount } } }";

/// Somebody with an authenticator app.
pub(super) struct Owner {
    pub actor: Actor,
    pub app: TOTP,
    recovery_codes: Vec<String>,
}

impl World {
    pub(super) async fn with_factor(&self, name: &str) -> Owner {
        let actor = self.proven(name).await;
        let app = begin(&actor).await;
        let payload = ask(&actor, ENABLE, json!({ "code": self.code(&app, 0) })).await.data("enableSecondFactor");
        let recovery_codes = serde_json::from_value(payload["recoveryCodes"].clone()).unwrap();
        Owner { actor, app, recovery_codes }
    }

    /// What an app shows whose clock is so many seconds ahead of the server's.
    fn code(&self, app: &TOTP, ahead: i64) -> String {
        app.generate((self.server.clock.now().timestamp() + ahead).unsigned_abs())
    }

    /// The same, when the app shows a new code.
    pub(super) fn next_code(&self, app: &TOTP) -> String {
        self.server.clock.advance(TimeDelta::seconds(60));
        self.code(app, 0)
    }

    /// The first half of a sign-in.
    async fn challenge(&self, name: &str) -> String {
        let answer = self.log_in(name, PASSWORD).await;
        assert_eq!(answer.code(), "SECOND_FACTOR_REQUIRED");
        answer.0["errors"][0]["extensions"]["challenge"].as_str().unwrap().to_owned()
    }

    pub(super) async fn answer(&self, challenge: &str, code: &str) -> Answer {
        ask(&self.server.anonymous(), ANSWER, json!({ "challenge": challenge, "code": code })).await
    }

    /// A code that no app shows.
    fn wrong_code(&self, app: &TOTP) -> String {
        let right: Vec<String> = (-2..=2).map(|step| self.code(app, step * 30)).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !right.contains(code)).unwrap()
    }
}

async fn begin(actor: &Actor) -> TOTP {
    let begun = ask(actor, BEGIN, json!({ "currentPassword": PASSWORD })).await.data("beginSecondFactor");
    let app = TOTP::from_url(begun["provisioningUrl"].as_str().unwrap()).unwrap();
    assert_eq!(app.get_secret_base32(), begun["secret"]);
    app
}

async fn factor(of: &Actor) -> Value {
    of.query(FACTOR).await.data("viewer")["secondFactor"].clone()
}

#[tokio::test]
async fn signing_in_takes_a_code_once_it_was_set_up() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    assert_eq!(factor(&alice).await, json!(null));
    let app = begin(&alice).await;
    assert_eq!((app.issuer.as_deref(), app.account_name.as_str()), (Some("chat.example.org"), "alice"));
    // It is not in force yet.
    assert_eq!(factor(&alice).await, json!(null));
    world.log_in("alice", PASSWORD).await.data("login");
    let payload = ask(&alice, ENABLE, json!({ "code": world.code(&app, 0) })).await.data("enableSecondFactor");
    assert_eq!(payload["recoveryCodes"].as_array().unwrap().len(), 10);
    assert_eq!(payload["viewer"]["secondFactor"]["recoveryCodeCount"], 10);
    let enabled = "Signing in to your account takes a second factor now";
    world.mails.letter(1, "alice@example.org", enabled).await;
    assert_eq!(world.bell(&alice).await, [enabled]);

    assert_eq!(world.log_in("alice", "not the password").await.code(), "INVALID_CREDENTIALS");
    let challenge = world.challenge("alice").await;
    let signed_in = world.answer(&challenge, &world.next_code(&app)).await.data("answerSecondFactor");
    assert_eq!(signed_in["viewer"]["user"]["username"], "alice");
    assert_eq!(
        (&signed_in["session"]["clientName"], &signed_in["session"]["isCurrent"]),
        (&json!("A browser"), &json!(true))
    );
    assert!(is_signed_in(&alice.with_token(signed_in["tokens"]["accessToken"].as_str().unwrap().into())).await);
    // A challenge is answered once.
    assert_eq!(world.answer(&challenge, &world.next_code(&app)).await.code(), "TOKEN_INVALID");
}

#[tokio::test]
async fn a_code_is_taken_once() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    // Mallory looks over her shoulder.
    let code = world.next_code(&owner.app);
    let (first, second) = (world.challenge("alice").await, world.challenge("alice").await);
    world.answer(&first, &code).await.data("answerSecondFactor");
    assert_eq!(world.answer(&second, &code).await.code(), "INVALID_CREDENTIALS");
    assert_eq!(ask(&owner.actor, DISABLE, json!({ "code": code })).await.code(), "INVALID_CREDENTIALS");
    // Nor is one from before it.
    assert_eq!(world.answer(&second, &world.code(&owner.app, -30)).await.code(), "INVALID_CREDENTIALS");
    world.answer(&second, &world.next_code(&owner.app)).await.data("answerSecondFactor");
}

#[tokio::test]
async fn of_two_tabs_that_answer_at_once_one_is_signed_in() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    let sessions = "SELECT count(*) FROM sessions";
    let before = world.server.database.count(sessions).await;
    let people = vec![world.server.anonymous(); 3];
    let challenge = world.challenge("alice").await;
    let same = json!({ "challenge": challenge, "code": world.next_code(&owner.app) });
    let (right, wrong) = race(&people, ANSWER, &vec![same; 3]).await;
    assert_eq!((right, wrong), (1, vec!["TOKEN_INVALID".to_owned(); 2]));
    // And of two sign-ins that bring the same code.
    let code = world.next_code(&owner.app);
    let mut inputs = Vec::new();
    for _ in 0..3 {
        inputs.push(json!({ "challenge": world.challenge("alice").await, "code": code }));
    }
    let (right, wrong) = race(&people, ANSWER, &inputs).await;
    assert_eq!((right, wrong), (1, vec!["INVALID_CREDENTIALS".to_owned(); 2]));
    assert_eq!(world.server.database.count(sessions).await, before + 2);
    let recovery = &owner.recovery_codes[0];
    let mut inputs = Vec::new();
    for _ in 0..3 {
        inputs.push(json!({ "challenge": world.challenge("alice").await, "code": recovery }));
    }
    let (right, wrong) = race(&people, ANSWER, &inputs).await;
    assert_eq!((right, wrong), (1, vec!["INVALID_CREDENTIALS".to_owned(); 2]));
}

#[tokio::test]
async fn whoever_answers_waits_for_the_account_with_nothing_of_it_in_hand() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    let challenge = world.challenge("alice").await;
    let (code, database) = (world.next_code(&owner.app), &world.server.database);
    world.settled().await;
    let holding = database.hold("SELECT FROM accounts FOR UPDATE").await;
    let answering = world.answer(&challenge, &code);
    tokio::pin!(answering);
    tokio::select! {
        _ = &mut answering => panic!("the account is held"),
        () = database.until_somebody_waits() => {}
    }
    database.execute("SELECT FROM second_factors FOR UPDATE NOWAIT").await;
    database.execute("SELECT FROM sign_in_challenges FOR UPDATE NOWAIT").await;
    drop(holding);
    answering.await.data("answerSecondFactor");
}

#[tokio::test]
async fn who_has_lost_the_telephone_gets_in_by_a_recovery_code_once() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    let code = &owner.recovery_codes[3];
    let challenge = world.challenge("alice").await;
    // As people write it down.
    let written = format!(" {} ", code.to_uppercase().replace('-', " "));
    let signed_in = world.answer(&challenge, &written).await.data("answerSecondFactor");
    assert_eq!(signed_in["viewer"]["secondFactor"]["recoveryCodeCount"], 9);
    let told = "A recovery code of your account was used";
    world.mails.letter(1, "alice@example.org", told).await;
    assert_eq!(world.bell(&owner.actor).await[0], told);
    let challenge = world.challenge("alice").await;
    assert_eq!(world.answer(&challenge, code).await.code(), "INVALID_CREDENTIALS");
    // New ones put an end to the old ones.
    let payload = ask(&owner.actor, REGENERATE, json!({ "code": owner.recovery_codes[0] })).await;
    let payload = payload.data("regenerateRecoveryCodes");
    assert_eq!(payload["viewer"]["secondFactor"]["recoveryCodeCount"], 10);
    world.mails.letter(1, "alice@example.org", "New recovery codes were made for your account").await;
    assert_eq!(world.answer(&challenge, &owner.recovery_codes[1]).await.code(), "INVALID_CREDENTIALS");
    let new = payload["recoveryCodes"][0].as_str().unwrap();
    world.answer(&challenge, new).await.data("answerSecondFactor");
}

#[tokio::test]
async fn clocks_may_differ_by_half_a_minute() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    for ahead in [-30, 30] {
        world.server.clock.advance(TimeDelta::seconds(120));
        let challenge = world.challenge("alice").await;
        world.answer(&challenge, &world.code(&owner.app, ahead)).await.data("answerSecondFactor");
    }
    for ahead in [-90, 90, 3600] {
        world.server.clock.advance(TimeDelta::seconds(120));
        let challenge = world.challenge("alice").await;
        let answer = world.answer(&challenge, &world.code(&owner.app, ahead)).await;
        assert_eq!(answer.code(), "INVALID_CREDENTIALS", "{ahead}");
    }
}

#[tokio::test]
async fn who_guesses_has_to_wait_and_its_owner_still_gets_in() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    world.server.clock.advance(TimeDelta::seconds(60));
    let challenge = world.challenge("alice").await;
    let wrong = world.wrong_code(&owner.app);
    for _ in 0..5 {
        assert_eq!(world.answer(&challenge, &wrong).await.code(), "INVALID_CREDENTIALS");
    }
    // By another challenge too, and in a session.
    let challenge = world.challenge("alice").await;
    let answer = world.answer(&challenge, &world.code(&owner.app, 0)).await;
    assert_eq!(answer.code(), "RATE_LIMITED");
    let wait = answer.0["errors"][0]["extensions"]["retryAfterMs"].as_i64().unwrap();
    assert!((1..=30_000).contains(&wait), "{wait}");
    let code = json!({ "code": world.code(&owner.app, 0) });
    assert_eq!(ask(&owner.actor, DISABLE, code).await.code(), "RATE_LIMITED");
    // She has what nobody guesses.
    world.answer(&challenge, &owner.recovery_codes[0]).await.data("answerSecondFactor");
    world.server.clock.advance(TimeDelta::seconds(31));
    let challenge = world.challenge("alice").await;
    assert_eq!(world.answer(&challenge, &world.wrong_code(&owner.app)).await.code(), "INVALID_CREDENTIALS");
    world.server.clock.advance(TimeDelta::seconds(31));
    assert_eq!(world.answer(&challenge, &world.code(&owner.app, 0)).await.code(), "RATE_LIMITED", "longer each time");
    world.server.clock.advance(TimeDelta::seconds(31));
    world.answer(&challenge, &world.code(&owner.app, 0)).await.data("answerSecondFactor");
    // A right one makes it good.
    let challenge = world.challenge("alice").await;
    assert_eq!(world.answer(&challenge, &world.wrong_code(&owner.app)).await.code(), "INVALID_CREDENTIALS");
    world.answer(&challenge, &world.next_code(&owner.app)).await.data("answerSecondFactor");
}

#[tokio::test]
async fn a_challenge_is_good_for_five_minutes_and_not_after_a_new_password() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    let bob = world.with_factor("bob").await;
    let old = world.challenge("alice").await;
    world.server.clock.advance(TimeDelta::seconds(301));
    assert_eq!(world.answer(&old, &world.code(&owner.app, 0)).await.code(), "TOKEN_INVALID");
    let challenge = world.challenge("alice").await;
    assert_eq!(world.answer(&challenge, &world.code(&bob.app, 0)).await.code(), "INVALID_CREDENTIALS");
    assert_eq!(world.answer(&challenge, &bob.recovery_codes[0]).await.code(), "INVALID_CREDENTIALS");
    for forged in ["", "\0", &"A".repeat(43), &"x".repeat(100_000)] {
        assert_eq!(world.answer(forged, &world.code(&owner.app, 0)).await.code(), "TOKEN_INVALID");
    }
    for code in ["", "\0", "12345", "１２３４５６", &"0".repeat(100_000)] {
        assert_eq!(world.answer(&challenge, code).await.code(), "INVALID_CREDENTIALS");
    }
    let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { viewer { id } } }";
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "vrolijke fietsbel onder water" });
    ask(&owner.actor, change, input).await.data("changePassword");
    assert_eq!(world.answer(&challenge, &world.code(&owner.app, 0)).await.code(), "TOKEN_INVALID");
}

#[tokio::test]
async fn setting_it_up_takes_the_password_and_is_not_left_lying_about() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    for wrong in [json!(null), json!("not the password")] {
        assert_eq!(ask(&alice, BEGIN, json!({ "currentPassword": wrong })).await.code(), "INVALID_CREDENTIALS");
    }
    let reason = |answer: Answer| {
        assert_eq!(answer.code(), "FAILED_PRECONDITION");
        answer.0["errors"][0]["extensions"]["reason"].clone()
    };
    let nothing = ask(&alice, ENABLE, json!({ "code": "123456" })).await;
    assert_eq!(reason(nothing), "SECOND_FACTOR_NOT_BEGUN");
    let first = begin(&alice).await;
    let second = begin(&alice).await;
    assert_eq!(ask(&alice, ENABLE, json!({ "code": world.code(&first, 0) })).await.code(), "INVALID_CREDENTIALS");
    // A recovery code is none yet.
    assert_eq!(ask(&alice, ENABLE, json!({ "code": "00000-00000" })).await.code(), "INVALID_CREDENTIALS");
    world.server.clock.advance(TimeDelta::minutes(61));
    let alice = Actor::log_in(world.server.address, "alice").await;
    let stale = ask(&alice, ENABLE, json!({ "code": world.code(&second, 0) })).await;
    assert_eq!(reason(stale), "SECOND_FACTOR_NOT_BEGUN");
    let app = begin(&alice).await;
    let enable = json!({ "code": world.code(&app, 0) });
    // In two tabs at once.
    let (right, wrong) = race(&[alice.clone(), alice.clone()], ENABLE, &[enable.clone(), enable]).await;
    assert_eq!((right, wrong), (1, vec!["FAILED_PRECONDITION".to_owned()]));
    let again = ask(&alice, BEGIN, json!({ "currentPassword": PASSWORD })).await;
    assert_eq!(reason(again), "SECOND_FACTOR_IS_ON");
    let again = ask(&alice, ENABLE, json!({ "code": world.next_code(&app) })).await;
    assert_eq!(reason(again), "SECOND_FACTOR_NOT_BEGUN");
}

#[tokio::test]
async fn it_is_switched_off_by_a_code_and_by_nothing_else() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    world.settled().await;
    let before = world.server.database.contents().await;
    for wrong in ["", "not a code", "zzzzz-zzzzz", PASSWORD] {
        assert_eq!(ask(&owner.actor, DISABLE, json!({ "code": wrong })).await.code(), "INVALID_CREDENTIALS");
        assert_eq!(ask(&owner.actor, REGENERATE, json!({ "code": wrong })).await.code(), "INVALID_CREDENTIALS");
    }
    assert_eq!(world.server.database.contents().await, before);
    let payload = ask(&owner.actor, DISABLE, json!({ "code": world.next_code(&owner.app) })).await;
    assert_eq!(payload.data("disableSecondFactor")["viewer"]["secondFactor"], json!(null));
    world.log_in("alice", PASSWORD).await.data("login");
    let disabled = "Signing in to your account takes no second factor any more";
    world.mails.letter(1, "alice@example.org", disabled).await;
    assert_eq!(world.bell(&owner.actor).await[0], disabled);
    let kept = "SELECT (SELECT count(*) FROM second_factors) + (SELECT count(*) FROM recovery_codes)";
    assert_eq!(world.server.database.count(kept).await, 0);
    let again = ask(&owner.actor, DISABLE, json!({ "code": owner.recovery_codes[0] })).await;
    assert_eq!(again.code(), "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn nothing_in_the_database_opens_an_account() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    let challenge = world.challenge("alice").await;
    let request = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { retryAfter } }";
    ask(&owner.actor, request, json!({ "email": "alice@example.org" })).await.data("requestPasswordReset");
    let link = world.mails.letter(1, "alice@example.org", "Set a new password").await.token();
    world.settled().await;
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
    let mut kept = String::new();
    for table in world.server.database.rows(tables).await {
        for row in world.server.database.rows(&format!("SELECT row::text FROM {} AS row", table[0])).await {
            kept += &row[0].to_lowercase();
        }
    }
    assert!(kept.contains("alice@example.org"));
    let secret = owner.app.secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let codes = owner.recovery_codes.iter().map(|code| code.replace('-', ""));
    let words =
        codes.chain(owner.recovery_codes.clone()).chain([secret, owner.app.get_secret_base32(), challenge, link]);
    for word in words {
        assert!(!kept.contains(&word.to_lowercase()), "{word} is kept");
    }
}

#[tokio::test]
async fn a_password_that_was_reset_still_takes_the_second_factor() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    let request = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { retryAfter } }";
    ask(&owner.actor, request, json!({ "email": "alice@example.org" })).await.data("requestPasswordReset");
    let token = world.mails.letter(1, "alice@example.org", "Set a new password").await.token();
    let reset = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { revokedSessionCount } }";
    let new = "vrolijke fietsbel onder water";
    let input = json!({ "token": token, "password": new });
    ask(&world.server.anonymous(), reset, input).await.data("resetPassword");
    let answer = world.log_in("alice", new).await;
    assert_eq!(answer.code(), "SECOND_FACTOR_REQUIRED");
    let challenge = answer.0["errors"][0]["extensions"]["challenge"].as_str().unwrap().to_owned();
    world.answer(&challenge, &world.next_code(&owner.app)).await.data("answerSecondFactor");
}

#[tokio::test]
async fn who_has_no_password_proves_it_by_a_session_that_has_just_begun() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    world.server.database.execute("UPDATE accounts SET password_hash = NULL").await;
    ask(&alice, BEGIN, json!({})).await.data("beginSecondFactor");
    // However often it is refreshed.
    world.server.clock.advance(TimeDelta::minutes(11));
    let refresh = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { tokens { accessToken } } }";
    let input = json!({ "refreshToken": alice.refresh_token });
    let tokens = ask(&world.server.anonymous(), refresh, input).await.data("refreshSession")["tokens"].clone();
    let alice = alice.with_token(tokens["accessToken"].as_str().unwrap().to_owned());
    assert_eq!(ask(&alice, BEGIN, json!({})).await.code(), "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn an_operator_lets_in_who_has_lost_everything() {
    let world = World::new().await;
    let owner = world.with_factor("alice").await;
    assert!(drop_from(&world.server.app, "Alice").await.unwrap());
    assert!(!drop_from(&world.server.app, "alice").await.unwrap());
    assert!(drop_from(&world.server.app, "nobody").await.is_err());
    world.log_in("alice", PASSWORD).await.data("login");
    let disabled = "Signing in to your account takes no second factor any more";
    world.mails.letter(1, "alice@example.org", disabled).await;
    assert_eq!(world.bell(&owner.actor).await[0], disabled);
    let audited = "SELECT count(*) FROM audit_entries WHERE action = 'user.second_factor'";
    assert_eq!(world.server.database.count(audited).await, 1);
}
