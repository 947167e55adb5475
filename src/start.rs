//! From nothing to a running server: what the subcommands share.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::api::execute::{Executor, Trusted};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{BadValue, Config, Data, Graphiql};
use crate::db::{self, embedded};
use crate::error::{Code, Error, Result};
use crate::jobs::{self, Kinds};
use crate::keys::{self, Keys};
use crate::recount::Recount;
use crate::signing::{self, Signing};
use crate::{
    accounts, api, conversations, farewell, groups, http, log, mail, messages, notifications, oauth, presence, users,
    viewer_events,
};

/// Name of the database in the private cluster.
const NAME: &str = "chinwag";
/// The database through which another one is made.
const ANOTHER: &str = "postgres";
/// How long a cluster that another process is starting may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// Where the database is, and the private cluster if this process runs it, which dropping stops: last of all, and not
/// on a thread of the async runtime.
pub struct Database {
    url: String,
    /// Address of `ANOTHER` in a private cluster, whoever runs it.
    another: Option<String>,
    _cluster: Option<embedded::Cluster>,
}

impl Database {
    /// For the one who serves: the private cluster is theirs alone. Blocks.
    pub fn to_serve(data: &Data) -> Result<Self, embedded::StartError> {
        match &data.database_url {
            Some(url) => Ok(Self::elsewhere(url)),
            None => Ok(Self::of(embedded::Cluster::start(&data.dir)?)),
        }
    }

    /// For a subcommand: the private cluster of the process that runs it, or else one's own for as long as this takes.
    /// Blocks.
    pub fn to_use(data: &Data) -> Result<Self, embedded::StartError> {
        if let Some(url) = &data.database_url {
            return Ok(Self::elsewhere(url));
        }
        if let Some(running) = Self::running(&data.dir) {
            return Ok(running);
        }
        match embedded::Cluster::start(&data.dir) {
            Ok(cluster) => Ok(Self::of(cluster)),
            // Somebody was faster.
            Err(error) => Self::running(&data.dir).ok_or(error),
        }
    }

    fn elsewhere(url: &str) -> Self {
        Self { url: url.to_owned(), another: None, _cluster: None }
    }

    fn of(cluster: embedded::Cluster) -> Self {
        Self { url: cluster.url(NAME), another: Some(cluster.url(ANOTHER)), _cluster: Some(cluster) }
    }

    fn running(dir: &Path) -> Option<Self> {
        let url = embedded::running(dir, NAME)?;
        Some(Self { url, another: embedded::running(dir, ANOTHER), _cluster: None })
    }

    /// Makes the database if need be, and brings it to the newest schema. Answers how many migrations that took.
    pub async fn migrate(&self) -> Result<usize> {
        if let Some(another) = &self.another {
            let give_up = Instant::now() + PATIENCE;
            loop {
                match db::create_database(another, NAME).await {
                    Err(error) if error.code() == Code::Unavailable && Instant::now() < give_up => {
                        tokio::time::sleep(TRY_AGAIN).await;
                    }
                    done => break done?,
                }
            }
        }
        db::migrate(&self.url).await.map_err(|error| match error.code() {
            Code::Unavailable => error.with_message("The database cannot be reached"),
            _ => error,
        })
    }

    /// Everything a server shares, on this database, migrated.
    pub async fn app(&self, config: Config, keys: Keys) -> Result<App> {
        self.migrate().await?;
        App::new(config, Clock::default(), self.url.clone(), keys)
    }
}

/// What the one who serves signs with.
pub fn kept_keys(config: &Config) -> Result<Keys> {
    let data = &config.data;
    let keys = match &data.jwt_secret {
        Some(secret) => Keys::new(secret),
        None => {
            let unusable = |error| {
                let message = format!("The keys in {} cannot be used", data.dir.display());
                Error::internal(error).with_message(message)
            };
            let secret = keys::kept_secret(&data.dir).map_err(unusable)?;
            Keys::new(&secret).with_signing(Signing::kept_in(&data.dir).map_err(unusable)?)
        }
    };
    Ok(keys.with_vapid(config.push.vapid_key.clone()))
}

/// What `chinwag rotate-keys` does; answers with the `kid` of the new key.
pub fn rotate_keys(data: &Data, drops_old: bool) -> Result<String, String> {
    if data.jwt_secret.is_some() {
        return Err("JWT_SECRET signs: only keys that are kept in DATA_DIR, without it, can be rotated".to_owned());
    }
    signing::rotate(&data.dir, Clock::default().now(), drops_old).map_err(|error| error.to_string())
}

/// For a subcommand, which signs nothing: it neither needs the secret nor may be able to read it.
pub fn passing_keys() -> Keys {
    Keys::new(&format!("{:x}", rand::random::<u128>()))
}

