//! Who may come.

use chinwag::config::RegistrationPolicy;
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, PASSWORD, TestServer};

const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) {
    viewer { groups { nodes { id } } user { role } } session { id } } }";
const INVITE: &str = "mutation($input: CreateInvitationInput!) { createInvitation(input: $input) { token invitation {
    id useLimit useCount isActive createdAt expiresAt revokedAt createdBy { username } group { id } } } }";
const REVOKE: &str = "mutation($id: ID!) { revokeInvitation(input: { invitationId: $id }) {
    invitation { id isActive revokedAt } } }";
const LIST: &str = "query($filter: InvitationFilter, $first: Int, $after: String) { admin {
    invitations(filter: $filter, first: $first, after: $after) {
        nodes { id useCount isActive } pageInfo { endCursor hasNextPage } } } }";

/// A server where people come as this says; alice runs it.
async fn server_for(policy: RegistrationPolicy) -> (TestServer, Actor) {
    let server = TestServer::start_with(|config| config.limits.registration = policy).await;
    // Whoever has the machine needs no leave.
    let alice = server.register("alice").await;
    (server, alice)
}

async fn invite(actor: &Actor, input: Value) -> Value {
    actor.ask(INVITE, json!({ "input": input })).await.data("createInvitation")
}

async fn come(server: &TestServer, name: &str, invitation: Option<&Value>) -> Answer {
    let mut input = json!({ "email": format!("{name}@example.org"), "username": name, "password": PASSWORD });
    if let Some(token) = invitation {
        input["invitation"] = token.clone();
    }
    server.anonymous().ask(REGISTER, json!({ "input": input })).await
}

#[tokio::test]
async fn the_server_says_who_may_come() {
    for (policy, name) in [
        (RegistrationPolicy::Open, "OPEN"),
        (RegistrationPolicy::Invitation, "INVITATION"),
        (RegistrationPolicy::AdminOnly, "ADMIN_ONLY"),
    ] {
        let (server, alice) = server_for(policy).await;
        assert_eq!(server.anonymous().query("{ server { registration } }").await.data("server")["registration"], name);
        let role = alice.query("{ viewer { user { role } } }").await.data("viewer")["user"]["role"].clone();
        assert_eq!(role, "ADMIN", "{name}");
    }
}

#[tokio::test]
async fn where_it_takes_an_invitation_nobody_comes_without() {
    let (server, alice) = server_for(RegistrationPolicy::Invitation).await;
    let before = server.database.count("SELECT count(*) FROM users").await;
    assert_eq!(come(&server, "mallory", None).await.code(), "REGISTRATION_CLOSED");
    assert_eq!(come(&server, "mallory", Some(&json!("no such token"))).await.code(), "TOKEN_INVALID");
    // Names and addresses are not told to whoever may not come.
    assert_eq!(come(&server, "alice", Some(&json!("no such token"))).await.code(), "TOKEN_INVALID");
    assert_eq!(server.database.count("SELECT count(*) FROM users").await, before);

    let invited = invite(&alice, json!({})).await;
    assert_eq!(invited["invitation"]["useLimit"], 1);
    assert_eq!(invited["invitation"]["createdBy"]["username"], "alice");
    let bob = come(&server, "bob", Some(&invited["token"])).await.data("register");
    assert_eq!(bob["viewer"]["user"]["role"], "USER");
    assert_eq!(come(&server, "carol", Some(&invited["token"])).await.code(), "TOKEN_INVALID");
    // It is kept as a digest alone.
    let token = invited["token"].as_str().unwrap();
    let kept = format!("SELECT count(*) FROM invitations AS i WHERE strpos(i::text, '{token}') > 0");
    assert_eq!(server.database.count(&kept).await, 0);
}

#[tokio::test]
async fn where_only_admins_make_accounts_no_invitation_helps() {
    let (server, alice) = server_for(RegistrationPolicy::AdminOnly).await;
    let invited = invite(&alice, json!({})).await;
    assert_eq!(come(&server, "bob", Some(&invited["token"])).await.code(), "REGISTRATION_CLOSED");
    assert_eq!(server.database.count("SELECT sum(use_count)::bigint FROM invitations").await, 0);
}

