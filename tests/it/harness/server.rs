//! A server as strangers meet it: bound to a port, on a database of its own.

use std::net::SocketAddr;

use chinwag::app::App;
use chinwag::clock::Clock;
use chinwag::config::Config;
use chinwag::http::Server;
use chinwag::jobs::Kinds;
use chinwag::start;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::{Actor, Database, Wire, statements};

pub struct TestServer {
    pub app: App,
    pub clock: Clock,
    pub address: SocketAddr,
    pub database: std::sync::Arc<Database>,
    shutdown: CancellationToken,
    serving: Option<AbortOnDropHandle<()>>,
    working: Option<AbortOnDropHandle<()>>,
    _tending: AbortOnDropHandle<()>,
    /// Letters go there.
    _folder: TempDir,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With a configuration that differs.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let database = std::sync::Arc::new(Database::create().await);
        let url = database.url.clone();
        Self::on(database, url, Clock::default(), start::kinds(), change).await
    }

    /// One that knows how to do this work as well.
    pub async fn that_works(kinds: Kinds) -> Self {
        let database = std::sync::Arc::new(Database::create().await);
        let url = database.url.clone();
        Self::on(database, url, Clock::default(), kinds, |_| {}).await
    }

    /// A server, and the wire to its database.
    pub async fn over_a_wire() -> (Self, Wire) {
        let database = std::sync::Arc::new(Database::create().await);
        let wire = Wire::to(&database).await;
        (Self::on(database, wire.url.clone(), Clock::default(), start::kinds(), |_| {}).await, wire)
    }

    /// Another server on the database and the clock of this one.
    pub async fn another(&self) -> Self {
        self.another_that_works(start::kinds()).await
    }

    /// And one with a configuration of its own.
    pub async fn another_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let url = self.database.url.clone();
        Self::on(self.database.clone(), url, self.clock.clone(), start::kinds(), change).await
    }

    /// And one that knows how to do this work.
    pub async fn another_that_works(&self, kinds: Kinds) -> Self {
        let url = self.database.url.clone();
        Self::on(self.database.clone(), url, self.clock.clone(), kinds, |_| {}).await
    }

    async fn on(
        database: std::sync::Arc<Database>,
        url: String,
        clock: Clock,
        kinds: Kinds,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        statements::record();
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::for_tests(url.clone(), folder.path().to_owned());
        change(&mut config);
        let keys = start::kept_keys(&config).unwrap();
        let app = App::new(config, clock.clone(), url, keys).unwrap();
        let server = Server::bind(app.clone(), start::executor(&app.config).unwrap()).await.unwrap();
        let address = server.address();
        let shutdown = CancellationToken::new();
        let serving = AbortOnDropHandle::new(tokio::spawn(server.run(shutdown.clone())));
        let tending = AbortOnDropHandle::new(tokio::spawn(start::tend(app.clone())));
        let working = AbortOnDropHandle::new(tokio::spawn(start::work(app.clone(), kinds, shutdown.clone())));
        let (serving, working) = (Some(serving), Some(working));
        Self { app, clock, address, database, shutdown, serving, working, _tending: tending, _folder: folder }
    }

    /// Stops as by SIGTERM, and waits for it.
    pub async fn stop(&mut self) {
        self.shutdown.cancel();
        for task in [self.serving.take(), self.working.take()].into_iter().flatten() {
            task.await.unwrap();
        }
    }

    /// Dies: whatever runs is cut off where it is.
    pub fn die(&mut self) {
        drop((self.serving.take(), self.working.take()));
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Somebody who is not signed in.
    pub fn anonymous(&self) -> Actor {
        Actor::new(self.address, None)
    }

    /// Somebody new, signed in.
    pub async fn register(&self, name: &str) -> Actor {
        Actor::register(self.address, name).await
    }

    /// The statements that run on its database during `work`.
    pub async fn statements<T>(&self, work: impl Future<Output = T>) -> (Vec<String>, T) {
        statements::during(&self.database.name, work).await
    }
}
