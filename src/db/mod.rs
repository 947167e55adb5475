//! The database: a pool of connections, one way to read and one to write.
//!
//! `read` lends a connection for a statement or two and tries once more when the connection turns out to be lost.
//! `transaction` lends a `Tx`; what the transaction gave to its outbox leaves when it has been committed, and only then:
//! nothing is published that was not.

mod among;
mod connect;
mod create;
pub mod embedded;
mod errors;
mod insert_many;
mod like;
mod migrate;
mod statement;
mod text_enum;
mod turns;
mod tx;
mod update_many;
mod xid;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::QueueMode;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::future::OptionFuture;
use futures_util::join;
use tokio::sync::{MutexGuard, Semaphore};
use tokio::time::timeout;

pub use among::among;
pub use connect::Listener;
pub use create::create_database;
pub use errors::OnConstraint;
pub(crate) use insert_many::insert_many;
pub use like::{beginning_with, containing, lower};
pub use migrate::{MIGRATIONS, migrate};
pub use statement::Statement;
pub(crate) use text_enum::text_enum;
pub use tx::{Busy, Outbox, Tx};
pub(crate) use update_many::update_many;
pub use xid::Xid;

use self::turns::Turns;

use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::id::ConversationId;
use crate::jobs::{self, Bell};
use crate::log::Hub;
use crate::realtime::Realtime;

/// What a store runs its statements on.
pub type Conn = AsyncPgConnection;

/// How long a request waits for a free connection before it is told UNAVAILABLE.
const POOL_WAIT: Duration = Duration::from_secs(2);
/// How long opening a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// Connections of one server. Two cores gain nothing from more, and a private cluster has room for 100.
const POOL_SIZE: usize = 16;
/// How many of them change something at a time. Whoever does may wait for a row that somebody holds, with the connection in
/// hand: however many do, there are connections left to read with.
const WRITERS: usize = 10;
/// How long somebody stands in line for a row, without a connection, before they are told TIMEOUT.
const TURN_WAIT: Duration = Duration::from_secs(10);
/// And those kept for transactions of `transaction_from`: a few gather all who wait, and find one whatever else goes on.
const POOL_SIZE_BY_KEYS: usize = 8;

/// The database and those who are told what was committed. A clone is the same.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    pool: Pool<Conn>,
    /// Of connections that plan for finding rows by their keys.
    by_keys: Pool<Conn>,
    writers: Semaphore,
    turns: Turns,
    url: String,
    /// Names this server in its notifications, so that it can leave out its own.
    node: uuid::Uuid,
    clock: Clock,
    hub: Hub,
    realtime: Realtime,
    jobs: Bell,
    /// Conversations of which a commit was sent and never answered.
    in_doubt: Mutex<HashSet<ConversationId>>,
}

/// An async closure over a borrowed value whose future is `Send`. Stable Rust cannot say this of `AsyncFn` alone; the
/// form is diesel-async's own.
pub trait SendFn<T, R>: AsyncFnOnce(T) -> R + FnOnce(T) -> <Self as SendFn<T, R>>::Fut {
    type Fut: Future<Output = R>;
}

