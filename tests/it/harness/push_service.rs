//! A push service, and browsers that subscribe there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, Request, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chinwag::config::Config;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
use web_push_native::{Auth, decrypt};

use super::https::Https;

pub struct PushService {
    pub port: u16,
    /// The authority that its certificate is of.
    pub authority: CertificateDer<'static>,
    inbox: mpsc::UnboundedReceiver<Pushed>,
    behaviour: Arc<Mutex<Behaviour>>,
    _serving: AbortOnDropHandle<()>,
}

/// How it answers, by the path of the endpoint; 201 otherwise.
type Behaviour = Vec<(String, Answers)>;

#[derive(Clone)]
enum Answers {
    With(u16, Vec<(&'static str, String)>),
    Never,
}

/// What a push service was asked.
#[derive(Debug)]
pub struct Pushed {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A browser, which alone can read what is pushed to it.
pub struct Browser {
    pub endpoint: String,
    pub path: String,
    secret: SecretKey,
    auth: [u8; 16],
}

impl PushService {
    pub async fn start() -> Self {
        let https = Https::bind().await;
        let (port, authority) = (https.port, https.authority.clone());
        let (tell, inbox) = mpsc::unbounded_channel();
        let behaviour = Arc::new(Mutex::new(Behaviour::new()));
        let answers = behaviour.clone();
        let serving = https.serve(move |request| answer(request, tell.clone(), answers.clone()));
        Self { port, authority, inbox, behaviour, _serving: serving }
    }

    /// A server whose operator runs this service.
    pub fn allowed(&self) -> impl Fn(&mut Config) + use<> {
        let (host, authority) = (("localhost".to_owned(), self.port), self.authority.clone());
        move |config| {
            config.requests.exempt = [host.clone()].into_iter().collect();
            config.requests.authorities = vec![authority.clone()];
        }
    }

    /// A browser that subscribes here.
    pub fn browser(&self) -> Browser {
        Browser::at(&format!("https://localhost:{}", self.port))
    }

    /// Answers this browser's pushes so from now on.
    pub fn answer(&self, browser: &Browser, status: u16, headers: &[(&'static str, String)]) {
        self.behave(browser, Answers::With(status, headers.to_vec()));
    }

    /// Takes this browser's pushes, and never answers.
    pub fn fall_silent(&self, browser: &Browser) {
        self.behave(browser, Answers::Never);
    }

    fn behave(&self, browser: &Browser, answers: Answers) {
        self.behaviour.lock().unwrap().insert(0, (browser.path.clone(), answers));
    }

    /// The next push, whoever it is for.
    pub async fn next(&mut self) -> Pushed {
        let next = tokio::time::timeout(Duration::from_secs(20), self.inbox.recv()).await;
        next.expect("nothing was pushed").unwrap()
    }

    /// Whether nothing has come but what was taken.
    pub fn is_empty(&self) -> bool {
        self.inbox.is_empty()
    }
}

async fn answer(
    request: Request<Incoming>,
    tell: mpsc::UnboundedSender<Pushed>,
    behaviour: Arc<Mutex<Behaviour>>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let body = body.collect().await.unwrap().to_bytes();
    let answers = behaviour.lock().unwrap().iter().find(|(of, _)| *of == path).map(|(_, answers)| answers.clone());
    let _ = tell.send(Pushed { path, headers: head.headers, body });
    let (status, headers) = match answers {
        Some(Answers::Never) => std::future::pending().await,
        Some(Answers::With(status, headers)) => (status, headers),
        None => (201, Vec::new()),
    };
    let response =
        headers.into_iter().fold(Response::builder(), |response, (name, value)| response.header(name, value));
    response.status(StatusCode::from_u16(status).unwrap()).body(Full::default()).unwrap()
}

impl Browser {
    /// One that subscribes at another service.
    pub fn at(origin: &str) -> Self {
        let path = format!("/send/{}", uuid::Uuid::new_v4());
        let secret = SecretKey::from_slice(&rand::random::<[u8; 32]>()).unwrap();
        Self { endpoint: format!("{origin}{path}"), path, secret, auth: rand::random() }
    }

    /// What it gives to the page, as `JSON.stringify` writes it.
    pub fn subscription(&self) -> String {
        let p256dh = URL_SAFE_NO_PAD.encode(self.secret.public_key().to_encoded_point(false));
        let keys = json!({ "p256dh": p256dh, "auth": URL_SAFE_NO_PAD.encode(self.auth) });
        json!({ "endpoint": self.endpoint, "expirationTime": null, "keys": keys }).to_string()
    }

    /// What its service worker reads.
    pub fn read(&self, pushed: &Pushed) -> Value {
        assert_eq!(pushed.path, self.path, "for another browser");
        assert_eq!(pushed.headers["content-encoding"], "aes128gcm");
        assert!(pushed.body.len() <= 4096, "{} bytes", pushed.body.len());
        let text = decrypt(pushed.body.to_vec(), &self.secret, &Auth::from(self.auth)).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

impl Pushed {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Who asked, as the service can prove: the key they subscribed under, and what they say.
    pub fn vapid(&self) -> (String, Value) {
        let authorization = self.header("authorization").unwrap().strip_prefix("vapid t=").unwrap();
        let (token, key) = authorization.split_once(", k=").unwrap();
        let point = URL_SAFE_NO_PAD.decode(key).unwrap();
        let (x, y) = point[1..].split_at(32);
        let good = DecodingKey::from_ec_components(&URL_SAFE_NO_PAD.encode(x), &URL_SAFE_NO_PAD.encode(y)).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_aud = false;
        (key.to_owned(), decode::<Value>(token, &good, &validation).unwrap().claims)
    }
}
