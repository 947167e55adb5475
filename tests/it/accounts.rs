//! Registering, signing in, and sessions.

use chinwag::config::Config;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Actor, Ended, PASSWORD, TestServer};

const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) {
    viewer { id email isEmailVerified hasPassword user { username displayName role } session { id isCurrent } }
    session { id clientName isCurrent } tokens { accessToken refreshToken } } }";
const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { viewer { user { username } } } }";
const REFRESH: &str = "mutation($token: String) { refreshSession(input: { refreshToken: $token }) {
    session { id } tokens { accessToken refreshToken } } }";
const WHO: &str = "{ viewer { user { username role } } }";

fn newcomer(name: &str) -> Value {
    json!({ "email": format!("{name}@example.org"), "username": name, "password": PASSWORD })
}

async fn register(server: &TestServer, input: Value) -> crate::harness::Answer {
    server.anonymous().ask(REGISTER, json!({ "input": input })).await
}

async fn role_of(actor: &Actor) -> Value {
    actor.query(WHO).await.data("viewer")["user"]["role"].clone()
}

/// As a server that strangers reach.
fn public(config: &mut Config) {
    config.http.public_url = "https://chat.example.org".into();
}

#[tokio::test]
async fn a_newcomer_is_signed_in_within_the_same_request() {
    let server = TestServer::start().await;
    let mut input = newcomer("alice");
    input["displayName"] = json!("Alice");
    input["clientName"] = json!("Firefox on Linux");
    let payload = register(&server, input).await.data("register");
    assert_eq!(payload["viewer"]["user"], json!({ "username": "alice", "displayName": "Alice", "role": "ADMIN" }));
    assert_eq!(payload["viewer"]["email"], "alice@example.org");
    assert_eq!(payload["viewer"]["isEmailVerified"], false);
    assert_eq!(payload["session"]["clientName"], "Firefox on Linux");
    assert_eq!(payload["session"]["isCurrent"], true);
    assert_eq!(payload["viewer"]["session"]["id"], payload["session"]["id"]);
}

#[tokio::test]
async fn one_signs_in_by_name_or_address_in_any_case() {
    let server = TestServer::start().await;
    server.register("alice").await;
    for identifier in ["alice", "ALICE", "alice@example.org", " Alice@Example.org "] {
        let input = json!({ "identifier": identifier, "password": PASSWORD });
        let answer = server.anonymous().ask(LOGIN, json!({ "input": input })).await;
        assert_eq!(answer.data("login")["viewer"]["user"]["username"], "alice", "{identifier}");
    }
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let mut answers = Vec::new();
    for (identifier, password) in [("alice", "not the password"), ("nobody", PASSWORD), ("alice", ""), ("\0", "\0")] {
        let input = json!({ "identifier": identifier, "password": password });
        let answer = server.anonymous().ask(LOGIN, json!({ "input": input })).await;
        assert_eq!(answer.code(), "INVALID_CREDENTIALS");
        answers.push(answer.0["errors"][0]["message"].clone());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_name_belongs_to_one_an_unproven_address_to_nobody() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let mut input = newcomer("mallory");
    input["username"] = json!("Alice");
    assert_eq!(register(&server, input).await.code(), "CONFLICT");
    let mut input = newcomer("mallory");
    input["email"] = json!("alice@example.org");
    register(&server, input.clone()).await.data("register");
    // Once somebody has proven it, nobody else gets it.
    server
        .database
        .execute(
            "UPDATE accounts SET email_verified_at = created_at WHERE email = 'alice@example.org' AND \
        user_id = (SELECT id FROM users WHERE username = 'alice')",
        )
        .await;
    input["username"] = json!("mallory2");
    assert_eq!(register(&server, input).await.code(), "CONFLICT");
    // And signs in with it.
    let input = json!({ "identifier": "alice@example.org", "password": PASSWORD });
    let answer = server.anonymous().ask(LOGIN, json!({ "input": input })).await;
    assert_eq!(answer.data("login")["viewer"]["user"]["username"], "alice");
}

#[tokio::test]
async fn everything_wrong_with_a_registration_is_said_at_once() {
    let server = TestServer::start().await;
    let input = json!({ "email": "alice", "username": "a b", "password": "short", "displayName": "" });
    assert_eq!(
        register(&server, input).await.wrong_fields(),
        [
            "input.email BAD_FORMAT",
            "input.username BAD_FORMAT",
            "input.password TOO_SHORT",
            "input.displayName REQUIRED"
        ]
    );
    assert_eq!(server.database.count("SELECT count(*) FROM users").await, 0);
}

#[tokio::test]
async fn the_first_account_of_a_private_server_runs_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    assert_eq!(role_of(&alice).await, "ADMIN");
    assert_eq!(role_of(&bob).await, "USER");
    assert_eq!(server.database.count("SELECT count(*) FROM audit_entries WHERE action = 'user.role'").await, 1);
}

