//! Connections: how one is opened, and the one that listens.

use std::sync::OnceLock;
use std::time::Duration;

use diesel::connection::{DebugQuery, InstrumentationEvent};
use diesel::prelude::*;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::poll_fn;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Conn;
use crate::tls;

/// What every connection is told at its start. A statement that runs longer than this is a fault of ours; a lock that
/// is waited for longer is a hung transaction somewhere.
const SESSION: &str = "SET statement_timeout = '15s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET timezone = 'UTC'; SET application_name = 'chinwag'";

/// For connections whose statements find all rows by their keys. PostgreSQL cannot know how few keys an array holds: it
/// would plan each time anew, or read small tables to their end.
pub(super) const BY_KEYS: &str = "; SET plan_cache_mode = force_generic_plan; \
     SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// The channel on which servers tell one another what they committed.
pub(super) const CHANNEL: &str = "chinwag";

/// Opens a connection, with TLS where the address asks for it. `more` are settings of what it is used for, behind those that
/// all have in common: statements, each begun by `; `.
pub(super) async fn establish(url: String, more: &str) -> ConnectionResult<Conn> {
    let config = settings(&url).map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
    let refused = |error: tokio_postgres::Error| ConnectionError::BadConnection(explain(&error));
    let mut conn = if wants_tls(&config) {
        let (client, connection) = config.connect(tls()).await.map_err(refused)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await?
    } else {
        let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await?
    };
    conn.batch_execute(&format!("{SESSION}{more}")).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    // Only a superuser may; where it is refused, the server's messages are hopefully in English all the same.
    let _ = conn.batch_execute("SET lc_messages = 'C'").await;
    let database = config.get_dbname().unwrap_or_default().to_owned();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            // `LOG=sql=debug` shows the statements, without the values: those are people's.
            tracing::debug!(target: "sql", %database, statement = %Bare(query));
        }
    });
    Ok(conn)
}

/// A statement as PostgreSQL gets it, without the values that diesel's own text adds behind it.
struct Bare<'a>(&'a dyn DebugQuery);

impl std::fmt::Display for Bare<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        out.write_str(text.split(" -- binds:").next().unwrap_or_default())
    }
}

pub(super) async fn ping(conn: &mut Conn) -> QueryResult<()> {
    diesel::select(1.into_sql::<diesel::sql_types::Integer>()).execute(conn).await.map(drop)
}

/// A connection that hears what other servers committed.
pub struct Listener {
    heard: tokio::sync::mpsc::UnboundedReceiver<String>,
    /// Keeps the session open.
    _client: tokio_postgres::Client,
    driver: tokio::task::JoinHandle<()>,
}

impl Listener {
    pub async fn open(url: &str) -> Result<Self, tokio_postgres::Error> {
        let config = settings(url)?;
        if wants_tls(&config) {
            let (client, connection) = config.connect(tls()).await?;
            Self::listen(client, connection).await
        } else {
            let (client, connection) = config.connect(NoTls).await?;
            Self::listen(client, connection).await
        }
    }

    async fn listen<S, T>(
        client: tokio_postgres::Client,
        mut connection: tokio_postgres::Connection<S, T>,
    ) -> Result<Self, tokio_postgres::Error>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let (tell, heard) = tokio::sync::mpsc::unbounded_channel();
        let driver = tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(notification) = message
                    && tell.send(notification.payload().to_owned()).is_err()
                {
                    return;
                }
            }
        });
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        Ok(Self { heard, _client: client, driver })
    }

    /// The next notification; `None` once the connection is lost.
    pub async fn next(&mut self) -> Option<String> {
        self.heard.recv().await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The address, with what a long-lived connection needs to notice that its peer is gone.
fn settings(url: &str) -> Result<tokio_postgres::Config, tokio_postgres::Error> {
    let mut config: tokio_postgres::Config = url.parse()?;
    config.keepalives_idle(Duration::from_secs(30));
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(10));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(5));
    }
    Ok(config)
}

/// TLS unless it is switched off, or the way does not leave this machine and nothing demands it: distributions give their
/// PostgreSQL a certificate of its own making, which nobody can check.
fn wants_tls(config: &tokio_postgres::Config) -> bool {
    let stays_here = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
    });
    match config.get_ssl_mode() {
        SslMode::Disable => false,
        SslMode::Prefer => !stays_here,
        _ => true,
    }
}

/// Checks certificates against the machine's own authorities.
fn tls() -> MakeRustlsConnect {
    static CONFIG: OnceLock<rustls::ClientConfig> = OnceLock::new();
    MakeRustlsConnect::new(CONFIG.get_or_init(|| tls::trusting_this_machine(Vec::new())).clone())
}

/// An error of tokio-postgres with its cause, which its own text leaves out.
fn explain(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
