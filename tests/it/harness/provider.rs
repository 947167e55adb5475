//! A provider that people sign in at. It speaks OpenID Connect at its root and GitHub's OAuth below `/github`, and is as
//! particular as real ones are: codes are good once, for whom and where they were made, and for whoever has the verifier.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, Method, Request, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chinwag::config::{Config, ProviderConfig, ProviderKind};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::https::Https;

const CLIENT_ID: &str = "chinwag-at-the-provider";
const CLIENT_SECRET: &str = "what only the server knows: %&+";
/// Stands in whatever goes wrong here, and in nothing that is shown to anybody.
pub const INSIDE: &str = "inside-of-the-provider";
/// The only page that it sends browsers back to.
pub const PAGE: &str = "https://app.example.org/oauth";

pub struct Provider {
    pub port: u16,
    authority: CertificateDer<'static>,
    state: Arc<Mutex<State>>,
    serving: Option<AbortOnDropHandle<()>>,
}

/// Somebody, as the provider knows them.
#[derive(Clone, Debug)]
pub struct Person {
    pub subject: u64,
    pub handle: String,
    pub email: Option<String>,
    pub is_email_verified: bool,
    pub name: String,
}

impl Person {
    /// Whose address at example.org is verified.
    pub fn new(subject: u64, handle: &str) -> Self {
        let email = Some(format!("{handle}@example.org"));
        Self { subject, handle: handle.into(), email, is_email_verified: true, name: handle.to_uppercase() }
    }

    pub fn unverified(self) -> Self {
        Self { is_email_verified: false, ..self }
    }
}

/// What the provider does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Nonce,
    NoNonce,
    Audience,
    AnotherAudience,
    Party,
    Expired,
    Issuer,
    Unsigned,
    SignedBySecret,
    SignedByAnother,
    NoToken,
    AccessTokenHash,
    Subject,
    Refuses,
    Redirects,
    Floods,
    Babbles,
    IsSilent,
    SubjectOfUserInfo,
    TokenForHeaders,
}

struct State {
    key: Key,
    wrong: Option<Wrong>,
    /// Says less in ID tokens, and more where it is asked.
    is_terse: bool,
    /// Takes the secret in the body alone.
    takes_posts: bool,
    /// Where it says that its keys are.
    keys_at: Option<String>,
    asked: Vec<String>,
    codes: HashMap<String, Code>,
    tokens: HashMap<String, Person>,
}

#[derive(Clone)]
struct Key {
    kid: String,
    algorithm: Algorithm,
    encoding: EncodingKey,
}

struct Code {
    person: Person,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
}

impl Key {
    fn rsa() -> Self {
        let encoding = EncodingKey::from_rsa_pem(include_bytes!("provider_key.pem")).unwrap();
        Self { kid: "rsa".into(), algorithm: Algorithm::RS256, encoding }
    }

    fn elliptic() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let encoding = EncodingKey::from_ec_der(&pair.serialize_der());
        Self { kid: uuid::Uuid::new_v4().to_string(), algorithm: Algorithm::ES256, encoding }
    }

    fn public(&self) -> Jwk {
        let mut key = Jwk::from_encoding_key(&self.encoding, self.algorithm).unwrap();
        key.common.key_id = Some(self.kid.clone());
        key
    }
}

impl Provider {
    pub async fn start() -> Self {
        let https = Https::bind().await;
        let (port, authority) = (https.port, https.authority.clone());
        let state = Arc::new(Mutex::new(State {
            key: Key::elliptic(),
            wrong: None,
            is_terse: false,
            takes_posts: false,
            keys_at: None,
            asked: Vec::new(),
            codes: HashMap::new(),
            tokens: HashMap::new(),
        }));
        let known = state.clone();
        let serving = Some(https.serve(move |request| answer(request, known.clone(), port)));
        Self { port, authority, state, serving }
    }

    /// A server at which one may sign in with this: as `work`, and as `github`.
    pub fn offered(&self) -> impl Fn(&mut Config) + use<> {
        let (port, authority) = (self.port, self.authority.clone());
        let provider = move |key: &str, path: &str, kind: ProviderKind| ProviderConfig {
            key: key.to_owned(),
            name: format!("The {key} one"),
            icon_url: Some("https://example.org/logo.svg".into()),
            issuer: format!("https://localhost:{port}{path}"),
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            kind,
        };
        move |config| {
            let api = format!("https://localhost:{port}/github/api/v3");
            config.oauth.providers = vec![
                provider("work", "", ProviderKind::OpenId),
                provider("github", "/github", ProviderKind::GitHub { api }),
            ];
            config.oauth.redirect_urls = vec![PAGE.into(), "org.example.chat:/oauth".into()];
            config.requests.provider_hosts = [("localhost".to_owned(), port)].into_iter().collect();
            config.requests.authorities = vec![authority.clone()];
        }
    }

