//! Everything that can be set from outside: one struct per concern, each variable named in its field's comment. A bad
//! value stops the start with one line that names the variable.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use async_graphql::Enum;
use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tracing_subscriber::EnvFilter;
use web_push_native::p256;

use crate::mail;

/// Of `LOG_RETENTION_DAYS`.
const LOG_RETENTION_DAYS: i64 = 30;
/// Of `APP_MESSAGE`.
pub const MESSAGE: &str = "/messages/{message}";
/// Of `MAIL_DELAY`.
const MAIL_DELAY: TimeDelta = TimeDelta::minutes(10);

/// A variable whose value cannot be used; its text names the variable.
#[derive(Debug)]
pub struct BadValue(pub String);

/// All there is.
#[derive(Clone, Debug)]
pub struct Config {
    pub http: Http,
    pub data: Data,
    pub mail: Mail,
    /// `None` where there is no app of one's own: then mails lead to small pages of the server.
    pub pages: Option<Pages>,
    pub limits: Limits,
    pub documents: Documents,
    pub requests: Requests,
    pub oauth: OAuth,
    pub push: Push,
    pub log: Log,
}

/// How the server is reached.
#[derive(Clone, Debug)]
pub struct Http {
    /// `LISTEN`: address and port to accept connections on.
    pub listen: SocketAddr,
    /// `PUBLIC_URL`: where people reach the server; derived from `LISTEN` when absent. Without a slash at its end.
    pub public_url: String,
    /// `CORS_ORIGINS`: origins, apart from the server's own, whose pages may use it; comma-separated.
    pub cors_origins: Vec<String>,
    /// `TRUSTED_PROXIES`: who is believed about where a request comes from (`X-Forwarded-For`).
    pub trusted_proxies: Vec<IpNet>,
    /// `GRAPHIQL`: `off` serves no such page.
    pub graphiql: Graphiql,
}

/// The page on which people try the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Graphiql {
    /// There is none.
    Off,
    /// Of the files that this program was built with, if any.
    BuiltIn,
    /// Of those in `GRAPHIQL_DIR`.
    Folder(PathBuf),
}

impl Graphiql {
    /// What it is made of, by other people.
    pub const FILES: [&str; 4] =
        ["react.production.min.js", "react-dom.production.min.js", "graphiql.min.js", "graphiql.min.css"];
}

/// Where things are kept.
#[derive(Clone, Debug)]
pub struct Data {
    /// `DATA_DIR`: the private cluster and the keys.
    pub dir: PathBuf,
    /// `DATABASE_URL`: a PostgreSQL of one's own; absent for the private cluster in `DATA_DIR`.
    pub database_url: Option<String>,
    /// `JWT_SECRET`: signs access tokens; absent for one made once and kept in `DATA_DIR`.
    pub jwt_secret: Option<String>,
    /// `LOG_RETENTION_DAYS`: how long events are kept for those who were away.
    pub log_retention: TimeDelta,
}

/// How letters reach people.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `SMTP_URL`: the server that takes them; absent for files in `DATA_DIR`.
    pub smtp_url: Option<String>,
    /// `MAIL_FROM`: whom they come from.
    pub from: Option<String>,
    /// `MAIL_DELAY`: how long something new waits until somebody who is away is mailed of it.
    pub delay: TimeDelta,
}

/// Pages of the web app, which links lead to. What stands in braces is put in.
#[derive(Clone, Debug)]
pub struct Pages {
    /// `APP_URL`: where it begins.
    pub home: String,
    /// `APP_VERIFY_EMAIL`: where an address is proven, by `{token}`.
    pub verify_email: String,
    /// `APP_RESET_PASSWORD`: where a new password is set, by `{token}`.
    pub reset_password: String,
    /// `APP_MESSAGE`: where the `{message}` of an id is shown.
    pub message: String,
    /// `APP_OAUTH`: where those come back to who sign in at a provider.
    pub oauth: String,
}