#[tokio::test]
async fn two_first_accounts_at_once_make_one_admin() {
    let server = TestServer::start().await;
    let names = ["alice", "bob", "carol", "dave"];
    futures_util::future::join_all(names.map(|name| server.register(name))).await;
    assert_eq!(server.database.count("SELECT count(*) FROM users WHERE role = 'ADMIN'").await, 1);
}

#[tokio::test]
async fn a_server_that_strangers_reach_gives_its_admin_role_for_the_setup_code_alone() {
    let server = TestServer::start_with(public).await;
    let alice = server.register("alice").await;
    assert_eq!(role_of(&alice).await, "USER");

    let server = TestServer::start_with(public).await;
    let mut wrong = newcomer("mallory");
    wrong["setupCode"] = json!("0000-0000-0000-0000-0000");
    assert_eq!(register(&server, wrong).await.code(), "TOKEN_INVALID");
    let mut right = newcomer("alice");
    right["setupCode"] = json!(server.app.keys.setup_code());
    let payload = register(&server, right).await.data("register");
    assert_eq!(payload["viewer"]["user"]["role"], "ADMIN");
    let mut again = newcomer("mallory");
    again["setupCode"] = json!(server.app.keys.setup_code());
    assert_eq!(register(&server, again).await.code(), "TOKEN_INVALID");
}

#[tokio::test]
async fn a_stranger_who_is_faster_does_not_lock_the_owner_out() {
    let server = TestServer::start_with(public).await;
    let mallory = server.register("mallory").await;
    let mut owner = newcomer("alice");
    owner["setupCode"] = json!(server.app.keys.setup_code());
    assert_eq!(register(&server, owner).await.data("register")["viewer"]["user"]["role"], "ADMIN");
    assert_eq!(role_of(&mallory).await, "USER");
}

#[tokio::test]
async fn an_operator_promotes_by_name() {
    let server = TestServer::start_with(public).await;
    let alice = server.register("alice").await;
    chinwag::users::promote(&server.app, "Alice", chinwag::users::ServerRole::Admin).await.unwrap();
    assert_eq!(role_of(&alice).await, "ADMIN");
    assert!(chinwag::users::promote(&server.app, "nobody", chinwag::users::ServerRole::Admin).await.is_err());
}

#[tokio::test]
async fn an_access_token_ends_and_a_refreshed_one_goes_on() {
    let server = TestServer::start().await;
    let mut alice = server.register("alice").await;
    server.clock.advance(TimeDelta::minutes(15));
    assert_eq!(alice.query(WHO).await.code(), "UNAUTHENTICATED");
    let answer = server.anonymous().ask(REFRESH, json!({ "token": alice.refresh_token })).await.data("refreshSession");
    alice.token = answer["tokens"]["accessToken"].as_str().map(str::to_owned);
    assert_eq!(alice.query(WHO).await.data("viewer")["user"]["username"], "alice");
}

async fn refresh(server: &TestServer, token: &Value) -> crate::harness::Answer {
    server.anonymous().ask(REFRESH, json!({ "token": token })).await
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_get_the_same_tokens() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let first = json!(alice.refresh_token);
    let second = refresh(&server, &first).await.data("refreshSession")["tokens"]["refreshToken"].clone();
    server.clock.advance(TimeDelta::seconds(50));
    let again = refresh(&server, &first).await.data("refreshSession")["tokens"]["refreshToken"].clone();
    assert_eq!(second, again);
    assert_ne!(first, second);
    // The successor is good for everything else.
    refresh(&server, &second).await.data("refreshSession");
}