/// What runs operations: the schema, and the documents that the configuration trusts.
pub fn executor(config: &Config) -> Result<Executor, BadValue> {
    Ok(Executor::from(api::schema()).trusting(Trusted::load(&config.documents)?))
}

/// Serves until told to stop, then finishes what runs.
pub async fn serve(app: App, executor: Executor, shutdown: CancellationToken) -> Result<()> {
    app.realtime.ended_sessions.look(&app.db).await?;
    let listen = app.config.http.listen;
    let server = http::Server::bind(app.clone(), executor)
        .await
        .map_err(|error| Error::internal(error).with_message(format!("Cannot listen on {listen} (LISTEN)")))?;
    if let Some(folder) = app.mailer.folder() {
        tracing::warn!(folder = %folder.display(), "mails go into files: SMTP_URL says who takes them");
    }
    let _tending = AbortOnDropHandle::new(tokio::spawn(tend(app.clone())));
    let working = AbortOnDropHandle::new(tokio::spawn(work(app.clone(), kinds(), shutdown.clone())));
    greet(&app, server.address()).await?;
    server.run(shutdown).await;
    let _ = working.await;
    Ok(())
}

/// All kinds of work that are done beside the requests.
pub fn kinds() -> Kinds {
    Kinds::default()
        .with::<farewell::Erase>()
        .with::<mail::Send>()
        .with::<accounts::Alarm>()
        .with::<accounts::addresses::AskForProof>()
        .with::<accounts::passwords::MailReset>()
        .with::<notifications::TellDevice>()
        .with::<notifications::TellDevices>()
        .with::<notifications::digests::Digest>()
        .with_recurring::<accounts::PurgeSessions>()
        .with_recurring::<accounts::PurgeTokens>()
        .with_recurring::<log::Retain>()
        .with_recurring::<notifications::Expire>()
        .with_recurring::<notifications::digests::Look>()
        .with_recurring::<oauth::PurgeStates>()
        .with_recurring::<presence::ClearStatuses>()
        .with_recurring::<users::FreeHandles>()
        .with_recurring::<Recount<conversations::MemberCount>>()
        .with_recurring::<Recount<groups::MemberCount>>()
        .with_recurring::<Recount<messages::MessageCount>>()
        .with_recurring::<Recount<messages::reactions::ReactionCount>>()
        .with_recurring::<Recount<messages::threads::ReplyCount>>()
}

/// What goes on beside the requests for as long as a server runs: hearing what was committed, who is here, and telling
/// people what concerns them.
pub async fn tend(app: App) {
    tokio::join!(
        undeterred(|| log::listen(app.clone())),
        undeterred(|| presence::tend(app.clone())),
        undeterred(|| viewer_events::tend(app.clone())),
    );
}

/// Does the work that was enqueued. Told to stop, it ends when what runs then has been done.
pub async fn work(app: App, kinds: Kinds, shutdown: CancellationToken) {
    undeterred(|| jobs::work(&app, &kinds, &shutdown)).await;
}

/// Until it ends, which a panic is not: the server would go on, deaf, and nobody would see it.
async fn undeterred<F: Future<Output = ()>>(task: impl Fn() -> F) {
    while AssertUnwindSafe(task()).catch_unwind().await.is_err() {
        tracing::error!("what goes on beside the requests panicked, and is begun anew");
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

/// The first lines a newcomer reads.
async fn greet(app: &App, address: SocketAddr) -> Result<()> {
    let url = match app.config.http.listen.port() {
        // Any free port: the one that was found.
        0 => &format!("http://{address}"),
        _ => &app.config.http.public_url,
    };
    println!("chinwag {}", env!("CARGO_PKG_VERSION"));
    match app.config.documents.only_trusted {
        _ if app.config.http.graphiql == Graphiql::Off => println!("  GraphiQL  off"),
        true => println!("  GraphiQL  can run nothing: TRUSTED_DOCUMENTS_ONLY is on"),
        false => println!("  GraphiQL  {url}/"),
    }
    println!("  GraphQL   {url}/graphql (POST, GET, event streams and WebSocket)");
    match &app.config.data.database_url {
        // Not the address: it may hold a password.
        Some(_) => println!("  Data      where DATABASE_URL says"),
        None => println!("  Data      {}", app.config.data.dir.display()),
    }
    if accounts::needs_setup_code(app).await? {
        let code = app.keys.setup_code();
        match app.config.http.is_public() {
            true => println!("  Setup     register with the setupCode {code} to run this server"),
            false => {
                println!(
                    "  Setup     the first account, made on this machine, runs this server; others by setupCode {code}"
                )
            }
        }
    }
    Ok(())
}