/// What is allowed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// `RATE_LIMIT`: `off` switches off all that follow.
    pub rate_limited: bool,
    /// `RATE_LIMIT_ANONYMOUS`: requests a minute of an address that is not signed in.
    pub anonymous_requests: NonZeroU32,
    /// `RATE_LIMIT_OBJECTS`: objects a minute that somebody's operations may make; as many again for their own events.
    pub objects: NonZeroU32,
    /// `RATE_LIMIT_MESSAGES`: messages a minute that somebody may send.
    pub messages: NonZeroU32,
    /// `RATE_LIMIT_SUBSCRIPTIONS`: subscriptions a minute that somebody may open.
    pub subscriptions: NonZeroU32,
    /// `RATE_LIMIT_SIGN_INS`: attempts a minute to sign in from an address.
    pub sign_ins: NonZeroU32,
    /// `RATE_LIMIT_REGISTRATIONS`: accounts a minute that an address may make; as many requests for mails.
    pub registrations: NonZeroU32,
    /// `REGISTRATION`: who may come.
    pub registration: RegistrationPolicy,
}

/// Who may create an account. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Anyone.
    Open,
    /// Whoever has an invitation.
    Invitation,
    /// Only administrators, for others.
    AdminOnly,
}

/// Which operations are run.
#[derive(Clone, Debug)]
pub struct Documents {
    /// `TRUSTED_DOCUMENTS`: a file of operations that clients name instead of sending them.
    pub trusted: Option<PathBuf>,
    /// `TRUSTED_DOCUMENTS_ONLY`: `on` refuses all others.
    pub only_trusted: bool,
}

/// What the server asks of other hosts.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// `PUSH_HOSTS`: hosts that people may name though they are not on the public internet, or not at port 443.
    pub exempt: Hosts,
    /// `PROVIDER_HOSTS`: hosts that a provider of `oauth` may name though they are not. Where it is itself need not be said.
    pub provider_hosts: Hosts,
    /// `EXTRA_CA_FILE`: a file of certificates, as PEM, of authorities trusted besides the machine's own.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Some hosts, each at a port.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Arc<HashSet<(String, u16)>>);

/// Where people sign in besides here.
#[derive(Clone, Debug, Default)]
pub struct OAuth {
    /// In the order in which they are offered.
    pub providers: Vec<ProviderConfig>,
    /// Where providers send the browser back to: the app's page, and `OAUTH_REDIRECT_URLS`, comma-separated.
    pub redirect_urls: Vec<String>,
}

/// A provider.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// `google`, `github`, or one of `OIDC_PROVIDERS`.
    pub key: String,
    /// `OIDC_…_NAME`: to show.
    pub name: String,
    /// `OIDC_…_ICON_URL`: its logo.
    pub icon_url: Option<String>,
    /// `OIDC_…_ISSUER`, as the provider writes it itself; `GITHUB_URL`.
    pub issuer: String,
    /// `…_CLIENT_ID`: what it knows this server by.
    pub client_id: String,
    /// `…_CLIENT_SECRET`: what proves it.
    pub client_secret: String,
    pub kind: ProviderKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// OpenID Connect.
    OpenId,
    /// GitHub, whose API is there.
    GitHub { api: String },
}

/// How devices are reached.
#[derive(Clone, Debug, Default)]
pub struct Push {
    /// `VAPID_PRIVATE_KEY`: names the server to push services; absent for one derived from the secret that signs tokens.
    pub vapid_key: Option<p256::SecretKey>,
    /// Who carries pushes to Apple's and Google's devices; absent for nobody.
    pub webhook: Option<PushWebhook>,
}

/// A service of the operator's own.
#[derive(Clone, Debug)]
pub struct PushWebhook {
    /// `PUSH_WEBHOOK_URL`: where it is; anywhere.
    pub url: String,
    /// `PUSH_WEBHOOK_SECRET`: what requests are signed with.
    pub secret: Vec<u8>,
}