#[tokio::test]
async fn a_server_that_is_closed_is_begun_by_its_setup_code() {
    let server = TestServer::start_with(|config| {
        config.http.public_url = "https://chat.example.org".into();
        config.limits.registration = RegistrationPolicy::AdminOnly;
    })
    .await;
    assert_eq!(come(&server, "mallory", None).await.code(), "REGISTRATION_CLOSED");
    let mut input = json!({ "email": "alice@example.org", "username": "alice", "password": PASSWORD });
    input["setupCode"] = json!("0000-0000-0000-0000-0000");
    assert_eq!(server.anonymous().ask(REGISTER, json!({ "input": input })).await.code(), "TOKEN_INVALID");
    input["setupCode"] = json!(server.app.keys.setup_code());
    let alice = server.anonymous().ask(REGISTER, json!({ "input": input })).await.data("register");
    assert_eq!(alice["viewer"]["user"]["role"], "ADMIN");
}

#[tokio::test]
async fn whoever_comes_first_to_run_the_server_may_leave_the_invitation_empty() {
    let server = TestServer::start_with(|config| config.limits.registration = RegistrationPolicy::Invitation).await;
    let alice = come(&server, "alice", Some(&json!(""))).await.data("register");
    assert_eq!(alice["viewer"]["user"]["role"], "ADMIN");
    assert_eq!(come(&server, "bob", Some(&json!(""))).await.code(), "TOKEN_INVALID");
    // Where invitations let nobody in, none keeps them out.
    let server = TestServer::start_with(|config| config.limits.registration = RegistrationPolicy::AdminOnly).await;
    let alice = come(&server, "alice", Some(&json!("of another server"))).await.data("register");
    assert_eq!(alice["viewer"]["user"]["role"], "ADMIN");
    assert_eq!(come(&server, "bob", Some(&json!("of another server"))).await.code(), "REGISTRATION_CLOSED");
}

#[tokio::test]
async fn unknown_spent_expired_and_revoked_look_alike() {
    let (server, alice) = server_for(RegistrationPolicy::Invitation).await;
    let spent = invite(&alice, json!({})).await;
    come(&server, "bob", Some(&spent["token"])).await.data("register");
    let revoked = invite(&alice, json!({ "useLimit": 5 })).await;
    come(&server, "carol", Some(&revoked["token"])).await.data("register");
    let gone = alice.ask(REVOKE, json!({ "id": revoked["invitation"]["id"] })).await.data("revokeInvitation");
    assert_eq!(gone["invitation"]["isActive"], false);
    // Whoever used it stays; revoking it again changes nothing.
    Actor::log_in(server.address, "carol").await;
    let again = alice.ask(REVOKE, json!({ "id": revoked["invitation"]["id"] })).await.data("revokeInvitation");
    assert_eq!(again, gone);
    let expired = invite(&alice, json!({})).await;
    server.clock.advance(TimeDelta::days(7));
    let mut said = Vec::new();
    for token in [&spent["token"], &revoked["token"], &expired["token"], &json!("unknown"), &json!("")] {
        let refused = come(&server, "dave", Some(token)).await;
        assert_eq!(refused.code(), "TOKEN_INVALID");
        said.push(refused.0["errors"][0]["message"].clone());
    }
    assert!(said.iter().all(|message| *message == said[0]), "{said:?}");
}

#[tokio::test]
async fn of_those_who_come_at_once_as_many_get_in_as_there_is_room_for() {
    let (server, alice) = server_for(RegistrationPolicy::Invitation).await;
    let invited = invite(&alice, json!({ "useLimit": 3 })).await;
    let names = ["bob", "carol", "dave", "erin", "frank", "grace"];
    let answers = futures_util::future::join_all(names.map(|name| come(&server, name, Some(&invited["token"])))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.0.get("errors").is_some()).collect();
    assert!(refused.iter().all(|answer| answer.code() == "TOKEN_INVALID"));
    assert_eq!(refused.len(), 3);
    assert_eq!(server.database.count("SELECT use_count::bigint FROM invitations").await, 3);
}

#[tokio::test]
async fn a_registration_that_fails_spends_nothing() {
    let (server, alice) = server_for(RegistrationPolicy::Invitation).await;
    let invited = invite(&alice, json!({})).await;
    assert_eq!(come(&server, "alice", Some(&invited["token"])).await.code(), "CONFLICT");
    come(&server, "bob", Some(&invited["token"])).await.data("register");
}

