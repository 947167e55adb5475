//! Accounts that can be trusted: their letters read as people read them, and what becomes of who has stolen something.

mod addresses;
mod oauth;
mod pages;
mod passwords;
mod second_factor;

use chinwag::config::Config;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, MailServer, PASSWORD, TestServer};

/// A server of the outside world, and what takes its mails.
struct World {
    server: TestServer,
    mails: MailServer,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With a configuration that differs.
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mails = MailServer::start().await;
        let url = mails.url();
        let server = TestServer::start_with(|config| {
            config.mail.smtp_url = Some(url);
            config.mail.from = Some("chat@example.org".into());
            config.http.public_url = "https://chat.example.org".into();
            change(config);
        })
        .await;
        Self { server, mails }
    }

    /// Somebody whose address is proven.
    async fn proven(&self, name: &str) -> Actor {
        let actor = self.server.register(name).await;
        actor.prove_address(&self.mails).await;
        actor
    }

    /// Waits until nothing is on its way to anybody.
    async fn settled(&self) {
        self.server
            .database
            .until("SELECT count(*) FROM jobs WHERE unique_key IS DISTINCT FROM 'recurring'", "0")
            .await;
    }

    async fn log_in(&self, identifier: &str, password: &str) -> Answer {
        let input = json!({ "identifier": identifier, "password": password, "clientName": "A browser" });
        self.server.anonymous().ask(LOGIN, json!({ "input": input })).await
    }

    /// What the security of somebody's account has to say in their bell, latest first.
    async fn bell(&self, of: &Actor) -> Vec<String> {
        self.settled().await;
        let query = "{ viewer { notifications(filter: { kinds: [SECURITY] }) { nodes { title isUrgent } } } }";
        let nodes = of.query(query).await.data("viewer")["notifications"]["nodes"].clone();
        nodes.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
    }
}

const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) {
    viewer { user { username } } session { id clientName } tokens { accessToken } } }";

/// Asks with one input.
async fn ask(actor: &Actor, mutation: &str, input: Value) -> Answer {
    actor.ask(mutation, json!({ "input": input })).await
}

/// The same by several at once; how many were answered with data, and the codes of the others.
async fn race(actors: &[Actor], mutation: &str, inputs: &[Value]) -> (usize, Vec<String>) {
    let asked = actors.iter().zip(inputs).map(|(actor, input)| ask(actor, mutation, input.clone()));
    let answers = join_all(asked).await;
    let (right, wrong): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.0.get("errors").is_none());
    (right.len(), wrong.into_iter().map(|answer| answer.code().to_owned()).collect())
}

/// Whether the session of an actor goes on.
async fn is_signed_in(actor: &Actor) -> bool {
    actor.query("{ viewer { id } }").await.0["data"]["viewer"].is_object()
}

/// A server that leaves its jobs undone, so that what runs on its database is the request's own; with a proven address
/// (alice's) and an unproven one (bob's).
async fn without_workers() -> TestServer {
    let server = TestServer::that_works(chinwag::jobs::Kinds::default()).await;
    server.register("alice").await;
    server.database.execute("UPDATE accounts SET email_verified_at = created_at").await;
    server.register("bob").await;
    server
}

/// Asks for a letter to each of the addresses that there may be: nobody learns from the work that is done, or from the
/// answer, which of them are known.
async fn every_address_costs_the_same(request: &str, field: &str) {
    let server = without_workers().await;
    let stranger = server.anonymous();
    let mut seen = Vec::new();
    for email in ["alice@example.org", "bob@example.org", "nobody@example.org"] {
        let asked = ask(&stranger, request, json!({ "email": email }));
        let (statements, answer) = server.statements(asked).await;
        assert!(answer.data(field)["retryAfter"].is_string());
        seen.push(statements);
    }
    assert!(!seen[0].is_empty() && seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    assert_eq!(ask(&stranger, request, json!({ "email": "nobody" })).await.wrong_fields(), ["input.email BAD_FORMAT"]);
}