/// What is logged.
#[derive(Clone, Debug)]
pub struct Log {
    /// `LOG`: what is logged how verbosely, in tracing's words, as in `info,chinwag=debug`.
    pub filter: String,
    /// `LOG_FORMAT`: `text` for people or `json` for machines.
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Every variable with what it is for, as `--help` shows them.
pub const VARIABLES: &str = "\
Environment (also read from .env, and from .env.NAME where CHINWAG_ENV says NAME):
  LISTEN        address and port to accept connections on [127.0.0.1:8080]
  DATA_DIR      where the private database and the keys are [./data; for root /var/lib/chinwag]
  DATABASE_URL  a PostgreSQL of your own, as postgres://user@host/chinwag [the private one in DATA_DIR]
  JWT_SECRET    signs access tokens, at least 32 bytes [made once and kept in DATA_DIR]
  PUBLIC_URL    where people reach the server, as https://chat.example.org [from LISTEN]
  LOG_RETENTION_DAYS  how long events are kept for those who were away; messages stay for ever [30]
  SMTP_URL      the server that takes mails, as smtps://user:password@mail.example.org, or smtp://localhost
                [none: mails go into files in DATA_DIR/mail]
  MAIL_FROM     whom mails come from, as Chat <chat@example.org> [none; needed with SMTP_URL]
  MAIL_DELAY    minutes that something new waits until somebody who is away is mailed of it [10]
  APP_URL       the web app, as https://app.example.org, which links in mails lead to [small pages of the server]
  APP_VERIFY_EMAIL  its page to prove an address [/verify-email?token={token}]
  APP_RESET_PASSWORD  its page to set a new password [/reset-password?token={token}]
  APP_MESSAGE   its page that shows a message [/messages/{message}]
  APP_OAUTH     its page to come back to from a provider [/oauth/callback; of PUBLIC_URL where there is no APP_URL]
  OAUTH_REDIRECT_URLS  further pages to come back to, and apps, as org.example.chat:/oauth, comma-separated
  GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET  let people sign in with Google
  GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET  let people sign in with GitHub
  GITHUB_URL    a GitHub of your own [https://github.com]
  OIDC_PROVIDERS  further providers (OpenID Connect) by names of your choice, as in work,school; each has, as of work,
                OIDC_WORK_ISSUER, OIDC_WORK_CLIENT_ID, OIDC_WORK_CLIENT_SECRET, OIDC_WORK_NAME, OIDC_WORK_ICON_URL
  PROVIDER_HOSTS  what providers refer to that is not on the public internet or not at port 443, as host:port,
                comma-separated; where a provider is itself need not be said
  CORS_ORIGINS  further origins whose pages may use the server, comma-separated [on loopback: localhost]
  GRAPHIQL      on, or off: then there is no such page [on]
  GRAPHIQL_DIR  where scripts/fetch-graphiql has put GraphiQL's files [those that were there when this was built]
  REGISTRATION  who may create an account: open (anyone), invitation (whoever has one) or admin-only [open]
  RATE_LIMIT    on or off [on]
  TRUSTED_DOCUMENTS  a file of operations that clients name instead of sending them: Apollo's persisted query
                manifest, or an object of texts by their ids [none]
  TRUSTED_DOCUMENTS_ONLY  on refuses all other operations, GraphiQL's too [off]
  VAPID_PRIVATE_KEY  names the server to push services: 32 bytes in base64url [derived from JWT_SECRET]
  PUSH_HOSTS    push services that are not on the public internet or not at port 443, as host:port, comma-separated
  PUSH_WEBHOOK_URL  who carries pushes to APNS and FCM devices, as http://localhost:9000/push [nobody]
  PUSH_WEBHOOK_SECRET  signs what goes there: whsec_ and 24 to 64 bytes in base64
  EXTRA_CA_FILE  certificates (PEM) of authorities to trust besides the machine's own [none]
  LOG           what is logged, as in info,chinwag=debug [info]
  LOG_FORMAT    text or json [text]
  CHINWAG_PG_BIN  the folder of PostgreSQL's postgres and initdb [found]
  CHINWAG_ENV   names a further file, which wins over .env; the environment itself wins over both";

/// Reads `.env.$CHINWAG_ENV` and `.env` of the present folder into the environment; what is set first stays. Before any
/// thread is started: changing the environment is safe only then.
pub fn read_env_files() -> Result<(), BadValue> {
    let name = match std::env::var("CHINWAG_ENV") {
        Ok(name) => Some(name),
        // It may stand in `.env` itself.
        Err(_) => dotenvy::from_path_iter(".env")
            .ok()
            .and_then(|mut variables| variables.find_map(|pair| pair.ok().filter(|(name, _)| name == "CHINWAG_ENV")))
            .map(|(_, value)| value),
    };
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        let file = format!(".env.{name}");
        read_env_file(&file)?.then_some(()).ok_or_else(|| BadValue(format!("CHINWAG_ENV: there is no file {file}")))?;
    }
    read_env_file(".env").map(drop)
}

/// Whether there is such a file. Only in the present folder: one of a folder above was meant for something else.
fn read_env_file(file: &str) -> Result<bool, BadValue> {
    match dotenvy::from_path(file) {
        Ok(()) => Ok(true),
        Err(error) if error.not_found() => Ok(false),
        // Its own text would show the line, which may hold a secret.
        Err(dotenvy::Error::LineParse(_, column)) => {
            Err(BadValue(format!("{file}: a line is not NAME=VALUE, at its character {}", column + 1)))
        }
        Err(dotenvy::Error::Io(error)) => Err(BadValue(format!("{file}: {error}"))),
        Err(_) => Err(BadValue(format!("{file}: cannot be read"))),
    }
}

impl Config {
    /// From the environment, after `read_env_files`.
    pub fn from_env() -> Result<Self, BadValue> {
        let (http, mail) = (Http::from_env()?, Mail::from_env()?);
        // Links in mails would lead to nobody, or to whoever has that address elsewhere.
        let is_named = std::env::var("PUBLIC_URL").is_ok();
        if mail.smtp_url.is_some() && !http.listen.ip().is_loopback() && !is_named {
            let message = "PUBLIC_URL: wants where people reach the server, as https://chat.example.org: SMTP_URL is set, \
                           and links in mails lead there";
            return Err(BadValue(message.into()));
        }
        let pages = Pages::from_env()?;
        let oauth = OAuth::from_env(&http, pages.as_ref())?;
        Ok(Self {
            http,
            data: Data::from_env()?,
            mail,
            pages,
            limits: Limits::from_env()?,
            documents: Documents::from_env()?,
            requests: Requests::from_env(&oauth)?,
            oauth,
            push: Push::from_env()?,
            log: Log::from_env()?,
        })
    }