#[tokio::test]
async fn a_spent_refresh_token_ends_its_session() {
    let server = TestServer::start().await;
    for wait in [TimeDelta::seconds(61), TimeDelta::zero()] {
        let alice = Actor::register(server.address, &format!("alice{}", wait.num_seconds())).await;
        let first = json!(alice.refresh_token);
        let second = refresh(&server, &first).await.data("refreshSession")["tokens"]["refreshToken"].clone();
        if wait.is_zero() {
            // The successor was used: whoever has the first one now is not its owner.
            refresh(&server, &second).await.data("refreshSession");
        } else {
            server.clock.advance(wait);
        }
        assert_eq!(refresh(&server, &first).await.code(), "UNAUTHENTICATED");
        assert_eq!(refresh(&server, &second).await.code(), "UNAUTHENTICATED");
        assert_eq!(alice.query(WHO).await.code(), "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn a_forged_refresh_token_ends_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut forged = alice.refresh_token.clone();
    forged.replace_range(40..44, "AAAA");
    for token in [forged.as_str(), "", "x", "AAAA"] {
        let answer = refresh(&server, &json!(token)).await;
        assert!(matches!(answer.code(), "UNAUTHENTICATED" | "BAD_USER_INPUT"), "{token}");
    }
    assert_eq!(alice.query(WHO).await.data("viewer")["user"]["username"], "alice");
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_refreshed_for_a_month() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    server.clock.advance(TimeDelta::days(30));
    assert_eq!(refresh(&server, &json!(alice.refresh_token)).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn signing_out_stops_the_token_and_closes_the_socket_on_every_server() {
    let server = TestServer::start().await;
    let other = server.another().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut socket = alice.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    let mut elsewhere = alice.at(other.address).socket().await;
    let mut log_elsewhere = elsewhere.follow(&channel, None);
    log_elsewhere.batch().await;

    alice.query("mutation { logout { sessionId } }").await.data("logout");
    assert_eq!(alice.query(WHO).await.code(), "UNAUTHENTICATED");
    assert_eq!(log.end().await, Ended::Complete);
    assert_eq!(socket.closed().await, 4401);
    assert_eq!(log_elsewhere.end().await, Ended::Complete);
    assert_eq!(elsewhere.closed().await, 4401);
    assert_eq!(alice.at(other.address).query(WHO).await.code(), "UNAUTHENTICATED");
    // A server that starts later knows it from the table.
    let later = server.another().await;
    later.app.realtime.ended_sessions.look(&later.app.db).await.unwrap();
    assert_eq!(alice.at(later.address).query(WHO).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn signing_out_is_the_end_of_the_request_too() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let answer =
        alice.query("mutation { logout { sessionId } createChannel(input: { name: \"x\" }) { isReplay } }").await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
    assert_eq!(server.database.count("SELECT count(*) FROM conversations").await, 0);
}

#[tokio::test]
async fn passwords_and_tokens_are_not_kept() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let leaks = |needle: &str| {
        format!(
            "SELECT count(*) FROM (SELECT a::text || s::text AS row FROM accounts a, sessions s) all_rows \
            WHERE strpos(row, '{needle}') > 0"
        )
    };
    assert_eq!(server.database.count(&leaks("argon2id")).await, 1);
    for secret in [PASSWORD, &alice.refresh_token, alice.token.as_ref().unwrap()] {
        assert_eq!(server.database.count(&leaks(secret)).await, 0);
    }
}

// Sessions.

const SESSIONS: &str = "{ viewer { sessions { id clientName ipAddress isCurrent } } }";
const REVOKE: &str = "mutation($input: RevokeSessionsInput!) { revokeSessions(input: $input) {
    sessionIds viewer { sessions { id isCurrent } } } }";

/// Signs in once more, from a client of this name.
async fn from_client(server: &TestServer, name: &str, client: &str) -> (Actor, String) {
    let sign_in = "mutation($input: LoginInput!) { login(input: $input) { session { id } tokens { accessToken } } }";
    let input = json!({ "identifier": name, "password": PASSWORD, "clientName": client });
    let payload = server.anonymous().ask(sign_in, json!({ "input": input })).await.data("login");
    let token = payload["tokens"]["accessToken"].as_str().unwrap().to_owned();
    (Actor::new(server.address, Some(token)), payload["session"]["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn everybody_sees_where_they_are_signed_in_last_used_first() {
    let server = TestServer::start().await;
    server.register("mallory").await;
    let alice = server.register("alice").await;
    for client in ["Firefox on Linux", "Phone"] {
        server.clock.advance(TimeDelta::seconds(1));
        from_client(&server, "alice", client).await;
    }
    let sessions = alice.query(SESSIONS).await.data("viewer")["sessions"].clone();
    let shown: Vec<_> = sessions.as_array().unwrap().iter().map(|session| session["clientName"].clone()).collect();
    assert_eq!(shown, ["Phone", "Firefox on Linux", "Unknown client"]);
    let current: Vec<_> = sessions.as_array().unwrap().iter().map(|session| session["isCurrent"].clone()).collect();
    assert_eq!(current, [false, false, true]);
    assert!(sessions.as_array().unwrap().iter().all(|session| session["ipAddress"] == "127.0.0.1"));
    // The one that is refreshed was used last.
    server.clock.advance(TimeDelta::seconds(1));
    refresh(&server, &json!(alice.refresh_token)).await.data("refreshSession");
    let sessions = alice.query(SESSIONS).await.data("viewer")["sessions"].clone();
    assert_eq!(sessions[0]["clientName"], "Unknown client");
}

#[tokio::test]
async fn a_session_that_is_revoked_ends_at_once_with_its_sockets() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (phone, id) = from_client(&server, "alice", "Phone").await;
    let mut socket = phone.socket().await;
    let payload = alice.ask(REVOKE, json!({ "input": { "sessionId": id } })).await.data("revokeSessions");
    assert_eq!(payload["sessionIds"], json!([id]));
    assert_eq!(payload["viewer"]["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(socket.closed().await, 4401);
    assert_eq!(phone.query(WHO).await.code(), "UNAUTHENTICATED");
    // Again, it is so already.
    let payload = alice.ask(REVOKE, json!({ "input": { "sessionId": id } })).await.data("revokeSessions");
    assert_eq!(payload["sessionIds"], json!([id]));
    // And one's own.
    let own = payload["viewer"]["sessions"][0]["id"].clone();
    let payload = alice.ask(REVOKE, json!({ "input": { "sessionId": own } })).await.data("revokeSessions");
    assert_eq!(payload, json!({ "sessionIds": [own], "viewer": { "sessions": [] } }));
    assert_eq!(alice.query(WHO).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn all_others_end_but_not_those_of_others() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let (phone, _) = from_client(&server, "alice", "Phone").await;
    let (laptop, id) = from_client(&server, "alice", "Laptop").await;
    assert_eq!(mallory.ask(REVOKE, json!({ "input": { "sessionId": id } })).await.code(), "NOT_FOUND");
    assert_eq!(
        mallory.ask(REVOKE, json!({ "input": { "allOthers": true } })).await.data("revokeSessions")["sessionIds"],
        json!([])
    );
    laptop.query(WHO).await.data("viewer");
    let payload = alice.ask(REVOKE, json!({ "input": { "allOthers": true } })).await.data("revokeSessions");
    assert_eq!(payload["sessionIds"].as_array().unwrap().len(), 2);
    for gone in [&phone, &laptop] {
        assert_eq!(gone.query(WHO).await.code(), "UNAUTHENTICATED");
    }
    alice.query(WHO).await.data("viewer");
}

#[tokio::test]
async fn of_those_that_end_each_other_at_once_one_is_left() {
    let server = TestServer::start().await;
    server.register("alice").await;
    let mut all = Vec::new();
    for client in ["Phone", "Laptop", "Tablet", "Watch"] {
        all.push(from_client(&server, "alice", client).await.0);
    }
    let revoked = all.iter().map(|actor| actor.ask(REVOKE, json!({ "input": { "allOthers": true } })));
    let answers = futures_util::future::join_all(revoked).await;
    let refused = answers.iter().filter(|answer| answer.0.get("errors").is_some());
    assert!(refused.clone().all(|answer| answer.code() == "UNAUTHENTICATED"));
    assert_eq!(refused.count(), 3);
    assert_eq!(server.database.count("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 1);
}

#[tokio::test]
async fn with_one_session_too_many_the_one_used_least_lately_ends() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    server.clock.advance(TimeDelta::seconds(1));
    let now = server.clock.now();
    let others = "INSERT INTO sessions (id, user_id, client_name, seed, generation, refreshed_at, created_at, \
        last_used_at, expires_at) SELECT gen_random_uuid(), id, 'Bot', '', 1, NOW, NOW, NOW, NOW + interval '1 day' \
        FROM users, generate_series(1, 99)";
    server.database.execute(&others.replace("NOW", &format!("'{now}'::timestamptz"))).await;
    alice.query(WHO).await.data("viewer");
    from_client(&server, "alice", "Phone").await;
    assert_eq!(alice.query(WHO).await.code(), "UNAUTHENTICATED");
    assert_eq!(server.database.count("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, 100);
}