    /// What somebody's browser brings back, who goes where they are sent, signs in there and agrees: the code, and the state.
    pub fn visit(&self, url: &str, person: &Person) -> (String, String) {
        let url = Url::parse(url).unwrap();
        assert_eq!((url.scheme(), url.port()), ("https", Some(self.port)));
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let is_github = url.path().starts_with("/github/");
        assert_eq!(url.path(), if is_github { "/github/login/oauth/authorize" } else { "/authorize" });
        assert_eq!((&*asked["response_type"], &*asked["client_id"]), ("code", CLIENT_ID));
        assert_eq!(asked["redirect_uri"], PAGE, "a page that is not registered");
        assert_eq!(asked["code_challenge_method"], "S256");
        match is_github {
            true => assert_eq!(asked["scope"], "user:email"),
            false => assert_eq!(asked["scope"], "openid email profile"),
        }
        assert!(!asked["state"].is_empty() && url.fragment().is_none());
        let code = uuid::Uuid::new_v4().to_string();
        let kept = Code {
            person: person.clone(),
            redirect_uri: asked["redirect_uri"].clone(),
            challenge: asked["code_challenge"].clone(),
            nonce: asked.get("nonce").cloned(),
        };
        assert_eq!(kept.nonce.is_none(), is_github);
        self.state.lock().unwrap().codes.insert(code.clone(), kept);
        (code, asked["state"].clone())
    }

    /// Does this wrong from now on.
    pub fn do_wrong(&self, wrong: Option<Wrong>) {
        self.state.lock().unwrap().wrong = wrong;
    }

    /// Signs with another key from now on, of another kind.
    pub fn rotate(&self) {
        let mut state = self.state.lock().unwrap();
        state.key = if state.key.algorithm == Algorithm::RS256 { Key::elliptic() } else { Key::rsa() };
    }

    pub fn be_terse(&self) {
        self.state.lock().unwrap().is_terse = true;
    }

    pub fn take_posts(&self) {
        self.state.lock().unwrap().takes_posts = true;
    }

    /// Says that its keys are there.
    pub fn keep_keys_at(&self, url: &str) {
        self.state.lock().unwrap().keys_at = Some(url.to_owned());
    }

    /// The paths that it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Is gone.
    pub fn stop(&mut self) {
        self.serving = None;
    }
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>, port: u16) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let path = head.uri.path().to_owned();
    let wrong = {
        let mut state = state.lock().unwrap();
        state.asked.push(path.clone());
        state.wrong
    };
    let is_trade = head.method == Method::POST;
    let refused = |status: u16| json_answer(status, &json!({ "error": "invalid_grant", "error_description": INSIDE }));
    match wrong.filter(|_| is_trade) {
        Some(Wrong::IsSilent) => std::future::pending().await,
        Some(Wrong::Refuses) => return refused(400),
        Some(Wrong::Redirects) => {
            let there = format!("https://localhost:{port}/token-elsewhere");
            return Response::builder().status(307).header("location", there).body(Full::default()).unwrap();
        }
        Some(Wrong::Floods) => {
            let flood = vec![b' '; 3 * 1024 * 1024];
            return Response::builder().status(200).body(Full::from(flood)).unwrap();
        }
        Some(Wrong::Babbles) => {
            return Response::builder().status(200).body(Full::from(format!("<p>{INSIDE}</p>"))).unwrap();
        }
        _ => {}
    }
    let mut state = state.lock().unwrap();
    match (&head.method, path.as_str()) {
        (&Method::GET, "/.well-known/openid-configuration") => json_answer(200, &discovery(&state, port)),
        (&Method::GET, "/keys") => json_answer(200, &json!({ "keys": [state.key.public()] })),
        (&Method::POST, "/token") => match trade(&mut state, &head.headers, &body, false) {
            Some((code, token)) => json_answer(200, &tokens(&state, code, &token, port)),
            None => refused(400),
        },
        (&Method::GET, "/userinfo") => match owner(&state, &head.headers) {
            Some(person) => {
                let mut claims = claims_of(person);
                if state.wrong == Some(Wrong::SubjectOfUserInfo) {
                    claims["sub"] = json!("somebody else");
                }
                json_answer(200, &claims)
            }
            None => refused(401),
        },
        // As GitHub does, which says so with 200.
        (&Method::POST, "/github/login/oauth/access_token") => match trade(&mut state, &head.headers, &body, true) {
            Some((_, token)) => {
                json_answer(200, &json!({ "access_token": token, "scope": "user:email", "token_type": "bearer" }))
            }
            None => refused(200),
        },
        (&Method::GET, "/github/api/v3/user") => match owner(&state, &head.headers) {
            Some(person) => {
                json_answer(200, &json!({ "id": person.subject, "login": person.handle, "name": person.name }))
            }
            None => refused(401),
        },
        (&Method::GET, "/github/api/v3/user/emails") => match owner(&state, &head.headers) {
            Some(person) => {
                let other = json!({ "email": "second@example.org", "primary": false, "verified": true });
                let is_verified = person.is_email_verified;
                let first = person
                    .email
                    .iter()
                    .map(|email| json!({ "email": email, "primary": true, "verified": is_verified }));
                json_answer(200, &first.chain([other]).collect())
            }
            None => refused(401),
        },
        _ => refused(404),
    }
}