    /// A server of the tests: any free port, its data wherever the test says.
    pub fn for_tests(database_url: String, data_dir: PathBuf) -> Self {
        Self {
            http: Http {
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                public_url: "http://localhost:8080".into(),
                cors_origins: Vec::new(),
                trusted_proxies: on_this_machine(),
                graphiql: Graphiql::BuiltIn,
            },
            data: Data {
                dir: data_dir,
                database_url: Some(database_url),
                jwt_secret: Some("a secret of the tests, long enough for HS256".into()),
                log_retention: TimeDelta::days(LOG_RETENTION_DAYS),
            },
            mail: Mail { smtp_url: None, from: None, delay: MAIL_DELAY },
            pages: None,
            limits: Limits { rate_limited: false, ..Limits::default() },
            documents: Documents { trusted: None, only_trusted: false },
            requests: Requests::default(),
            oauth: OAuth::default(),
            push: Push::default(),
            log: Log { filter: "warn".into(), format: LogFormat::Text },
        }
    }
}

impl Http {
    /// Whether people reach the server from other machines, directly or through a proxy.
    pub fn is_public(&self) -> bool {
        !self.listen.ip().is_loopback() || !is_loopback(self.host())
    }

    /// Whether people reach the server by https.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The name in `PUBLIC_URL`.
    pub fn host(&self) -> &str {
        let host = self.public_url.split("://").nth(1).unwrap_or_default();
        match host.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => host,
        }
    }

    fn from_env() -> Result<Self, BadValue> {
        let listen = read("LISTEN", "127.0.0.1:8080", "an address and a port, as in 127.0.0.1:8080", |text| {
            text.parse::<SocketAddr>().ok()
        })?;
        let public_url = match std::env::var("PUBLIC_URL") {
            Ok(_) => read("PUBLIC_URL", "", "a URL without a path, as in https://chat.example.org", as_origin)?,
            Err(_) if listen.ip().is_unspecified() || answers_to_localhost(listen.ip()) => {
                format!("http://localhost:{}", listen.port())
            }
            Err(_) => format!("http://{listen}"),
        };
        let cors_origins =
            read("CORS_ORIGINS", "", "origins as in https://app.example.org, comma-separated", |text| {
                text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(as_origin).collect()
            })?;
        let wanted = "addresses or networks as in 10.0.0.0/8, comma-separated";
        let trusted_proxies = optional("TRUSTED_PROXIES", wanted, |text| {
            let networks = text.split(',').map(str::trim).filter(|network| !network.is_empty());
            networks.map(as_network).collect()
        })?;
        let trusted_proxies = trusted_proxies.unwrap_or_else(on_this_machine);
        Ok(Self { listen, public_url, cors_origins, trusted_proxies, graphiql: Graphiql::from_env()? })
    }
}

