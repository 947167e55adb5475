//! Everything that can be set from outside: one struct per concern, each variable named in its field's comment. A bad
//! value stops the start with one line that names the variable.

mod data;
mod documents;
mod env_files;
mod graphiql;
mod http;
mod limits;
mod log;
mod mail;
mod oauth;
mod pages;
mod push;
mod requests;
mod variable;

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::TimeDelta;

pub use self::data::Data;
pub use self::documents::Documents;
pub use self::env_files::read_env_files;
pub use self::graphiql::Graphiql;
pub use self::http::Http;
pub use self::limits::{Limits, RegistrationPolicy};
pub use self::log::{Log, LogFormat};
pub use self::mail::Mail;
pub use self::oauth::{OAuth, ProviderConfig, ProviderKind};
pub use self::pages::{MESSAGE, Pages};
pub use self::push::{Push, PushWebhook};
pub use self::requests::{Hosts, Requests};
pub use self::variable::BadValue;

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
  TRUSTED_PROXIES  addresses or networks of proxies that are believed about where a request comes from
                (X-Forwarded-For), as in 10.0.0.0/8, comma-separated [those on this machine]
  GRAPHIQL      on, or off: then there is no such page [on]
  GRAPHIQL_DIR  where scripts/fetch-graphiql has put GraphiQL's files [those that were there when this was built]
  REGISTRATION  who may create an account: open (anyone), invitation (whoever has one) or admin-only [open]
  RATE_LIMIT    on or off: whether there are limits for a minute, which are [on]
  RATE_LIMIT_ANONYMOUS  requests of an address that is not signed in [100]
  RATE_LIMIT_OBJECTS  objects that somebody's operations may make, and as many for their own events [100000]
  RATE_LIMIT_MESSAGES  messages that somebody may send [120]
  RATE_LIMIT_SUBSCRIPTIONS  subscriptions that somebody may open [600]
  RATE_LIMIT_SIGN_INS  attempts of an address to sign in, or to give its password; by a provider each takes two [20]
  RATE_LIMIT_REGISTRATIONS  accounts that an address may make, and as many mails that it may ask for
                or answer [10]
  TRUSTED_DOCUMENTS  a file of operations that clients name instead of sending them: Apollo's persisted query
                manifest, or an object of texts by their ids [none]
  TRUSTED_DOCUMENTS_ONLY  on refuses all other operations, GraphiQL's too [off]
  INTROSPECTION  on, or off: then nobody is told the schema [on]
  VAPID_PRIVATE_KEY  names the server to push services: 32 bytes in base64url [derived from JWT_SECRET]
  PUSH_HOSTS    push services that are not on the public internet or not at port 443, as host:port, comma-separated
  PUSH_WEBHOOK_URL  who carries pushes to APNS and FCM devices, as http://localhost:9000/push [nobody]
  PUSH_WEBHOOK_SECRET  signs what goes there: whsec_ and 24 to 64 bytes in base64
  EXTRA_CA_FILE  certificates (PEM) of authorities to trust besides the machine's own [none]
  LOG           what is logged, as in info,chinwag=debug [info]
  LOG_FORMAT    text or json [text]
  CHINWAG_PG_BIN  the folder of PostgreSQL's postgres and initdb [found]
  CHINWAG_ENV   names a further file, which wins over .env; the environment itself wins over both";

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
                trusted_proxies: http::on_this_machine(),
                graphiql: Graphiql::BuiltIn,
            },
            data: Data {
                dir: data_dir,
                database_url: Some(database_url),
                jwt_secret: Some("a secret of the tests, long enough for HS256".into()),
                log_retention: TimeDelta::days(data::LOG_RETENTION_DAYS),
            },
            mail: Mail { smtp_url: None, from: None, delay: mail::MAIL_DELAY },
            pages: None,
            limits: Limits { rate_limited: false, ..Limits::default() },
            documents: Documents { trusted: None, only_trusted: false, introspection: true },
            requests: Requests::default(),
            oauth: OAuth::default(),
            push: Push::default(),
            log: Log { filter: "warn".into(), format: LogFormat::Text },
        }
    }
}