fn discovery(state: &State, port: u16) -> Value {
    let at = |path: &str| format!("https://localhost:{port}{path}");
    json!({
        "issuer": at(""),
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": state.keys_at.clone().unwrap_or_else(|| at("/keys")),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        "token_endpoint_auth_methods_supported":
            if state.takes_posts { vec!["client_secret_post"] } else { vec!["client_secret_basic", "client_secret_post"] },
        "code_challenge_methods_supported": ["S256"],
    })
}

/// Takes a code that is traded as it has to be.
fn trade(state: &mut State, headers: &HeaderMap, body: &[u8], is_github: bool) -> Option<(Code, String)> {
    let asked: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let in_body = asked.get("client_secret").is_some_and(|secret| secret == CLIENT_SECRET);
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encoded(CLIENT_ID), encoded(CLIENT_SECRET)));
    let in_header = headers.get("authorization").is_some_and(|value| *value == format!("Basic {basic}"));
    let is_client = match is_github || state.takes_posts {
        true => in_body && asked["client_id"] == CLIENT_ID,
        false => in_header,
    };
    let code = state.codes.remove(asked.get("code")?)?;
    let is_right = is_client
        && asked["grant_type"] == "authorization_code"
        && asked["redirect_uri"] == code.redirect_uri
        && URL_SAFE_NO_PAD.encode(Sha256::digest(&asked["code_verifier"])) == code.challenge;
    let token = match state.wrong {
        Some(Wrong::TokenForHeaders) => "two\r\nlines".to_owned(),
        _ => uuid::Uuid::new_v4().to_string(),
    };
    state.tokens.insert(token.clone(), code.person.clone());
    is_right.then_some((code, token))
}

fn owner<'a>(state: &'a State, headers: &HeaderMap) -> Option<&'a Person> {
    headers.get("user-agent")?;
    state.tokens.get(headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?)
}

fn claims_of(person: &Person) -> Value {
    let mut claims = json!({
        "sub": person.subject.to_string(),
        "preferred_username": person.handle,
        "name": person.name,
    });
    if let Some(email) = &person.email {
        claims["email"] = json!(email);
        claims["email_verified"] = json!(person.is_email_verified);
    }
    claims
}

fn tokens(state: &State, code: Code, token: &str, port: u16) -> Value {
    let (now, wrong) = (get_current_timestamp(), state.wrong);
    let mut claims = match state.is_terse {
        true => json!({ "sub": code.person.subject.to_string() }),
        false => claims_of(&code.person),
    };
    let half = |text: &str| URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..16]);
    claims["iss"] = json!(format!("https://localhost:{port}"));
    claims["aud"] = json!(CLIENT_ID);
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + 300);
    claims["nonce"] = json!(code.nonce);
    claims["at_hash"] = json!(half(token));
    match wrong {
        Some(Wrong::Nonce) => claims["nonce"] = json!("of somebody else"),
        Some(Wrong::NoNonce) => drop(claims.as_object_mut().unwrap().remove("nonce")),
        Some(Wrong::Audience) => claims["aud"] = json!("another client"),
        Some(Wrong::AnotherAudience) => claims["aud"] = json!([CLIENT_ID, "another client"]),
        Some(Wrong::Party) => claims["azp"] = json!("another client"),
        Some(Wrong::Expired) => claims["exp"] = json!(now - 1),
        Some(Wrong::Issuer) => claims["iss"] = json!("https://accounts.google.com"),
        Some(Wrong::AccessTokenHash) => claims["at_hash"] = json!(half("another token")),
        Some(Wrong::Subject) => claims["sub"] = json!("\0"),
        _ => {}
    }
    let mut header = Header::new(state.key.algorithm);
    header.kid = Some(state.key.kid.clone());
    let id_token = match wrong {
        Some(Wrong::Unsigned) => {
            let written = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            format!("{}.{}.", written(&json!({ "alg": "none" })), written(&claims))
        }
        Some(Wrong::SignedBySecret) => {
            encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(CLIENT_SECRET.as_bytes()))
                .unwrap()
        }
        Some(Wrong::SignedByAnother) => encode(&header, &claims, &Key::elliptic().encoding).unwrap(),
        _ => encode(&header, &claims, &state.key.encoding).unwrap(),
    };
    let mut answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token });
    if wrong == Some(Wrong::NoToken) {
        answer.as_object_mut().unwrap().remove("id_token");
    }
    answer
}

fn json_answer(status: u16, value: &Value) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/json; charset=utf-8");
    response.body(Full::from(value.to_string())).unwrap()
}
