//! The pages that links in letters lead to.

use chinwag::config::Pages;
use reqwest::{Client, StatusCode};

use super::*;
use crate::harness::IS_IT_YOURS;

const REQUEST: &str =
    "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { retryAfter } }";
const NEW: &str = "vrolijke fietsbel onder water";

/// Where a link of a letter leads at this server.
fn here(world: &World, path: &str, token: &str) -> String {
    format!("{}{path}?token={token}", world.server.url())
}

async fn open(link: &str) -> String {
    let page = Client::new().get(link).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let page = page.text().await.unwrap();
    assert!(page.contains("<form method=\"post\">") && !page.contains("<script"), "{page}");
    page
}

async fn press(link: &str, body: &'static str) -> (StatusCode, String) {
    let post = Client::new().post(link).header("content-type", "application/x-www-form-urlencoded");
    let page = post.body(body).send().await.unwrap();
    (page.status(), page.text().await.unwrap())
}

#[tokio::test]
async fn an_address_is_proven_by_a_press_and_not_by_whatever_looks_at_the_mail() {
    let world = World::new().await;
    let alice = world.server.register("alice").await;
    let token = world.mails.letter(1, "alice@example.org", IS_IT_YOURS).await.token();
    let link = here(&world, "/verify-email", &token);
    let is_proven =
        async || alice.query("{ viewer { isEmailVerified } }").await.data("viewer")["isEmailVerified"].clone();
    open(&link).await;
    Client::new().head(&link).send().await.unwrap();
    assert_eq!(is_proven().await, false);
    let (status, page) = press(&link, "").await;
    assert_eq!(status, 200);
    assert!(page.contains("alice@example.org is your address now"), "{page}");
    assert_eq!(is_proven().await, true);
    for wrong in [&token, "", "forged", "%00", "%3Cscript%3E"] {
        let (status, page) = press(&here(&world, "/verify-email", wrong), "").await;
        assert_eq!(status, 404);
        assert!(!page.contains("<script"), "{page}");
    }
}

#[tokio::test]
async fn a_password_is_set_where_the_letter_leads() {
    let world = World::new().await;
    let alice = world.proven("alice").await;
    ask(&alice, REQUEST, json!({ "email": "alice@example.org" })).await.data("requestPasswordReset");
    let token = world.mails.letter(1, "alice@example.org", "Set a new password").await.token();
    let link = here(&world, "/reset-password", &token);
    open(&link).await;
    for (weak, why) in
        [("password=short", "At least 10 characters"), ("password=qwertyuiop1", "stolen passwords"), ("", "needed")]
    {
        let (status, page) = press(&link, weak).await;
        assert_eq!(status, 422);
        assert!(page.contains(why) && page.contains("<form method=\"post\">"), "{page}");
    }
    assert!(is_signed_in(&alice).await);
    let (status, _) = press(&link, "password=vrolijke+fietsbel+onder+water").await;
    assert_eq!(status, 200);
    assert!(!is_signed_in(&alice).await);
    world.log_in("alice", NEW).await.data("login");
    for wrong in [&token, "", "forged", "%00"] {
        assert_eq!(press(&here(&world, "/reset-password", wrong), "password=vrolijke+fietsbel").await.0, 404);
    }
    // Nothing else of a form that is no form.
    let odd = Client::new().post(&link).header("content-type", "application/json").body("{}").send().await.unwrap();
    assert!(odd.status().is_client_error());
}

#[tokio::test]
async fn where_there_is_an_app_letters_lead_there() {
    let mails = MailServer::start().await;
    let url = mails.url();
    let server = TestServer::start_with(|config| {
        config.mail.smtp_url = Some(url);
        config.mail.from = Some("chat@example.org".into());
        config.http.public_url = "https://chat.example.org".into();
        config.pages = Some(Pages {
            home: "https://app.example.org".into(),
            verify_email: "https://app.example.org/#/welcome?token={token}".into(),
            reset_password: "https://app.example.org/reset-password?token={token}".into(),
            message: "https://app.example.org/#/messages/{message}".into(),
        });
    })
    .await;
    let world = World { server, mails };
    let alice = world.server.register("alice").await;
    let letter = world.mails.letter(1, "alice@example.org", IS_IT_YOURS).await;
    let link = format!("https://app.example.org/#/welcome?token={}", letter.token());
    assert!(letter.text().contains(&link) && letter.html().contains(&link), "{}", letter.text());
    alice.prove_address(&world.mails).await;
    ask(&alice, REQUEST, json!({ "email": "alice@example.org" })).await.data("requestPasswordReset");
    let letter = world.mails.letter(1, "alice@example.org", "Set a new password").await;
    assert!(letter.text().contains("https://app.example.org/reset-password?token="), "{}", letter.text());

    let channel = alice.public_channel("general").await;
    let id = alice.say(&channel, "Hello").await["id"].as_str().unwrap().to_owned();
    let query = "query($id: ID!) { message(id: $id) { permalink } }";
    let permalink =
        async |actor: &Actor| actor.ask(query, json!({ "id": id })).await.data("message")["permalink"].clone();
    assert_eq!(permalink(&alice).await, format!("https://app.example.org/#/messages/{id}"));
    let elsewhere = world.server.another().await;
    assert_eq!(permalink(&alice.at(elsewhere.address)).await, format!("http://localhost:8080/messages/{id}"));
}

/// Whoever sends a request chooses its headers.
#[tokio::test]
async fn what_a_request_says_of_the_servers_name_is_in_no_link() {
    let world = World::new().await;
    world.proven("alice").await;
    let body = json!({ "query": REQUEST, "variables": { "input": { "email": "alice@example.org" } } });
    let forwarded = Client::new()
        .post(format!("{}/graphql", world.server.url()))
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example;proto=http")
        .header("x-forwarded-proto", "http")
        .json(&body);
    assert_eq!(forwarded.send().await.unwrap().status(), 200);
    let letter = world.mails.letter(1, "alice@example.org", "Set a new password").await;
    assert!(letter.text().contains("https://chat.example.org/reset-password") && !letter.text().contains("evil"));
    let misled = Client::new().post(format!("{}/graphql", world.server.url())).header("host", "evil.example");
    assert_eq!(misled.json(&body).send().await.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);
}