impl Graphiql {
    fn from_env() -> Result<Self, BadValue> {
        let is_on = read("GRAPHIQL", "on", "on or off", as_switch)?;
        let folder = optional("GRAPHIQL_DIR", "a folder with the files of scripts/fetch-graphiql", |text| {
            let folder = PathBuf::from(text);
            Self::FILES.iter().all(|file| folder.join(file).is_file()).then_some(folder)
        })?;
        Ok(match folder {
            _ if !is_on => Self::Off,
            Some(folder) => Self::Folder(folder),
            None => Self::BuiltIn,
        })
    }
}

/// A proxy that stands on this machine, as most do that stand before one server.
fn on_this_machine() -> Vec<IpNet> {
    [(IpAddr::from(Ipv4Addr::LOCALHOST), 8), (Ipv6Addr::LOCALHOST.into(), 128)]
        .map(|(address, bits)| IpNet::new_assert(address, bits).trunc())
        .into()
}

fn as_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Whether `localhost` leads here: 127.0.0.2 is loopback too, and nothing finds it by that name.
fn answers_to_localhost(address: IpAddr) -> bool {
    address == Ipv4Addr::LOCALHOST || address == Ipv6Addr::LOCALHOST
}

impl Data {
    fn from_env() -> Result<Self, BadValue> {
        let database_url = match std::env::var("DATABASE_URL") {
            Ok(_) => {
                Some(read("DATABASE_URL", "", "a PostgreSQL address, as in postgres://user@host/chinwag", |text| {
                    text.parse::<tokio_postgres::Config>().ok().map(|_| text.to_owned())
                })?)
            }
            Err(_) => None,
        };
        let jwt_secret = match std::env::var("JWT_SECRET") {
            // HS256 wants a key as long as its digest (RFC 7518, 3.2).
            Ok(_) => {
                Some(read("JWT_SECRET", "", "at least 32 bytes", |text| (text.len() >= 32).then(|| text.to_owned()))?)
            }
            Err(_) => None,
        };
        let default = LOG_RETENTION_DAYS.to_string();
        let log_retention = read("LOG_RETENTION_DAYS", &default, "days, 1 to 36500", |text| {
            text.parse().ok().filter(|days| (1..=36_500).contains(days)).map(TimeDelta::days)
        })?;
        Ok(Self { dir: data_dir()?, database_url, jwt_secret, log_retention })
    }
}

impl Mail {
    fn from_env() -> Result<Self, BadValue> {
        let wanted = "an SMTP server, as in smtps://user:password@mail.example.org; smtp:// with a password only with \
                      ?tls=required, or on this machine";
        let smtp_url = optional("SMTP_URL", wanted, |url| {
            let uri: Uri = url.parse().ok()?;
            let has_password = uri.authority()?.as_str().contains('@');
            let is_private = uri.scheme_str() == Some("smtps") || uri.query() == Some("tls=required");
            let is_safe = !has_password || is_private || is_loopback(uri.host()?);
            mail::smtp(url, "localhost").ok().filter(|_| is_safe).map(|_| url.to_owned())
        })?;
        let from = optional("MAIL_FROM", "an address, as in chat@example.org or Chat <chat@example.org>", |text| {
            text.parse::<lettre::message::Mailbox>().ok().map(|_| text.to_owned())
        })?;
        if smtp_url.is_some() && from.is_none() {
            return Err(BadValue("MAIL_FROM: wants the address that mails come from, as SMTP_URL is set".into()));
        }
        let default = MAIL_DELAY.num_minutes().to_string();
        let delay = read("MAIL_DELAY", &default, "minutes, 1 to 1440", |text| {
            text.parse().ok().filter(|minutes| (1..=1440).contains(minutes)).map(TimeDelta::minutes)
        })?;
        Ok(Self { smtp_url, from, delay })
    }
}

impl Default for Limits {
    fn default() -> Self {
        const fn a_minute(number: u32) -> NonZeroU32 {
            NonZeroU32::new(number).expect("more than none")
        }
        Self {
            rate_limited: true,
            anonymous_requests: a_minute(100),
            // Twenty of the largest operations that there may be, or the start of an app a hundred times.
            objects: a_minute(100_000),
            messages: a_minute(120),
            // An app opens some tens when it starts, and all of them again whenever its network comes back.
            subscriptions: a_minute(600),
            sign_ins: a_minute(20),
            registrations: a_minute(10),
            registration: RegistrationPolicy::Open,
        }
    }
}

