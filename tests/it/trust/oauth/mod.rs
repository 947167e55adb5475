//! Signing in at other providers, with a real one.

mod linking;
mod refusals;
mod sign_in;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{World, ask, race};
use crate::harness::{Actor, Answer, INSIDE, PAGE, PASSWORD, Person, Provider, TestServer, Wrong};

const BEGIN: &str = "mutation($input: BeginOAuthInput!) { beginOAuth(input: $input) { authorizationUrl state } }";
const COMPLETE: &str = "mutation($input: CompleteOAuthInput!) { completeOAuth(input: $input) {
    isNewUser viewer { id email isEmailVerified hasPassword user { id username displayName } oauthAccounts { id } }
    oauthAccount { id label provider { key name iconUrl } linkedAt }
    session { isCurrent clientName } tokens { accessToken refreshToken } } }";
const UNLINK: &str = "mutation($input: UnlinkOAuthAccountInput!) { unlinkOAuthAccount(input: $input) {
    oauthAccountId viewer { oauthAccounts { id } } } }";
const LINKED: &str = "{ viewer { oauthAccounts { id label provider { key } } } }";

/// A server, and a provider that it offers.
struct Offered {
    world: World,
    provider: Provider,
}

/// A round trip that has begun.
#[derive(Clone)]
struct Trip {
    url: String,
    state: String,
    verifier: String,
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

impl Offered {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut chinwag::config::Config)) -> Self {
        let provider = Provider::start().await;
        let offered = provider.offered();
        let world = World::with(|config| {
            offered(config);
            change(config);
        });
        Self { world: world.await, provider }
    }

    fn server(&self) -> &TestServer {
        &self.world.server
    }

    fn anonymous(&self) -> Actor {
        self.server().anonymous()
    }

    /// Sets out to sign in.
    async fn begin(&self, provider: &str) -> Trip {
        begin(&self.anonymous(), json!({ "provider": provider, "purpose": "SIGN_IN" })).await
    }

    /// The same, for somebody's account.
    async fn begin_link(&self, actor: &Actor, provider: &str) -> Trip {
        begin(actor, json!({ "provider": provider, "purpose": "LINK", "currentPassword": PASSWORD })).await
    }

    /// Goes there, and comes back to whoever asks.
    async fn come_back(&self, actor: &Actor, trip: &Trip, person: &Person) -> Answer {
        let (code, state) = self.provider.visit(&trip.url, person);
        assert_eq!(state, trip.state);
        ask(actor, COMPLETE, trip.back(&code)).await
    }

    async fn sign_in(&self, provider: &str, person: &Person) -> Answer {
        let trip = self.begin(provider).await;
        self.come_back(&self.anonymous(), &trip, person).await
    }

    async fn link(&self, actor: &Actor, provider: &str, person: &Person) -> Answer {
        let trip = self.begin_link(actor, provider).await;
        self.come_back(actor, &trip, person).await
    }

    /// Who came of a sign-in.
    fn who(&self, answer: &Answer) -> Actor {
        let payload = answer.data("completeOAuth");
        let mut actor =
            Actor::new(self.server().address, Some(payload["tokens"]["accessToken"].as_str().unwrap().to_owned()));
        let text = |pointer: &str| payload.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        (actor.id, actor.name) = (text("/viewer/user/id"), text("/viewer/user/username"));
        actor
    }

    /// How many there are of something.
    async fn count(&self, table: &str) -> i64 {
        self.server().database.count(&format!("SELECT count(*) FROM {table}")).await
    }
}

async fn begin(actor: &Actor, mut input: Value) -> Trip {
    let verifier = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    input["redirectUrl"] = json!(PAGE);
    input["codeChallenge"] = json!(challenge(&verifier));
    let begun = ask(actor, BEGIN, input).await.data("beginOAuth");
    let text = |field: &str| begun[field].as_str().unwrap().to_owned();
    Trip { url: text("authorizationUrl"), state: text("state"), verifier }
}

impl Trip {
    fn back(&self, code: &str) -> Value {
        json!({ "state": self.state, "code": code, "codeVerifier": self.verifier, "clientName": "A browser" })
    }

    fn back_with(&self, code: &str, more: Value) -> Value {
        let mut input = self.back(code);
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    }
}