#[tokio::test]
async fn whoever_comes_into_a_group_is_a_member_of_it() {
    let (server, alice) = server_for(RegistrationPolicy::Invitation).await;
    let create = "mutation { createGroup(input: { name: \"Crew\", visibility: PRIVATE }) { group { id } } }";
    let group = alice.query(create).await.data("createGroup")["group"]["id"].clone();
    let invited = invite(&alice, json!({ "groupId": group, "useLimit": 10 })).await;
    assert_eq!(invited["invitation"]["group"]["id"], group);
    let bob = come(&server, "bob", Some(&invited["token"])).await.data("register");
    assert_eq!(bob["viewer"]["groups"]["nodes"], json!([{ "id": group }]));
    let count = "query($id: ID!) { group(by: { id: $id }) { memberCount } }";
    assert_eq!(alice.ask(count, json!({ "id": group })).await.data("group")["memberCount"], 2);
    // Archived, it takes nobody; they come all the same.
    let archive = "mutation($id: ID!) { archiveGroup(input: { groupId: $id }) { group { id } } }";
    alice.ask(archive, json!({ "id": group })).await.data("archiveGroup");
    let carol = come(&server, "carol", Some(&invited["token"])).await.data("register");
    assert_eq!(carol["viewer"]["groups"]["nodes"], json!([]));
}

#[tokio::test]
async fn an_admin_invites_into_no_group_that_is_not_theirs() {
    let (server, alice) = server_for(RegistrationPolicy::Open).await;
    let bob = server.register("bob").await;
    let create = |visibility| json!({ "input": { "name": "Crew", "visibility": visibility } });
    let query = "mutation($input: CreateGroupInput!) { createGroup(input: $input) { group { id } } }";
    let hidden = bob.ask(query, create("PRIVATE")).await.data("createGroup")["group"]["id"].clone();
    let seen = bob.ask(query, create("PUBLIC")).await.data("createGroup")["group"]["id"].clone();
    let into = async |group: &Value| alice.ask(INVITE, json!({ "input": { "groupId": group } })).await;
    assert_eq!(into(&hidden).await.code(), "NOT_FOUND");
    assert_eq!(into(&seen).await.code(), "FORBIDDEN");
    // Nor does one who is no admin invite into their own.
    assert_eq!(bob.ask(INVITE, json!({ "input": { "groupId": seen } })).await.code(), "FORBIDDEN");
    assert_eq!(server.database.count("SELECT count(*) FROM invitations").await, 0);
}

#[tokio::test]
async fn all_invitations_are_listed_newest_first() {
    let (server, alice) = server_for(RegistrationPolicy::Open).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        server.clock.advance(TimeDelta::seconds(1));
        made.push(invite(&alice, json!({})).await);
    }
    let id = |at: usize| made[at]["invitation"]["id"].clone();
    come(&server, "bob", Some(&made[1]["token"])).await.data("register");
    let list = async |variables: Value| alice.ask(LIST, variables).await.data("admin")["invitations"].clone();
    let ids = |page: &Value| -> Vec<Value> {
        page["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect()
    };
    let all = list(json!({})).await;
    assert_eq!(ids(&all), [id(2), id(1), id(0)]);
    assert_eq!(all["nodes"][1]["useCount"], 1);
    assert_eq!(ids(&list(json!({ "filter": { "isActive": true } })).await), [id(2), id(0)]);
    assert_eq!(ids(&list(json!({ "filter": { "isActive": false } })).await), [id(1)]);
    let first = list(json!({ "first": 2 })).await;
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let rest = list(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(ids(&rest), [id(0)]);
}

#[tokio::test]
async fn what_is_wrong_with_an_invitation_is_said_at_once() {
    let (server, alice) = server_for(RegistrationPolicy::Open).await;
    let past = server.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let input = json!({ "groupId": "group_1", "useLimit": 1001, "expiresAt": past });
    assert_eq!(
        alice.ask(INVITE, json!({ "input": input })).await.wrong_fields(),
        ["input.groupId BAD_FORMAT", "input.useLimit OUT_OF_RANGE", "input.expiresAt NOT_ALLOWED"]
    );
    assert_eq!(
        alice.ask(INVITE, json!({ "input": { "useLimit": 0 } })).await.wrong_fields(),
        ["input.useLimit OUT_OF_RANGE"]
    );
}