impl Limits {
    fn from_env() -> Result<Self, BadValue> {
        let registration = read("REGISTRATION", "open", "open, invitation or admin-only", |text| match text {
            "open" => Some(RegistrationPolicy::Open),
            "invitation" => Some(RegistrationPolicy::Invitation),
            "admin-only" => Some(RegistrationPolicy::AdminOnly),
            _ => None,
        })?;
        let default = Self::default();
        let number = |name, default: NonZeroU32| {
            read(name, &default.to_string(), "a number a minute, at least 1", |text| text.parse().ok())
        };
        Ok(Self {
            rate_limited: read("RATE_LIMIT", "on", "on or off", as_switch)?,
            anonymous_requests: number("RATE_LIMIT_ANONYMOUS", default.anonymous_requests)?,
            objects: number("RATE_LIMIT_OBJECTS", default.objects)?,
            messages: number("RATE_LIMIT_MESSAGES", default.messages)?,
            subscriptions: number("RATE_LIMIT_SUBSCRIPTIONS", default.subscriptions)?,
            sign_ins: number("RATE_LIMIT_SIGN_INS", default.sign_ins)?,
            registrations: number("RATE_LIMIT_REGISTRATIONS", default.registrations)?,
            registration,
        })
    }
}

impl Pages {
    fn from_env() -> Result<Option<Self>, BadValue> {
        let wanted = "the URL of the web app, as in https://app.example.org";
        let home = optional("APP_URL", wanted, |text| as_url(text.trim_end_matches('/')))?;
        let page = |name, default, what: &str| {
            let wanted = format!("a path with {what} in it, as in {default}");
            let path = read(name, default, &wanted, |text| {
                let is_path =
                    text.starts_with(['/', '?', '#']) && text.is_ascii() && !text.contains(char::is_whitespace);
                (is_path && text.contains(what)).then(|| text.to_owned())
            })?;
            match &home {
                Some(home) => Ok(format!("{home}{path}")),
                None if std::env::var(name).is_ok() => {
                    Err(BadValue(format!("{name}: wants APP_URL, which it is below")))
                }
                None => Ok(path),
            }
        };
        let verify_email = page("APP_VERIFY_EMAIL", "/verify-email?token={token}", "{token}")?;
        let reset_password = page("APP_RESET_PASSWORD", "/reset-password?token={token}", "{token}")?;
        let message = page("APP_MESSAGE", MESSAGE, "{message}")?;
        let oauth = page("APP_OAUTH", "/oauth/callback", "/")?;
        Ok(home.clone().map(|home| Self { home, verify_email, reset_password, message, oauth }))
    }
}

impl Documents {
    fn from_env() -> Result<Self, BadValue> {
        let trusted = read("TRUSTED_DOCUMENTS", "", "a file", |text| Some(text.to_owned()))?;
        let trusted = Some(trusted).filter(|path| !path.is_empty()).map(PathBuf::from);
        let only_trusted = read("TRUSTED_DOCUMENTS_ONLY", "off", "on or off", as_switch)?;
        if only_trusted && trusted.is_none() {
            return Err(BadValue("TRUSTED_DOCUMENTS_ONLY: wants TRUSTED_DOCUMENTS, or nothing could run".into()));
        }
        Ok(Self { trusted, only_trusted })
    }
}

impl Requests {
    fn from_env(oauth: &OAuth) -> Result<Self, BadValue> {
        let hosts = |text: &str| listed(text).map(as_host).collect::<Option<Vec<_>>>();
        let exempt = read("PUSH_HOSTS", "", "hosts as in push.lan:8443, comma-separated", hosts)?;
        let provider_hosts = read("PROVIDER_HOSTS", "", "hosts as in id.lan:8443, comma-separated", hosts)?;
        // Whoever configures a provider has said where it is.
        let own = oauth.providers.iter().filter_map(|provider| host_of(&provider.issuer));
        let provider_hosts = provider_hosts.into_iter().chain(own).collect();
        let authorities = read("EXTRA_CA_FILE", "", "a file of certificates, as PEM", |text| match text {
            "" => Some(Vec::new()),
            path => {
                let found = CertificateDer::pem_file_iter(path).ok()?.collect::<Result<Vec<_>, _>>().ok();
                found.filter(|certificates| !certificates.is_empty())
            }
        })?;
        Ok(Self { exempt: exempt.into_iter().collect(), provider_hosts, authorities })
    }
}

