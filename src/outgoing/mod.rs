//! Requests that the server makes.
//!
//! What a stranger names may be anything: this machine's own database, a router's page, the metadata of a cloud. So
//! whatever they name goes through `Outgoing::post_to_stranger`, whose connections all come from one gate: it resolves the
//! host once, looks at each address that it has, and connects to the very one that it looked at. Nothing follows
//! redirects, and no proxy is asked. What the operator's own configuration names goes through `post_to_own`, anywhere. A
//! provider that people sign in at is configured, but says by itself where else it is asked: it has a gate of its own, whose
//! exemptions are no stranger's (`ask_provider`).

mod gate;
mod public;
mod silence;
mod stranger;

use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tower::timeout::Timeout;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service};

use silence::Silences;
pub use stranger::StrangersUrl;

use crate::config::{self, Hosts};
use crate::tls;

/// How long all of it may take: the name, the connection, the request, the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take until it is encrypted; what is given up must not go on in the background.
const CONNECTING: Duration = Duration::from_secs(8);
/// Who takes longer keeps others waiting.
const LONG: Duration = Duration::from_secs(3);
/// Bytes of an answer that are read.
const READ: usize = 4 * 1024;
/// Of a provider's, whose lists of keys and addresses are long.
const READ_OF_PROVIDERS: usize = 256 * 1024;
/// Bytes of the head of an answer, which is kept whole.
const HEAD: usize = 16 * 1024;
/// How long a connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(30);
/// How many are, to one host.
const IDLE_CONNECTIONS: usize = 4;

/// Names, in lower case, and values.
pub type Headers = Vec<(&'static str, String)>;

type Connected = MaybeHttpsStream<TokioIo<TcpStream>>;
type Requests = Client<BoxCloneSyncService<Uri, Connected, BoxError>, Full<Bytes>>;

/// Asks other hosts. A clone shares connections.
#[derive(Clone)]
pub struct Outgoing {
    strangers: Requests,
    own: Requests,
    exempt: Hosts,
    silences: Silences,
    providers: Requests,
    /// Apart from the others: no stranger makes the server believe that a provider is silent.
    silences_of_providers: Silences,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// How long to wait before asking again, where they said so in seconds.
    pub retry_after: Option<Duration>,
    /// The beginning of it, for the log.
    pub text: String,
}

/// Why nothing came back.
#[derive(Debug)]
pub enum Unanswered {
    /// It leads to where strangers may not send the server.
    Forbidden,
    /// Perhaps another time.
    Unreached(String),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden => out.write_str("not on the public internet"),
            Self::Unreached(why) => out.write_str(why),
        }
    }
}

impl std::error::Error for Unanswered {}

impl Outgoing {
    pub fn new(config: &config::Requests) -> Self {
        let tls = tls::trusting_this_machine(config.authorities.clone());
        let through_gate = |exempt: &Hosts| {
            let builder = HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_only().enable_http1();
            through(builder.wrap_connector(gate::of(exempt.clone())))
        };
        let (strangers, providers) = (through_gate(&config.exempt), through_gate(&config.provider_hosts));
        let mut anywhere = HttpConnector::new();
        anywhere.enforce_http(false);
        let to_own = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(anywhere);
        Self {
            strangers,
            own: through(to_own),
            exempt: config.exempt.clone(),
            silences: Silences::default(),
            providers,
            silences_of_providers: Silences::default(),
        }
    }

    /// What a stranger names, if it is of a form that may be asked. Where it leads is seen when it is asked.
    pub fn named_by_stranger(&self, text: &str) -> Option<StrangersUrl> {
        StrangersUrl::parse(text, &self.exempt)
    }

    /// Posts to where a stranger has named, if that is on the public internet.
    pub async fn post_to_stranger(
        &self,
        to: &StrangersUrl,
        headers: Headers,
        body: Vec<u8>,
    ) -> Result<Answer, Unanswered> {
        let asked = asked(&self.strangers, &self.silences, post(to.as_str(), headers, body)?, READ);
        asked.await.map(Answer::from)
    }

    /// Posts to where the operator's configuration says.
    pub async fn post_to_own(&self, to: &str, headers: Headers, body: Vec<u8>) -> Result<Answer, Unanswered> {
        asked(&self.own, &self.silences, post(to, headers, body)?, READ).await.map(Answer::from)
    }

    /// Asks a provider, or whom it names, if that is on the public internet or where the configuration says.
    pub async fn ask_provider(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Unanswered> {
        let mut request = request.map(Full::from);
        // GitHub answers nobody who does not say who they are.
        request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static("chinwag"));
        asked(&self.providers, &self.silences_of_providers, request, READ_OF_PROVIDERS).await
    }
}

async fn asked(
    through: &Requests,
    silences: &Silences,
    request: Request<Full<Bytes>>,
    most: usize,
) -> Result<Response<Vec<u8>>, Unanswered> {
    let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let began = Instant::now();
    if !silences.may_ask(&host, began) {
        return Err(Unanswered::Unreached("not asked: it has not answered lately".into()));
    }
    let answer = answered(through.request(request), most).await;
    match &answer {
        Ok(_) => silences.spoke(&host),
        Err(_) if began.elapsed() > LONG => silences.was_silent(&host, Instant::now()),
        Err(_) => {}
    }
    answer
}

fn through<C>(connector: C) -> Requests
where
    C: Service<Uri, Response = Connected, Error = BoxError, Future: Send> + Clone + Send + Sync + 'static,
{
    Client::builder(TokioExecutor::new())
        .http1_max_buf_size(HEAD)
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .build(BoxCloneSyncService::new(Timeout::new(connector, CONNECTING)))
}

fn post(to: &str, headers: Headers, body: Vec<u8>) -> Result<Request<Full<Bytes>>, Unanswered> {
    let request = headers.into_iter().fold(Request::post(to), |request, (name, value)| request.header(name, value));
    request.body(Full::from(body)).map_err(|error| Unanswered::Unreached(format!("not a request: {error}")))
}

/// The answer, of which no more is read than counts, in no more time than counts. Once its head has come it is one,
/// whatever becomes of the rest.
async fn answered(
    asked: impl Future<Output = Result<Response<Incoming>, ClientError>>,
    most: usize,
) -> Result<Response<Vec<u8>>, Unanswered> {
    let give_up = Instant::now() + PATIENCE;
    let response = match timeout_at(give_up, asked).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(unanswered(&error)),
        Err(_) => return Err(Unanswered::Unreached("no answer in time".into())),
    };
    let (head, mut body) = response.into_parts();
    let mut text = Vec::new();
    let read = async {
        while text.len() < most
            && let Some(Ok(frame)) = body.frame().await
        {
            text.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        }
    };
    let _ = timeout_at(give_up, read).await;
    text.truncate(most);
    Ok(Response::from_parts(head, text))
}

impl From<Response<Vec<u8>>> for Answer {
    fn from(response: Response<Vec<u8>>) -> Self {
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Self {
            status: response.status().as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
            text: String::from_utf8_lossy(response.body()).into_owned(),
        }
    }
}

fn unanswered(error: &(dyn std::error::Error + 'static)) -> Unanswered {
    let causes: Vec<_> = std::iter::successors(Some(error), |error| error.source()).collect();
    let is_forbidden = |cause: &&(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    };
    match causes.iter().any(is_forbidden) {
        true => Unanswered::Forbidden,
        false => Unanswered::Unreached(causes.iter().map(ToString::to_string).collect::<Vec<_>>().join(": ")),
    }
}