impl<F, T, Fut, R> SendFn<T, R> for F
where
    F: AsyncFnOnce(T) -> R + FnOnce(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

impl Db {
    /// A pool on this address; connects when first asked.
    pub fn new(url: String, clock: Clock, hub: Hub, realtime: Realtime, jobs: Bell) -> Result<Self> {
        let (pool, by_keys) = (pool(&url, "", POOL_SIZE)?, pool(&url, connect::BY_KEYS, POOL_SIZE_BY_KEYS)?);
        let (node, in_doubt) = (uuid::Uuid::new_v4(), Mutex::default());
        let (writers, turns) = (Semaphore::new(WRITERS), Turns::default());
        Ok(Self(Arc::new(Inner { pool, by_keys, writers, turns, url, node, clock, hub, realtime, jobs, in_doubt })))
    }

    pub fn node(&self) -> uuid::Uuid {
        self.0.node
    }

    /// Whether it is unknown if what this server wrote there last was committed; asked when the database says that it
    /// was.
    pub fn was_in_doubt(&self, id: ConversationId) -> bool {
        self.0.in_doubt.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }

    /// Where the database is; for connections that cannot come from the pool.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Lends a connection for reading. `ask` may run twice: once more on a new connection when the first was lost.
    pub async fn read<T, F>(&self, ask: F) -> Result<T>
    where
        F: Clone + Send,
        for<'c> F: AsyncFnOnce(&'c mut Conn) -> QueryResult<T> + SendFn<&'c mut Conn, QueryResult<T>, Fut: Send>,
    {
        let mut conn = connection(&self.0.pool).await?;
        match (ask.clone())(&mut conn).await {
            Err(error) if errors::is_connection_lost(&error) => {
                drop(conn);
                self.forget_idle_connections();
                Ok(ask(&mut *connection(&self.0.pool).await?).await?)
            }
            answer => Ok(answer?),
        }
    }

    /// Runs `work` in one transaction and, once it is committed, sends what it left in its outbox. An error rolls all
    /// of it back and sends nothing. `work` may run twice: it is undone when it steps back from a row that somebody else
    /// holds, and begins anew when it is its turn there; or when it and another wait for one another, and begins anew at once:
    /// the other one has what it waited for.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T>
    where
        F: Clone + Send,
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<T> + SendFn<&'t mut Tx, Result<T>, Fut: Send>,
    {
        let held = match self.attempt(work.clone(), Busy::PassOver).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(held)) => Some(held),
            Err(error) if error.is_deadlock() => {
                tracing::warn!(?error, "two transactions waited for one another");
                None
            }
            Err(error) => return Err(error),
        };
        let turn = timeout(TURN_WAIT, OptionFuture::from(held.map(|held| self.turn_at(held)))).await;
        let _turn = turn.map_err(|_| Error::new(Code::Timeout, "Too many want to change this, try again"))?;
        self.attempt(work, Busy::Wait).await?.map_err(|_| Error::internal("who waits steps back from nothing"))
    }

    /// One's turn at a row that somebody else holds, until it is dropped. Waited for without a connection in hand.
    pub async fn turn_at(&self, id: uuid::Uuid) -> MutexGuard<'_, ()> {
        self.0.turns.wait_for(id).await
    }

    /// What came of it, or the row from which it stepped back: then nothing did.
    async fn attempt<T, F>(&self, work: F, busy: Busy) -> Result<Result<T, uuid::Uuid>>
    where
        F: Send,
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<T> + SendFn<&'t mut Tx, Result<T>, Fut: Send>,
    {
        let place = timeout(POOL_WAIT, self.0.writers.acquire()).await.map_err(Error::unavailable)?;
        let _place = place.map_err(Error::internal)?;
        let (mut tx, ()) = self.begin(&self.0.pool, async |_: &Tx| ()).await?;
        tx.busy = busy;
        let answer = work(&mut tx).await;
        match tx.stepped_back_from() {
            Some(held) => {
                tx.roll_back().await;
                Ok(Err(held))
            }
            None => self.end(tx, answer).await.map(Ok),
        }
    }

    /// The same where every round trip counts: the statements of `first` travel with the BEGIN, and `work` gets what they
    /// found. `first` must not write: it may run twice, once more on a new connection when the first was lost. All
    /// statements are planned for finding rows by their keys, and the connection is one of a few that others do not take.
    pub async fn transaction_from<S, T, F, W>(&self, first: F, work: W) -> Result<T>
    where
        F: Clone + Send,
        for<'t> F: AsyncFnOnce(&'t Tx) -> Result<S> + SendFn<&'t Tx, Result<S>, Fut: Send>,
        for<'t> W: AsyncFnOnce((&'t mut Tx, S)) -> Result<T> + SendFn<(&'t mut Tx, S), Result<T>, Fut: Send> + Send,
    {
        let (mut tx, found) = self.begin(&self.0.by_keys, first).await?;
        let answer = match found {
            Ok(found) => work((&mut tx, found)).await,
            Err(error) => Err(error),
        };
        self.end(tx, answer).await
    }

    /// A transaction on a connection that lives: a lost one has begun nothing, so another one is tried.
    async fn begin<S, F>(&self, pool: &Pool<Conn>, first: F) -> Result<(Tx, S)>
    where
        F: Clone + Send,
        for<'t> F: AsyncFnOnce(&'t Tx) -> S + SendFn<&'t Tx, S, Fut: Send>,
    {
        let tx = Tx::new(connection(pool).await?);
        let (begun, found) = join!(tx.begin(), (first.clone())(&tx));
        match begun {
            Err(error) if errors::is_connection_lost(&error) => {
                drop(tx);
                self.forget_idle_connections();
                let tx = Tx::new(connection(pool).await?);
                let (begun, found) = join!(tx.begin(), first(&tx));
                begun?;
                Ok((tx, found))
            }
            begun => {
                begun?;
                Ok((tx, found))
            }
        }
    }

    /// Commits what was done, or undoes what failed.
    async fn end<T>(&self, mut tx: Tx, answer: Result<T>) -> Result<T> {
        let answer = match answer {
            Ok(answer) => self.enqueue(&mut tx).await.map(|()| answer),
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => self.commit(tx).await.map(|()| answer),
            Err(error) => {
                if error.is_connection_lost() {
                    self.forget_idle_connections();
                }
                tx.roll_back().await;
                Err(error)
            }
        }
    }

    /// Writes the jobs of a transaction, as its last statement.
    async fn enqueue(&self, tx: &mut Tx) -> Result<()> {
        let jobs = std::mem::take(&mut tx.outbox().jobs);
        if jobs.is_empty() {
            return Ok(());
        }
        let now = self.0.clock.now();
        tx.outbox().rings = jobs.iter().any(|job| job.is_due(now));
        jobs::enqueue(tx, jobs, now).await
    }

    async fn commit(&self, mut tx: Tx) -> Result<()> {
        let committed = tx.commit(self.0.node).await;
        let outbox = tx.take_outbox();
        if let Err(error) = committed {
            // Whether it was committed is unknown, perhaps even still to come: followers look for themselves, now and when
            // its own notification tells. Sessions were to end anyway, and looking at people does no harm.
            let conversations = outbox.conversations();
            self.0.realtime.ended_sessions.insert(outbox.ended_sessions);
            self.0.realtime.presences.tell_of(outbox.presences);
            self.0.in_doubt.lock().unwrap_or_else(PoisonError::into_inner).extend(&conversations);
            self.0.hub.look(conversations);
            self.0.jobs.ring();
            return Err(error.into());
        }
        self.publish(outbox);
        Ok(())
    }

    /// Where one connection was lost, those that wait in the pool mostly were too: the next one is to be a new one.
    fn forget_idle_connections(&self) {
        self.0.pool.retain(|_, _| false);
        self.0.by_keys.retain(|_, _| false);
    }

    fn publish(&self, outbox: Outbox) {
        self.0.hub.publish(outbox.events);
        self.0.realtime.ended_sessions.insert(outbox.ended_sessions);
        self.0.realtime.presences.tell_of(outbox.presences);
        for (conversation, signal) in outbox.signals {
            self.0.realtime.signals.send(conversation, signal);
        }
        if outbox.rings {
            self.0.jobs.ring();
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.read(async |conn| connect::ping(conn).await).await
    }
}

async fn connection(pool: &Pool<Conn>) -> Result<Object<Conn>> {
    pool.get().await.map_err(Error::unavailable)
}

/// Connections with these settings beside those that all have; connects when first asked.
fn pool(url: &str, settings: &'static str, size: usize) -> Result<Pool<Conn>> {
    let mut config = ManagerConfig::default();
    // A round trip less for each checkout; a connection that broke while idle is seen all the same.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| Box::pin(connect::establish(url.to_owned(), settings)));
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Pool::builder(manager)
        .max_size(size)
        // Whoever comes next gets the one that was used last: its statements are prepared, and its process is warm.
        .queue_mode(QueueMode::Lifo)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(POOL_WAIT))
        .create_timeout(Some(CONNECT_WAIT))
        .build()
        .map_err(Error::internal)
}