impl Hosts {
    pub fn contains(&self, host: &str, port: u16) -> bool {
        !self.0.is_empty() && self.0.contains(&(bare(host), port))
    }
}

impl FromIterator<(String, u16)> for Hosts {
    fn from_iter<T: IntoIterator<Item = (String, u16)>>(hosts: T) -> Self {
        Self(Arc::new(hosts.into_iter().map(|(host, port)| (bare(&host), port)).collect()))
    }
}

/// A host as it is compared: without the brackets that an IPv6 address has in a URL.
fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_lowercase()
}

impl OAuth {
    fn from_env(http: &Http, pages: Option<&Pages>) -> Result<Self, BadValue> {
        let page = pages.map_or_else(|| format!("{}/oauth/callback", http.public_url), |pages| pages.oauth.clone());
        let wanted = "URLs as in https://app.example.org/oauth or org.example.chat:/oauth, comma-separated";
        let more: Vec<String> = read("OAUTH_REDIRECT_URLS", "", wanted, |text| {
            listed(text).map(|url| as_redirect_url(url).then(|| url.to_owned())).collect()
        })?;
        let mut providers = Vec::new();
        if let Some((client_id, client_secret)) = client("GOOGLE")? {
            providers.push(ProviderConfig {
                key: "google".into(),
                name: "Google".into(),
                icon_url: None,
                issuer: "https://accounts.google.com".into(),
                client_id,
                client_secret,
                kind: ProviderKind::OpenId,
            });
        }
        if let Some((client_id, client_secret)) = client("GITHUB")? {
            let own = optional("GITHUB_URL", "an https URL, as in https://github.example.org", as_https)?;
            let own = own.map(|url| url.trim_end_matches('/').to_owned());
            // As GitHub and GitHub Enterprise have it.
            let api = own.as_ref().map_or("https://api.github.com".to_owned(), |url| format!("{url}/api/v3"));
            providers.push(ProviderConfig {
                key: "github".into(),
                name: "GitHub".into(),
                icon_url: None,
                issuer: own.unwrap_or_else(|| "https://github.com".into()),
                client_id,
                client_secret,
                kind: ProviderKind::GitHub { api },
            });
        }
        let wanted = "names of 1 to 32 of a-z and 0-9, each once, comma-separated; google and github have their own";
        let keys: Vec<String> = read("OIDC_PROVIDERS", "", wanted, |text| {
            let keys: Vec<String> = listed(text).map(str::to_owned).collect();
            let is_good = |key: &String| {
                (1..=32).contains(&key.len())
                    && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                    && !["google", "github"].contains(&key.as_str())
            };
            let is_once = keys.iter().collect::<HashSet<_>>().len() == keys.len();
            (is_once && keys.iter().all(is_good)).then_some(keys)
        })?;
        for key in keys {
            let name = format!("OIDC_{}", key.to_uppercase());
            let (issuer, shown) = (format!("{name}_ISSUER"), format!("{name}_NAME"));
            let issuer = read(&issuer, "", "an https URL, as its discovery document writes it", as_https)?;
            let Some((client_id, client_secret)) = client(&name)? else {
                return Err(BadValue(format!("{name}_CLIENT_ID: wants what the provider knows this server by")));
            };
            let shown = read(&shown, &key, "a name to show", |text| (!text.is_empty()).then(|| text.to_owned()))?;
            let icon_url = optional(&format!("{name}_ICON_URL"), "the URL of a picture", as_url)?;
            let kind = ProviderKind::OpenId;
            providers.push(ProviderConfig { key, name: shown, icon_url, issuer, client_id, client_secret, kind });
        }
        Ok(Self { providers, redirect_urls: std::iter::once(page).chain(more).collect() })
    }
}

/// What a provider knows this server by, and what proves it.
fn client(name: &str) -> Result<Option<(String, String)>, BadValue> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let Some(id) = optional(&format!("{name}_CLIENT_ID"), "the id of a client", given)? else { return Ok(None) };
    let secret = read(&format!("{name}_CLIENT_SECRET"), "", "the secret of that client", given)?;
    Ok(Some((id, secret)))
}

impl Push {
    fn from_env() -> Result<Self, BadValue> {
        let vapid_key = match std::env::var("VAPID_PRIVATE_KEY") {
            Ok(_) => Some(read("VAPID_PRIVATE_KEY", "", "a private key of P-256: 32 bytes in base64url", |text| {
                p256::SecretKey::from_slice(&URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?).ok()
            })?),
            Err(_) => None,
        };
        let webhook = match std::env::var("PUSH_WEBHOOK_URL") {
            Ok(_) => {
                let url = read("PUSH_WEBHOOK_URL", "", "a URL, as in http://localhost:9000/push", as_url)?;
                // As long as Standard Webhooks has it.
                let secret = read("PUSH_WEBHOOK_SECRET", "", "whsec_ and 24 to 64 bytes in base64", |text| {
                    let secret = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
                    (24..=64).contains(&secret.len()).then_some(secret)
                })?;
                Some(PushWebhook { url, secret })
            }
            Err(_) => None,
        };
        Ok(Self { vapid_key, webhook })
    }
}

impl Log {
    fn from_env() -> Result<Self, BadValue> {
        let filter = read("LOG", "info", "a filter, as in info,chinwag=debug", |text| {
            EnvFilter::try_new(text).ok().map(|_| text.to_owned())
        })?;
        let format = read("LOG_FORMAT", "text", "text or json", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })?;
        Ok(Self { filter, format })
    }

    /// Starts logging, to standard error: what a command answers with goes to standard output.
    pub fn start(&self) {
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(&self.filter)).with_writer(io::stderr);
        match self.format {
            LogFormat::Text => log.init(),
            LogFormat::Json => log.json().init(),
        }
    }
}

/// `DATA_DIR`: `./data`, but for root `/var/lib/chinwag`: PostgreSQL runs as another user then, who could not enter a
/// private home.
fn data_dir() -> Result<PathBuf, BadValue> {
    let default = if rustix::process::geteuid().is_root() { "/var/lib/chinwag" } else { "./data" };
    let dir = read("DATA_DIR", default, "a folder", |text| (!text.is_empty()).then(|| PathBuf::from(text)))?;
    std::path::absolute(&dir).map_err(|error| BadValue(format!("DATA_DIR: {}: {error}", dir.display())))
}

/// One variable, or its default. The message never shows the value: it may be a secret.
fn read<T>(name: &str, default: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, BadValue> {
    let text = match std::env::var(name) {
        Ok(text) => text,
        Err(std::env::VarError::NotPresent) => default.to_owned(),
        Err(std::env::VarError::NotUnicode(_)) => return Err(BadValue(format!("{name}: not UTF-8"))),
    };
    parse(text.trim()).ok_or_else(|| BadValue(format!("{name}: wants {wanted}")))
}

/// One variable that has no default.
fn optional<T>(name: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, BadValue> {
    match std::env::var(name) {
        Err(std::env::VarError::NotPresent) => Ok(None),
        _ => read(name, "", wanted, parse).map(Some),
    }
}

fn as_switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// Scheme, host and port, as browsers send it in `Origin`.
fn as_origin(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    match uri.scheme_str() {
        Some(scheme @ ("http" | "https")) if is_bare => {
            Some(format!("{scheme}://{}", uri.authority()?.as_str().to_lowercase()))
        }
        _ => None,
    }
}

/// A host, at 443 unless it says another port.
fn as_host(text: &str) -> Option<(String, u16)> {
    let uri: Uri = format!("https://{text}").parse().ok()?;
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('@');
    is_bare.then(|| Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(443)))).flatten()
}

/// What stands between commas.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn as_https(text: &str) -> Option<String> {
    as_url(text).filter(|url| url.starts_with("https://"))
}

/// Host and port of an https URL.
fn host_of(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    Some((uri.host()?.to_owned(), uri.port_u16().unwrap_or(443)))
}

/// Whether a code may be sent there: https, this machine, or an app under a name of its own, which has a dot (RFC 8252).
fn as_redirect_url(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback),
        scheme => scheme.contains('.'),
    };
    is_safe && url.fragment().is_none()
}

/// A whole URL.
fn as_url(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let is_whole = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    is_whole.then(|| text.to_owned())
}
